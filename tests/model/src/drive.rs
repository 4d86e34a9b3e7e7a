//! The front doors over a store and a clock that answer from a script.

use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use chrono::TimeDelta;

use super::jwt::{mint, read, ring};
use super::subject::jwt::{
    Authenticated as Signed, HybridSessions, IssueError, JwtError, NoClaims, TokenRenewal,
};
use super::subject::{
    AuthenticateError, Authenticated, Cookie, Lifetime, RejectReason, RenewalOutcome, RotateError,
    SessionPolicy, Sessions, StoreError, Update,
};
use super::tape::{
    Naming, SUBJECT, ScriptClock, Scripted, Tape, at, facts, name, sec, seconds, secret, session,
};
use crate::script::{
    Next, Outcome, Refusal, Row, Rules, Script, Sec, Token, Update as Renewed, Verb, Write,
};

pub(super) fn play(rules: Rules, script: &Script) -> Next {
    let tape = Mutex::new(Tape::new(script));
    let store = Scripted(&tape);
    let clock = ScriptClock(&tape);
    let [max_age, update_age, cap] =
        rules.of(script.tight).map(|secs| TimeDelta::seconds(i64::from(secs)));
    let policy = SessionPolicy::new(max_age, update_age, cap).expect("the rules make a policy");
    let verb = script.verb;
    let polled = if let Some(grace) = rules.grace {
        let grace = TimeDelta::seconds(i64::from(grace));
        let sessions = HybridSessions::with_grace(store, ring(), policy, grace);
        let sessions = sessions.expect("the grace fits").with_clock(clock);
        poll(hybrid(&sessions, verb))
    } else {
        let sessions = Sessions::new(store, policy).with_clock(clock);
        poll(opaque(&sessions, verb))
    };
    let tape = tape.lock().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(tape.heard, script.heard.len(), "a script is heard to its end");
    match (polled, tape.asked) {
        (Poll::Ready(outcome), None) => Next::Done(outcome),
        (Poll::Pending, Some(call)) => Next::Call(call),
        strange => panic!("a request waits for its store or is done: {strange:?}"),
    }
}

fn poll<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

pub(super) fn renewed(row: &Row, write: Write) -> Option<Row> {
    let lifetime =
        Lifetime::restore(at(row.created), at(write.renewed), at(write.expires), at(row.cap));
    let loaded = session(&Row { version: write.version, id: write.id, ..*row });
    let renewal = Update::new(&loaded, at(write.at), &lifetime.ok()?)
        .with_generation(write.generation.into(), write.confirmed.map(at));
    Some(facts(&session(row).renewed(&renewal)?, row.id))
}

// The verbs.

type Opaque<'a> = Sessions<Scripted<'a>, ScriptClock<'a>>;
type Hybrid<'a> = HybridSessions<Scripted<'a>, NoClaims, ScriptClock<'a>>;

async fn opaque(sessions: &Opaque<'_>, verb: Verb) -> Outcome {
    match verb {
        Verb::Authenticate(token) => opaque_outcome(sessions.authenticate(&secret(token)).await),
        Verb::End(id) => ended(sessions.end(&name(id)).await.map(u64::from)),
        Verb::EndAll => ended(sessions.end_all(SUBJECT).await),
        Verb::Peek(token) => opaque_outcome(sessions.peek(&secret(token)).await),
        Verb::Rotate(token) => {
            let session = match sessions.authenticate(&secret(token)).await {
                Ok(authenticated) => authenticated.session,
                refused => return opaque_outcome(refused),
            };
            match sessions.rotate(&session).await {
                Ok(started) => sessions.store().0.started(&started),
                Err(RotateError::Rejected { reason, .. }) => rejected(reason),
                Err(RotateError::Store(_)) => Outcome::Refused(Refusal::Store),
                Err(RotateError::Unknown) => Outcome::Refused(Refusal::Unknown),
                Err(_) => Outcome::Refused(Refusal::Other),
            }
        }
        Verb::Start => {
            let started = sessions.start(SUBJECT).await.expect("the sign-in succeeds");
            sessions.store().0.started(&started)
        }
        Verb::Sweep => ended(sessions.sweep(9).await),
    }
}

async fn hybrid(sessions: &Hybrid<'_>, verb: Verb) -> Outcome {
    match verb {
        Verb::Authenticate(token) => {
            hybrid_outcome(sessions, sessions.authenticate(&mint(token)).await)
        }
        Verb::End(id) => ended(sessions.end(&name(id)).await.map(u64::from)),
        Verb::EndAll => ended(sessions.end_all(SUBJECT).await),
        Verb::Peek(token) => hybrid_outcome(sessions, sessions.peek(&mint(token)).await),
        Verb::Rotate(token) => {
            let claims = match sessions.authenticate(&mint(token)).await {
                Ok(authenticated) => authenticated.claims,
                refused => return hybrid_outcome(sessions, refused),
            };
            let rotated = sessions.rotate(&claims, NoClaims {}).await;
            let started = match rotated {
                Ok(started) => started,
                Err(IssueError::Rejected { reason, .. }) => return rejected(reason),
                Err(IssueError::Store(_)) => return Outcome::Refused(Refusal::Store),
                Err(IssueError::Unknown) => return Outcome::Refused(Refusal::Unknown),
                Err(_) => return Outcome::Refused(Refusal::Other),
            };
            let now = sec(started.status.now);
            served(now, Some(now + seconds(started.issued.max_age)), Renewed::Renewed, || {
                read(started.issued.token.expose(), |id| sessions.store().0.renamed(id))
            })
        }
        Verb::Start => {
            let started = sessions.start(SUBJECT, NoClaims {}).await.expect("the sign-in succeeds");
            served(sec(started.status.now), None, Renewed::None, || {
                read(started.issued.token.expose(), |id| sessions.store().0.renamed(id))
            })
        }
        Verb::Sweep => ended(sessions.sweep(9).await),
    }
}

fn ended(ended: Result<u64, StoreError>) -> Outcome {
    ended.map_or(Outcome::Refused(Refusal::Store), |count| Outcome::Ended(count > 0))
}

fn rejected(reason: RejectReason) -> Outcome {
    Outcome::Refused(match reason {
        RejectReason::AbsoluteCap => Refusal::Cap,
        RejectReason::Idle => Refusal::Idle,
        RejectReason::NotYetValid => Refusal::Other,
    })
}

fn served(at: Sec, cookie: Option<Sec>, renewal: Renewed, token: impl Fn() -> Token) -> Outcome {
    Outcome::Served { at, cookie, renewal, token: Some(token()) }
}

fn opaque_outcome(authenticated: Result<Authenticated, AuthenticateError>) -> Outcome {
    let Authenticated { status, cookie, renewal, .. } = match authenticated {
        Ok(authenticated) => authenticated,
        Err(AuthenticateError::Rejected { reason, .. }) => return rejected(reason),
        Err(AuthenticateError::Store(_)) => return Outcome::Refused(Refusal::Store),
        Err(AuthenticateError::Unknown) => return Outcome::Refused(Refusal::Unknown),
        Err(AuthenticateError::WrongSecret) => return Outcome::Refused(Refusal::Other),
    };
    let at = sec(status.now);
    let cookie = match cookie {
        Cookie::Set { max_age } => Some(at + seconds(max_age)),
        Cookie::Clear | Cookie::Keep => None,
    };
    let renewal = match renewal {
        RenewalOutcome::Deferred(_) => Renewed::Deferred,
        RenewalOutcome::NoGain | RenewalOutcome::NotDue => Renewed::None,
        RenewalOutcome::Renewed => Renewed::Renewed,
        RenewalOutcome::Superseded => Renewed::Superseded,
    };
    Outcome::Served { at, cookie, renewal, token: None }
}

fn hybrid_outcome(sessions: &Hybrid<'_>, authenticated: Result<Signed, JwtError>) -> Outcome {
    let served = match authenticated {
        Ok(served) => served,
        Err(JwtError::Rejected { reason, .. }) => return rejected(reason),
        Err(JwtError::Reused) => return Outcome::Refused(Refusal::Reused),
        Err(JwtError::Store(_)) => return Outcome::Refused(Refusal::Store),
        Err(JwtError::Unknown) => return Outcome::Refused(Refusal::Unknown),
        Err(_) => return Outcome::Refused(Refusal::Other),
    };
    let at = sec(served.status.now);
    let renewal = match served.renewal {
        TokenRenewal::Deferred(_) => Renewed::Deferred,
        TokenRenewal::NotDue => Renewed::None,
        TokenRenewal::Renewed => Renewed::Renewed,
        TokenRenewal::Superseded => Renewed::Superseded,
    };
    let renamed = |id| sessions.store().0.renamed(id);
    let token = served.issued.as_ref().map(|issued| read(issued.token.expose(), renamed));
    let cookie = served.issued.as_ref().map(|issued| at + seconds(issued.max_age));
    Outcome::Served { at, cookie, renewal, token }
}

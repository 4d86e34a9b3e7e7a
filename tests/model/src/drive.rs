//! `Sessions` and `HybridSessions` over a store and a clock that answer from a
//! script.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use chrono::TimeDelta;

use super::jwt::{mint, read, ring};
use super::subject::jwt::HybridSessions;
use super::subject::store::{StoreError, Update};
use super::subject::{
    AuthenticateError, Authenticated, Lifetime, NoClaims, RejectReason, RenewalOutcome,
    RotateError, SessionPolicy, SessionToken, Sessions, Started, Status,
};
use super::tape::{SUBJECT, Scripted, at, facts, name, sec, seconds, session, text};
use crate::script::{Next, Outcome, Refusal, Renewal, Row, Rules, Script, Sec, Token, Verb, Write};

pub(super) fn play(rules: Rules, script: &Script) -> Next {
    let tape = Scripted::new(script);
    let (store, clock) = (tape.clone(), tape.clone());
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
    let tape = tape.lock();
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

pub(super) fn updated(row: &Row, write: Write) -> Option<Row> {
    let lifetime =
        Lifetime::restore(at(row.created), at(write.renewed), at(write.expires), at(row.cap));
    let loaded = session(&Row { version: write.version, id: write.id, ..*row });
    let update = Update::new(&loaded, at(write.at), &lifetime.ok()?)
        .with_generation(write.generation.into(), write.confirmed.map(at));
    Some(facts(&update.apply(&session(row))?, row.id))
}

// The verbs.

async fn opaque(sessions: &Sessions<Scripted>, verb: Verb) -> Outcome {
    let opened = |started: &Started| sessions.store().opened(started);
    match verb {
        Verb::Authenticate(token) => kept(token, sessions.authenticate(&text(token)).await),
        Verb::End(id) => ended(sessions.end(&name(id)).await.map(u64::from)),
        Verb::EndAll => ended(sessions.end_all(SUBJECT).await),
        Verb::Peek(token) => kept(token, sessions.peek(&text(token)).await),
        Verb::Rotate(token) => match sessions.authenticate(&text(token)).await {
            Ok(served) => rotated(sessions.rotate(&served.session).await, opened),
            refused => kept(token, refused),
        },
        Verb::Start => rotated(Ok(sessions.start(SUBJECT).await.expect("it succeeds")), opened),
        Verb::Sweep => ended(sessions.sweep(9).await),
    }
}

async fn hybrid(sessions: &HybridSessions<Scripted>, verb: Verb) -> Outcome {
    let signed =
        |token: &SessionToken| read(token.expose(), |id| sessions.store().lock().renamed(id));
    let answered = |authenticated| outcome(authenticated, |token| Some(signed(token)));
    let opened = |started: &Started| signed(&started.token);
    match verb {
        Verb::Authenticate(token) => answered(sessions.authenticate(&mint(token)).await),
        Verb::End(id) => ended(sessions.end(&name(id)).await.map(u64::from)),
        Verb::EndAll => ended(sessions.end_all(SUBJECT).await),
        Verb::Peek(token) => answered(sessions.peek(&mint(token)).await),
        Verb::Rotate(token) => match sessions.authenticate(&mint(token)).await {
            Ok(served) => rotated(sessions.rotate(&served.session, NoClaims {}).await, opened),
            refused => answered(refused),
        },
        Verb::Start => rotated(Ok(sessions.start(SUBJECT).await.expect("it succeeds")), opened),
        Verb::Sweep => ended(sessions.sweep(9).await),
    }
}

fn ended(ended: Result<u64, StoreError>) -> Outcome {
    ended.map_or(Outcome::Refused(Refusal::Store), |count| Outcome::Ended(count > 0))
}

/// A new session, or one under a new id.
fn rotated(rotated: Result<Started, RotateError>, token: impl Fn(&Started) -> Token) -> Outcome {
    match rotated {
        Ok(started) => Outcome::Served {
            at: sec(started.status.now),
            cookie: Some(cookie_ends(&started.status)),
            renewal: Renewal::Renewed,
            token: Some(token(&started)),
        },
        Err(RotateError::Rejected { reason, .. }) => rejected(reason),
        Err(RotateError::Store(_)) => Outcome::Refused(Refusal::Store),
        Err(RotateError::Unknown) => Outcome::Refused(Refusal::Unknown),
        Err(_) => Outcome::Refused(Refusal::Other),
    }
}

/// Of an opaque token, which the client keeps: it is sent none but the one that it
/// presented.
fn kept(presented: Token, authenticated: Result<Authenticated, AuthenticateError>) -> Outcome {
    let outcome = outcome(authenticated, |token| {
        assert_eq!(token.expose(), text(presented), "a renewal sends the same token");
        None
    });
    assert_ne!(outcome, Outcome::Refused(Refusal::Reused), "an opaque token has no successor");
    outcome
}

fn outcome(
    authenticated: Result<Authenticated, AuthenticateError>,
    token: impl Fn(&SessionToken) -> Option<Token>,
) -> Outcome {
    let served = match authenticated {
        Ok(served) => served,
        Err(AuthenticateError::Rejected { reason, .. }) => return rejected(reason),
        Err(AuthenticateError::Reused) => return Outcome::Refused(Refusal::Reused),
        Err(AuthenticateError::Store(_)) => return Outcome::Refused(Refusal::Store),
        Err(AuthenticateError::Unknown) => return Outcome::Refused(Refusal::Unknown),
        Err(_) => return Outcome::Refused(Refusal::Other),
    };
    Outcome::Served {
        at: sec(served.status.now),
        cookie: served.token.as_ref().map(|_| cookie_ends(&served.status)),
        renewal: match served.renewal {
            RenewalOutcome::Deferred(_) => Renewal::Deferred,
            RenewalOutcome::NoGain | RenewalOutcome::NotDue => Renewal::None,
            RenewalOutcome::Renewed => Renewal::Renewed,
            RenewalOutcome::Superseded => Renewal::Superseded,
        },
        token: served.token.as_ref().and_then(token),
    }
}

fn rejected(reason: RejectReason) -> Outcome {
    Outcome::Refused(match reason {
        RejectReason::AbsoluteCap => Refusal::Cap,
        RejectReason::Idle => Refusal::Idle,
        RejectReason::NotYetValid => Refusal::Other,
    })
}

fn cookie_ends(status: &Status) -> Sec {
    sec(status.now) + seconds(status.cookie_max_age())
}

//! `Sessions` and `HybridSessions` over a store and a clock that answer from a
//! script.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use chrono::TimeDelta;

use super::jwt::{mint, read, ring};
use super::subject::jwt::{HybridSessions, JwtSessions};
use super::subject::store::{StoreError, Update};
use super::subject::{
    AuthenticateError, Authenticated, Lifetime, NoClaims, Policies, RejectReason, RenewalOutcome,
    RotateError, Session, SessionLimit, SessionPolicy, SessionToken, Sessions, SignIn, StartError,
    Started, Status, WhenFull,
};
use super::tape::{Names, SUBJECT, Scripted, at, name, sec, seconds, text};
use crate::limit::When;
use crate::rules::Rules;
use crate::script::{Id, Next, Outcome, Refusal, Renewal, Row, Script, Sec, Token, Verb, Write};

pub(super) fn play(rules: Rules, script: &Script) -> Next {
    let tape = Scripted::new(script, policy(rules, true));
    let (store, clock, bounds) = (tape.clone(), tape.clone(), tape.clone());
    let mut policies = Policies::new(policy(rules, script.tight));
    if let Some((when, max_sessions)) = rules.limit {
        let when = match when {
            When::EndLeastRecent => WhenFull::EndLeastRecent,
            When::EndOldest => WhenFull::EndOldest,
            When::Refuse => WhenFull::Refuse,
        };
        let max_sessions = max_sessions.try_into().expect("a limit is at least 1");
        let limit = SessionLimit::new(max_sessions, when);
        policies = policies.with_limit(Policies::DEFAULT, limit).expect("a profile");
    }
    let retention = TimeDelta::seconds(rules.retention.into());
    let polled = if let Some(grace) = rules.grace {
        let grace = TimeDelta::seconds(i64::from(grace));
        let sessions = HybridSessions::with_grace(store, ring(), policies, grace);
        let sessions = sessions.expect("the grace fits").with_clock(clock);
        let sessions = sessions.with_retention(retention);
        poll(hybrid(&if rules.bounds { sessions.with_bounds(bounds) } else { sessions }, script))
    } else if rules.stateless {
        let sessions = JwtSessions::new(ring(), policies).with_clock(clock);
        let sessions = if rules.bounds { sessions.with_bounds(bounds) } else { sessions };
        poll(stateless(&sessions, script, &store))
    } else {
        let sessions = Sessions::new(store, policies).with_clock(clock);
        let sessions = sessions.with_retention(retention);
        poll(opaque(&if rules.bounds { sessions.with_bounds(bounds) } else { sessions }, script))
    };
    let tape = tape.lock();
    assert_eq!(tape.heard, script.heard.len(), "a script is heard to its end");
    match (polled, tape.asked) {
        (Poll::Ready(outcome), None) => Next::Done(outcome),
        (Poll::Pending, Some(call)) => Next::Call(call),
        strange => panic!("a request waits for its store or is done: {strange:?}"),
    }
}

fn policy(rules: Rules, tight: bool) -> SessionPolicy {
    let secs = |secs: Sec| TimeDelta::seconds(secs.into());
    let [max_age, update_age, cap] = rules.of(tight).map(secs);
    SessionPolicy::new(max_age, update_age, cap)
        .and_then(|policy| policy.with_clock_skew(secs(rules.skew)))
        .expect("the rules make a policy")
}

fn poll<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

pub(super) fn updated(row: &Row, write: Write) -> Option<Row> {
    let mut names = Names::default();
    let lifetime =
        Lifetime::restore(at(row.created), at(write.renewed), at(write.expires), at(row.cap));
    let loaded = names.session(&Row { version: write.version, id: write.id, ..*row });
    let update = Update::new(&loaded, at(write.at), &lifetime.ok()?)
        .with_secret(names.secret(write.secret))
        .with_generation(write.generation.into(), write.confirmed.map(at));
    let updated = update.apply(&names.session(row))?;
    Some(names.row(&updated))
}

// The verbs.

async fn opaque(sessions: &Sessions<Scripted>, script: &Script) -> Outcome {
    let opened = |started: &Started| sessions.store().opened(started);
    match script.verb {
        Verb::Authenticate(token) => kept(token, sessions.authenticate(&text(token)).await),
        Verb::End(id) => ended(sessions.end(&name(id, None)).await.map(u64::from)),
        Verb::EndAll => ended(sessions.end_all(SUBJECT).await),
        Verb::List => listed(sessions.list(SUBJECT).await),
        Verb::Peek(token) => kept(token, sessions.peek(&text(token)).await),
        Verb::Rotate(token, _) => match sessions.authenticate(&text(token)).await {
            Ok(served) => rotated(sessions.rotate(&served.session).await, opened),
            refused => kept(token, refused),
        },
        Verb::Start(_, replaced) => {
            let sign_in = sign_in(&sessions.store().lock().names, replaced, script.epoch);
            started(sessions.start(sign_in).await, opened)
        }
        Verb::Sweep => ended(sessions.sweep(9).await),
    }
}

async fn hybrid(sessions: &HybridSessions<Scripted>, script: &Script) -> Outcome {
    let signed = |token: &SessionToken| read(token.expose(), &mut sessions.store().lock().names);
    let answered = |authenticated| outcome(authenticated, |token| Some(signed(token)));
    let opened = |started: &Started| signed(&started.token);
    match script.verb {
        Verb::Authenticate(token) => answered(sessions.authenticate(&mint(token)).await),
        Verb::End(id) => ended(sessions.end(&name(id, None)).await.map(u64::from)),
        Verb::EndAll => ended(sessions.end_all(SUBJECT).await),
        Verb::List => listed(sessions.list(SUBJECT).await),
        Verb::Peek(token) => answered(sessions.peek(&mint(token)).await),
        Verb::Rotate(token, _) => match sessions.authenticate(&mint(token)).await {
            Ok(served) => rotated(sessions.rotate(&served.session, NoClaims {}).await, opened),
            refused => answered(refused),
        },
        Verb::Start(_, replaced) => {
            let sign_in = sign_in(&sessions.store().lock().names, replaced, script.epoch);
            started(sessions.start(sign_in).await, opened)
        }
        Verb::Sweep => ended(sessions.sweep(9).await),
    }
}

async fn stateless(sessions: &JwtSessions, script: &Script, tape: &Scripted) -> Outcome {
    let signed = |token: &SessionToken| read(token.expose(), &mut tape.lock().names);
    let answered = |authenticated| outcome(authenticated, |token| Some(signed(token)));
    match script.verb {
        Verb::Authenticate(token) => answered(sessions.authenticate(&mint(token)).await),
        Verb::Peek(token) => answered(sessions.peek(&mint(token)).await),
        Verb::Start(..) => {
            let sign_in = sign_in(&Names::default(), None, script.epoch);
            started(sessions.start(sign_in).await, |started| signed(&started.token))
        }
        verb => panic!("there is no {verb:?} without a store"),
    }
}

fn listed(listed: Result<Vec<Session>, StoreError>) -> Outcome {
    listed.map_or(Outcome::Refused(Refusal::Store), |listed| Outcome::Listed(!listed.is_empty()))
}

fn ended(ended: Result<u64, StoreError>) -> Outcome {
    ended.map_or(Outcome::Refused(Refusal::Store), |count| Outcome::Ended(count > 0))
}

fn sign_in(names: &Names, replaced: Option<Id>, epoch: Option<u8>) -> SignIn {
    let sign_in = SignIn::of(SUBJECT);
    let sign_in = match epoch {
        Some(epoch) => sign_in.epoch(epoch.into()),
        None => sign_in,
    };
    let Some(id) = replaced else { return sign_in };
    // Of what is replaced, only the id is read.
    let row = Row {
        id,
        version: 0,
        created: 0,
        renewed: 0,
        expires: 0,
        cap: 0,
        secret: 0,
        epoch: None,
        ordinal: 0,
        generation: 0,
        confirmed: None,
    };
    sign_in.replacing(&names.session(&row))
}

fn started(started: Result<Started, StartError>, token: impl Fn(&Started) -> Token) -> Outcome {
    let refusal = match started {
        Ok(started) => return opens(&started, token),
        Err(StartError::Displaced) => Refusal::Displaced,
        Err(StartError::NotReplaced(_) | StartError::Store(_)) => Refusal::Store,
        Err(StartError::Raced) => Refusal::Raced,
        Err(StartError::Revoked) => Refusal::Revoked,
        Err(StartError::TooMany { .. }) => Refusal::TooMany,
        Err(_) => Refusal::Other,
    };
    Outcome::Refused(refusal)
}

fn rotated(rotated: Result<Started, RotateError>, token: impl Fn(&Started) -> Token) -> Outcome {
    match rotated {
        Ok(started) => opens(&started, token),
        Err(RotateError::Rejected { reason, .. }) => rejected(reason),
        Err(RotateError::Revoked) => Outcome::Refused(Refusal::Revoked),
        Err(RotateError::Store(_)) => Outcome::Refused(Refusal::Store),
        Err(RotateError::Unknown) => Outcome::Refused(Refusal::Unknown),
        Err(_) => Outcome::Refused(Refusal::Other),
    }
}

/// A new session, or one with another secret.
fn opens(started: &Started, token: impl Fn(&Started) -> Token) -> Outcome {
    Outcome::Served {
        at: sec(started.status.now),
        cookie: Some(cookie_ends(&started.status)),
        renewal: Renewal::Renewed,
        token: Some(token(started)),
    }
}

/// Of an opaque token, which the client keeps: it is sent none but the one that it
/// presented.
fn kept(presented: Token, authenticated: Result<Authenticated, AuthenticateError>) -> Outcome {
    let outcome = outcome(authenticated, |token| {
        assert_eq!(token.expose(), text(presented), "a renewal sends the same token");
        None
    });
    assert_ne!(outcome, Outcome::Refused(Refusal::Reused), "an opaque token has no generations");
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
        Err(AuthenticateError::Revoked) => return Outcome::Refused(Refusal::Revoked),
        Err(AuthenticateError::Store(_)) => return Outcome::Refused(Refusal::Store),
        Err(AuthenticateError::Unknown) => return Outcome::Refused(Refusal::Unknown),
        Err(AuthenticateError::WrongSecret) => return Outcome::Refused(Refusal::WrongSecret),
        Err(_) => return Outcome::Refused(Refusal::Other),
    };
    Outcome::Served {
        at: sec(served.status.now),
        cookie: served.token.as_ref().map(|_| cookie_ends(&served.status)),
        renewal: match served.renewal {
            RenewalOutcome::Deferred(_) => Renewal::Deferred,
            RenewalOutcome::NotDue => Renewal::None,
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

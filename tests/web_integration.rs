//! What a framework's integration is built on, without a framework.
#![cfg(all(feature = "jwt", feature = "memory"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use pollster::block_on;
use session_policy::jwt::{Algorithm, HybridSessions, KeyRing, SigningKey};
use session_policy::web::{Bearer, Carrier, Reason, Refused, SessionCookie, WebSessions};
use session_policy::{Clock, ManualClock, MemoryStore, SessionPolicy, Sessions, SystemClock};

fn carrier() -> Carrier {
    Carrier::either(SessionCookie::host("session"), Bearer::new())
}

/// Signs in; the header `Cookie` of the next request.
fn cookie(web: &WebSessions) -> String {
    let started = block_on(web.exchange().auth([], []).sign_in("ada")).unwrap();
    format!("__Host-session={}", started.token.as_ref().unwrap().expose())
}

#[test]
fn an_argument_asks_as_the_verbs_do() {
    let clock = ManualClock::new(SystemClock.now());
    let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::SLIDING_MONTH);
    let web = WebSessions::new(sessions.with_clock(clock.clone()), carrier()).unwrap();
    let cookie = cookie(&web);
    let bearer = cookie.replace("__Host-session=", "Bearer ");
    let minute = TimeDelta::minutes(1);

    let exchange = web.exchange();
    let active = block_on(exchange.active([cookie.as_bytes()], [])).unwrap();
    let auth = exchange.auth([cookie.as_bytes()], []);
    assert_eq!(block_on(auth.active()).unwrap().session.id(), active.session.id());
    let peeked = block_on(web.exchange().peeked([], [bearer.as_bytes()])).unwrap();
    assert_eq!(peeked.session.id(), active.session.id());
    assert!(block_on(exchange.reply([])).is_some(), "it was asked");

    clock.advance(minute - TimeDelta::seconds(1));
    assert!(block_on(web.exchange().fresh([cookie.as_bytes()], [], minute)).is_ok());
    clock.advance(TimeDelta::seconds(1));
    let refused = block_on(web.exchange().fresh([], [bearer.as_bytes()], minute)).unwrap_err();
    assert!(matches!(refused.reason(), Reason::NotFresh { within } if *within == minute));
    let challenge = r#"Bearer error="insufficient_user_authentication", max_age="60""#;
    assert_eq!(refused.www_authenticate().as_deref(), Some(challenge));
    let refused = block_on(web.exchange().fresh([], [], minute)).unwrap_err();
    assert!(matches!(refused.reason(), Reason::NoSession));
    assert_eq!(block_on(web.exchange().active([], [])).unwrap_err().as_str(), "no_session");
    assert_eq!(block_on(web.exchange().peeked([], [])).unwrap_err().as_str(), "no_session");
}

#[test]
fn what_is_polled_by_hand_is_the_reply() {
    let clock = ManualClock::new(SystemClock.now());
    let ring = KeyRing::new(SigningKey::secret("k", Algorithm::Hs256, [7; 32]).unwrap()).unwrap();
    let policy = SessionPolicy::SLIDING_MONTH;
    let sessions = HybridSessions::new(MemoryStore::new(), ring, policy).unwrap();
    let sessions = sessions.with_clock(clock.clone());
    let web = WebSessions::new(sessions.clone(), carrier()).unwrap();

    let untouched = web.exchange();
    assert!(untouched.look_again().is_none() && untouched.reply_now([]).is_none());
    for is_ended in [false, true] {
        let cookie = cookie(&web);
        clock.advance(policy.update_age());
        let exchange = web.exchange();
        let active = block_on(exchange.active([cookie.as_bytes()], [])).unwrap();
        if is_ended {
            assert!(block_on(sessions.end(&active.session.id())).unwrap());
        }
        block_on(exchange.look_again().unwrap());
        let reply = exchange.reply_now([]).unwrap();
        assert_eq!(reply.set_cookie.is_some(), !is_ended, "a token issued anew");
    }
}

#[test]
fn a_bearers_token_that_is_issued_anew_is_sent_in_the_header_of_that_name() {
    let clock = ManualClock::new(SystemClock.now());
    let ring = KeyRing::new(SigningKey::secret("k", Algorithm::Hs256, [7; 32]).unwrap()).unwrap();
    let policy = SessionPolicy::SLIDING_MONTH;
    let sessions = HybridSessions::new(MemoryStore::new(), ring, policy).unwrap();
    let sessions = sessions.with_clock(clock.clone());
    for (bearer, header) in [
        (Bearer::new(), None),
        (Bearer::new().reissued_in("x-session-token"), Some("x-session-token")),
    ] {
        let web = WebSessions::new(sessions.clone(), bearer).unwrap();
        let bearer = cookie(&web).replace("__Host-session=", "Bearer ");
        clock.advance(policy.update_age());
        let exchange = web.exchange();
        let active = block_on(exchange.active([], [bearer.as_bytes()])).unwrap();
        let token = active.token.as_ref().unwrap().expose();
        let reply = block_on(exchange.reply([])).unwrap();
        assert_eq!(reply.set_cookie, None);
        assert_eq!(reply.reissued, header.map(|name| (name.to_owned(), token.to_owned())));
    }
}

#[test]
fn a_sign_out_is_carried_out_although_nobody_waits_for_its_answer() {
    let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY);
    let web = WebSessions::new(sessions.clone(), carrier()).unwrap();
    let cookie = cookie(&web);
    let exchange = web.exchange();
    let auth = exchange.auth([cookie.as_bytes()], []);
    exchange.abandon();
    assert!(block_on(auth.rotate()).is_err());
    assert_eq!(block_on(sessions.list("ada")).unwrap().len(), 1);
    block_on(auth.sign_out()).unwrap();
    assert_eq!(block_on(sessions.list("ada")).unwrap().len(), 0);
}

#[test]
fn an_exchange_that_is_abandoned_ends_what_it_began() {
    let tasks = Arc::new(Mutex::new(Vec::new()));
    let spawned = Arc::clone(&tasks);
    let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY);
    let web = WebSessions::new(sessions.clone(), SessionCookie::host("session")).unwrap();
    let web = web.spawn_with(move |task| spawned.lock().unwrap().push(task));
    let run = || {
        let all = std::mem::take(&mut *tasks.lock().unwrap());
        all.into_iter().for_each(block_on);
    };
    let exchange = web.exchange();
    let (auth, abandoned) = (exchange.auth([], []), exchange.clone());
    std::thread::scope(|scope| {
        let signing_in = scope.spawn(|| block_on(auth.sign_in("ada")));
        while !signing_in.is_finished() {
            run();
        }
        assert!(signing_in.join().unwrap().is_ok());
    });
    assert_eq!(block_on(sessions.list("ada")).unwrap().len(), 1);
    abandoned.abandon();
    run();
    assert_eq!(block_on(sessions.list("ada")).unwrap().len(), 0, "nobody was sent its token");
    let late = block_on(auth.sign_in("ada")).unwrap_err();
    assert!(matches!(late.reason(), Reason::Misuse(_)));
    run();
    assert_eq!(block_on(sessions.list("ada")).unwrap().len(), 0);
}

#[test]
fn an_integration_says_what_is_missing_around_a_route() {
    let refused = Refused::misuse("there is no middleware");
    assert_eq!((refused.status(), refused.as_str()), (500, "failed"));
    assert_eq!(refused.to_string(), "refused: there is no middleware");
}

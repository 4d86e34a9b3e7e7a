//! What a refused request is answered with, and what is logged of it.
#![cfg(all(feature = "jwt", feature = "memory"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod web_store;

use std::error::Error;
use std::num::NonZeroU32;

use chrono::TimeDelta;
use pollster::block_on;
use session_policy::store::{SecretHash, SessionStore, Update};
use session_policy::web::{
    Auth, Bearer, Carrier, Refused, RequestHead, SessionCookie, WebSessions,
};
use session_policy::{Clock, ManualClock, Policies, SessionLimit, Sessions, WhenFull};

use web_store::{App, Directory, Kind, NAME, Store, clock, policy};

/// Takes cookies and bearers, and lets a subject have one session.
struct Site {
    web: WebSessions,
    store: Store,
    clock: ManualClock,
    directory: Directory,
}

impl Site {
    fn new() -> Self {
        let (store, clock, directory) = (Store::default(), clock(), Directory::default());
        let limit = SessionLimit::new(NonZeroU32::MIN, WhenFull::Refuse);
        let policies = Policies::new(policy()).with_limit("default", limit).unwrap();
        let sessions = Sessions::new(store.clone(), policies).with_clock(clock.clone());
        let carrier = Carrier::either(SessionCookie::host("session"), Bearer::new());
        let web = WebSessions::new(sessions.with_bounds(directory.clone()), carrier).unwrap();
        Self { web, store, clock, directory }
    }

    fn token(&self, subject: &str) -> String {
        let started = block_on(self.web.exchange().auth([], []).sign_in(subject)).unwrap();
        started.token.as_ref().unwrap().expose().to_owned()
    }

    fn auth(&self, token: &str, is_bearer: bool) -> Auth {
        let (bearer, cookie) = (format!("Bearer {token}"), format!("{NAME}={token}"));
        let exchange = self.web.exchange();
        if is_bearer {
            exchange.auth([], [bearer.as_bytes()])
        } else {
            exchange.auth([cookie.as_bytes()], [])
        }
    }
}

/// A request that is refused as this says.
fn refused(reason: &str, is_bearer: bool) -> Refused {
    let site = Site::new();
    let (token, minute) = (site.token("ada"), TimeDelta::minutes(1));
    let auth = site.auth(&token, is_bearer);
    match reason {
        "no_session" => block_on(site.auth("x", is_bearer).active()).map(drop),
        "idle" => {
            site.clock.advance(policy().max_age());
            block_on(auth.active()).map(drop)
        }
        "not_fresh" => {
            site.clock.advance(minute);
            block_on(auth.fresh(minute)).map(drop)
        }
        "revoked" => {
            site.directory.suspend(true);
            block_on(site.auth("x", is_bearer).sign_in("eve")).map(drop)
        }
        "too_many_sessions" => block_on(site.auth("x", is_bearer).sign_in("ada")).map(drop),
        "failed" => block_on(auth.sign_in("")).map(drop),
        "unavailable" => {
            site.store.fail(true);
            block_on(auth.active()).map(drop)
        }
        _ => unreachable!("{reason}"),
    }
    .unwrap_err()
}

#[test]
fn each_refusal_is_answered_as_its_table_says() {
    let (realm, over) = (r#"Bearer realm="session""#, r#"Bearer error="invalid_token""#);
    let not_fresh = r#"Bearer error="insufficient_user_authentication", max_age="60""#;
    for (reason, status, title, challenge, more, is_signed_out) in [
        ("no_session", 401, "Unauthorized", Some(realm), "", true),
        ("idle", 401, "Unauthorized", Some(over), "", true),
        ("not_fresh", 401, "Unauthorized", Some(not_fresh), r#","max_age":60"#, false),
        ("revoked", 401, "Unauthorized", Some(realm), "", false),
        ("too_many_sessions", 409, "Conflict", None, "", false),
        ("failed", 500, "Internal Server Error", None, "", false),
        ("unavailable", 503, "Service Unavailable", None, "", false),
    ] {
        for is_bearer in [false, true] {
            let refused = refused(reason, is_bearer);
            assert_eq!((refused.as_str(), refused.status()), (reason, status));
            // Browsers have no use for a challenge.
            let challenge = challenge.filter(|_| is_bearer);
            assert_eq!(refused.www_authenticate().as_deref(), challenge, "{reason}");
            assert_eq!(refused.retry_after(), (status == 503).then_some(5), "{reason}");
            assert_eq!(refused.is_signed_out(), is_signed_out, "{reason}");
            let problem = format!(
                r#"{{"type":"about:blank","title":"{title}","status":{status},"reason":"{reason}"{more}}}"#
            );
            assert_eq!(refused.problem(), problem);
        }
    }
}

#[test]
fn a_log_says_since_when_and_what_failed() {
    for (reason, said) in [
        ("no_session", "refused: no_session"),
        ("idle", "refused since 2027-01-15T08:30:00Z: idle for too long"),
        ("failed", "refused: subject is empty"),
        ("unavailable", "refused: the session store is unavailable"),
    ] {
        let refused = refused(reason, false);
        assert_eq!(refused.to_string(), said);
        let cause = if reason == "unavailable" { ": away" } else { "" };
        assert_eq!(format!("{refused:#}"), format!("{said}{cause}"));
        let source = refused.source().map(|source| format!("refused: {source}"));
        let has_source = ["failed", "unavailable"].contains(&reason);
        assert_eq!(source.as_deref(), has_source.then_some(said));
    }
}

/// Found when the request came in, and no longer there, or not to be written, when it is rotated.
#[test]
fn a_rotation_that_is_refused_says_why() {
    for (what, reason) in [
        ("ended", "no_session"),
        ("expired", "idle"),
        ("revoked", "no_session"),
        ("rotated", "no_session"),
        ("store", "unavailable"),
        ("bound", "unavailable"),
    ] {
        let site = Site::new();
        let auth = site.auth(&site.token("ada"), false);
        let served = block_on(auth.active()).unwrap();
        match what {
            "ended" => assert!(block_on(site.store.rows().remove(&served.session.id())).unwrap()),
            "expired" => site.clock.advance(policy().max_age()),
            "revoked" => site.directory.suspend(true),
            "rotated" => {
                let secret = SecretHash::of_secret(&[7; 32]);
                let (now, lifetime) = (site.clock.now(), served.session.lifetime());
                let update = Update::new(&served.session, now, lifetime).with_secret(secret);
                assert!(block_on(site.store.rows().update(&update)).unwrap());
            }
            "store" => site.store.fail(true),
            _ => site.directory.go_away(true),
        }
        let refused = block_on(auth.rotate()).unwrap_err();
        assert_eq!(refused.as_str(), reason, "{what}");
        assert_eq!(site.store.len(), usize::from(what != "ended"), "{what}");
    }
}

/// What would end the JSON's text is left out of it.
#[test]
fn a_mistake_is_told_as_text_of_the_json() {
    let refused = Refused::misuse("no \"layer\", C:\\routes,\nand so on");
    let problem: serde_json::Value = serde_json::from_str(&refused.problem()).unwrap();
    assert_eq!(problem["detail"], "no layer, C:routes,and so on");
    assert_eq!((&problem["status"], &problem["reason"]), (&500.into(), &"failed".into()));
}

#[test]
fn a_refusal_names_its_request() {
    let app = App::of(Kind::Opaque);
    let auth = || app.exchange().auth([], []);
    assert_eq!(block_on(auth().active()).unwrap_err().request(), None);
    for (accept, wants_html) in
        [(Some("text/html,*/*;q=0.8"), true), (Some("application/json"), false), (None, false)]
    {
        let head = RequestHead::new("GET", "/me?a=b", accept.map(str::as_bytes));
        assert_eq!(head.wants_html(), wants_html, "{accept:?}");
        let refused = block_on(auth().of(head.clone()).active()).unwrap_err();
        assert_eq!(refused.request(), Some(&head));
    }
}

/// Debug output is written to logs.
#[test]
fn what_is_logged_has_no_token_in_it() {
    let app = App::of(Kind::Opaque);
    let exchange = app.exchange();
    let head = RequestHead::new("GET", "/reset?token=secret", None);
    let auth = exchange.auth([], []).of(head.clone());
    let started = block_on(auth.sign_in("ada")).unwrap();
    let token = started.token.as_ref().unwrap().expose();
    let auth = app.exchange().auth([format!("{NAME}={token}").as_bytes()], []).of(head.clone());
    let reply = block_on(exchange.reply([])).unwrap();
    let secret = token.split('.').nth(1).unwrap();
    for (logged, says) in [
        (
            format!("{auth:?}"),
            r#"Auth { request: Some(RequestHead { method: "GET", path: "/reset""#,
        ),
        (format!("{exchange:?}"), "Exchange { .. }"),
        (format!("{head:?}"), r#"RequestHead { method: "GET", path: "/reset", accept: None }"#),
        (format!("{reply:?}"), "Reply { set_cookie: true, reissued: false }"),
        (format!("{:?}", app.web), "WebSessions { carrier: "),
        (
            format!("{:?}", Refused::misuse("no layer").of(head)),
            r#"Refused { reason: Misuse("no layer"), request: Some(RequestHead { method: "GET","#,
        ),
    ] {
        assert!(logged.starts_with(says), "{logged}");
        assert!(!logged.contains(secret) && !logged.contains("secret"), "{logged}");
    }
}

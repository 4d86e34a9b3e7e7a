//! Tokens after `Bearer`: what is served, what a refusal challenges with (RFC 6750, RFC
//! 9470), and where a token that is issued anew goes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use axum::Router;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, COOKIE, SET_COOKIE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, Request};
use axum::response::Response;
use axum::routing::get;
use chrono::TimeDelta;
use session_policy::NoClaims;
use session_policy::jwt::{HybridSessions, JwtSessions};
use session_policy::web::{
    Active, Auth, Bearer, Carrier, Refused, SessionCookie, SessionLayer, Strategy,
};
use session_policy::{Clock, ManualClock, MemoryStore, SessionPolicy, Sessions, SystemClock};
use tower::ServiceExt;

use support::{Client, ring, routes, text};

const HEADER: &str = "x-session-token";

fn clock() -> ManualClock {
    ManualClock::new(SystemClock.now())
}

/// Routes of which one lets caches have its answer, and one fails.
fn app(sessions: impl Strategy<Claims = NoClaims>, carrier: impl Into<Carrier>) -> Router {
    routes()
        .route("/public", get(async |_: Active| [(CACHE_CONTROL, "public, max-age=60")]))
        .route(
            "/fails",
            get(async |auth: Auth| {
                auth.active().await?;
                auth.sign_in("").await.map(drop)?;
                Ok::<_, Refused>(())
            }),
        )
        .layer(SessionLayer::new(sessions, carrier).unwrap())
}

/// With each of these headers `Authorization`, and this `Cookie`.
async fn ask(app: &Router, path: &str, authorization: &[&str], cookie: &str) -> Response {
    let mut request = Request::get(path);
    for value in authorization {
        request = request.header(AUTHORIZATION, *value);
    }
    if !cookie.is_empty() {
        request = request.header(COOKIE, cookie);
    }
    app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

fn challenge(headers: &HeaderMap) -> Option<&str> {
    headers.get(WWW_AUTHENTICATE).map(|value| value.to_str().unwrap())
}

/// RFC 6750 section 3: a parameter, and no error where no token was understood; RFC 9470
/// section 3.
#[tokio::test]
async fn a_refusal_challenges_as_the_rfcs_say() {
    let clock = clock();
    let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY);
    let app = app(sessions.with_clock(clock.clone()), Bearer::new());
    let token = text(Client::new(&app).get("/bearer").await).await;
    let good = &*format!("Bearer {token}");
    let realm = Some(r#"Bearer realm="session""#);
    for headers in [
        &[][..],
        &["Bearer"],
        &["Bearer junk"],
        &["Basic eDp5"],
        &[""],
        &["\u{fc}"],
        &[good, good],
        &[good, "Basic eDp5"],
    ] {
        let answer = ask(&app, "/me", headers, "").await;
        assert_eq!(
            (answer.status().as_u16(), challenge(answer.headers())),
            (401, realm),
            "{headers:?}"
        );
    }
    let answer = ask(&app, "/me", &[good], "").await;
    assert_eq!((answer.status().as_u16(), challenge(answer.headers())), (200, None));
    clock.advance(TimeDelta::seconds(900));
    let answer = ask(&app, "/fresh", &[good], "").await;
    let expected = r#"Bearer error="insufficient_user_authentication", max_age="900""#;
    assert_eq!((answer.status().as_u16(), challenge(answer.headers())), (401, Some(expected)));
    assert!(text(answer).await.ends_with(r#""reason":"not_fresh","max_age":900}"#));
    clock.advance(TimeDelta::days(1));
    let answer = ask(&app, "/me", &[good], "").await;
    let expected = r#"Bearer error="invalid_token""#;
    assert_eq!((answer.status().as_u16(), challenge(answer.headers())), (401, Some(expected)));
    assert!(answer.headers().get(SET_COOKIE).is_none());
}

#[tokio::test]
async fn other_credentials_beside_a_live_cookie_are_no_browser() {
    let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY);
    let either = Carrier::either(SessionCookie::host("session"), Bearer::new());
    let app = app(sessions, either);
    let mine = support::pair(&Client::new(&app).get("/in").await);
    for path in ["/me", "/group", "/peeked", "/out", "/rotate", "/maybe"] {
        let answer = ask(&app, path, &["Basic eDp5"], &mine).await;
        assert!(answer.headers().get(SET_COOKIE).is_none(), "{path}");
        let status = if path == "/out" || path == "/maybe" { 200 } else { 401 };
        assert_eq!(answer.status(), status, "{path}");
    }
    assert_eq!(ask(&app, "/me", &[], &mine).await.status(), 200);
    // Without bearers the header is somebody else's, such as a proxy's.
    let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY);
    let app = routes().layer(SessionLayer::new(sessions, SessionCookie::host("session")).unwrap());
    let mine = support::pair(&ask(&app, "/in", &["Basic eDp5"], "").await);
    let answer = ask(&app, "/me", &["Basic eDp5"], &mine).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(challenge(ask(&app, "/me", &["Basic eDp5"], "").await.headers()), None);
}

#[tokio::test]
async fn a_token_issued_anew_is_in_the_header_that_was_named_and_never_cached() {
    for named in [true, false] {
        let carrier = || if named { Bearer::new().reissued_in(HEADER) } else { Bearer::new() };
        let policy = SessionPolicy::WORKING_DAY;
        let clocks = [clock(), clock()];
        let hybrid = HybridSessions::new(MemoryStore::new(), ring(), policy).unwrap();
        let apps = [
            app(hybrid.with_clock(clocks[0].clone()), carrier()),
            app(JwtSessions::new(ring(), policy).with_clock(clocks[1].clone()), carrier()),
        ];
        for (app, clock) in apps.iter().zip(clocks) {
            for (path, status, stored) in [
                ("/public", 200, "public, max-age=60"),
                ("/me", 200, "no-store"),
                ("/fails", 500, "no-store"),
            ] {
                let token = text(Client::new(app).get("/bearer").await).await;
                let first = &*format!("Bearer {token}");
                let answer = ask(app, path, &[first], "").await;
                assert!(!answer.headers().contains_key(HEADER));
                assert_eq!(answer.headers()[CACHE_CONTROL], stored, "{path}");
                clock.advance(TimeDelta::minutes(15));
                let answer = ask(app, path, &[first], "").await;
                assert_eq!(answer.status(), status);
                assert!(!answer.headers().contains_key(SET_COOKIE));
                assert_eq!(answer.headers().contains_key(HEADER), named, "{path}");
                if let Some(next) = answer.headers().get(HEADER) {
                    assert!(next.is_sensitive());
                    assert_eq!(answer.headers()[CACHE_CONTROL], "no-store", "{path}");
                    let next = format!("Bearer {}", next.to_str().unwrap());
                    assert_ne!(next, first);
                    assert_eq!(ask(app, "/me", &[&next], "").await.status(), 200);
                } else {
                    assert_eq!(answer.headers()[CACHE_CONTROL], stored, "{path}");
                }
            }
        }
    }
}

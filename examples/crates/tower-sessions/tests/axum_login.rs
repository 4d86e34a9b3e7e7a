//! The axum-login application of the example, which knows nothing of the
//! adapter, over HTTP messages and by a clock that the test moves.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../examples/axum-login/app.rs"]
mod app;
#[path = "suite/common.rs"]
mod common;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use axum_login::AuthManagerLayerBuilder;
use axum_login::tower_sessions::{self, SessionManagerLayer};
use common::{CAP, Capped, POLICY, Probe, capped, secs};
use session_policy_tower_sessions::v0_14::{self as adapter, CappedStore};
use tower::ServiceExt;

/// The application, layered as in the example's `main.rs`.
fn layered(store: &Capped) -> Router {
    let sessions = SessionManagerLayer::new(store.clone()).with_expiry(store.expiry());
    let auth = AuthManagerLayerBuilder::new(app::Users::seeded(), sessions).build();
    app::routes().layer(store.layer()).layer(auth)
}

async fn send(app: &Router, method: &str, path: &str, cookie: &str, form: &str) -> Response<Body> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::COOKIE, cookie)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form.to_owned()))
        .unwrap();
    app.clone().oneshot(request).await.unwrap()
}

async fn sign_in(app: &Router, cookie: &str) -> Response<Body> {
    let form = "name=ferris&password=hunter42";
    let response = send(app, "POST", "/login", cookie, form).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    response
}

fn set_cookie(response: &Response<Body>) -> Option<&str> {
    response.headers().get(header::SET_COOKIE).map(|value| value.to_str().unwrap())
}

/// The `name=value` of a `Set-Cookie`.
fn pair(response: &Response<Body>) -> String {
    set_cookie(response).unwrap().split(';').next().unwrap().to_owned()
}

fn signed_out(response: &Response<Body>) -> bool {
    response.status() == StatusCode::TEMPORARY_REDIRECT
        && response.headers()[header::LOCATION] == "/login?next=%2F"
}

#[test]
fn the_application_and_the_example_are_as_the_tests_say() {
    let source = include_str!("../examples/axum-login/app.rs");
    assert!(!source.contains("session_policy") && !source.contains("tower_sessions::"));
    let main = include_str!("../examples/axum-login/main.rs");
    let lines =
        |text: &str| -> Vec<String> { text.lines().map(|line| line.trim().into()).collect() };
    let integration = main.split_once("// The integration.\n").unwrap().1;
    let integration = lines(integration.split_once("// End").unwrap().0);
    assert_eq!(integration.iter().filter(|line| !line.is_empty()).count(), 4);
    for line in &integration[1..2] {
        assert!(lines(include_str!("axum_login.rs")).contains(line), "{line}");
    }
}

#[tokio::test]
async fn a_working_day_ends_at_the_cap_with_the_cookie_re_sent_once_per_renewal() {
    let (store, probe, clock) = capped();
    let app = layered(&store);
    let response = sign_in(&app, "").await;
    let cookie = pair(&response);
    let attributes = "; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=";
    assert_eq!(set_cookie(&response).unwrap(), format!("{cookie}{attributes}1800"));
    for at in (60..CAP).step_by(60) {
        clock.advance(secs(60));
        let response = send(&app, "GET", "/", &cookie, "").await;
        assert_eq!(response.status(), StatusCode::OK, "at {at} s");
        let left = 1_800.min(CAP - at);
        let due = at % 300 == 0 && at <= CAP - 1_800;
        let expected = due.then(|| format!("{cookie}{attributes}{left}"));
        assert_eq!(set_cookie(&response), expected.as_deref(), "at {at} s");
    }
    assert_eq!(probe.saves(), 90);
    clock.advance(secs(59));
    assert_eq!(send(&app, "GET", "/", &cookie, "").await.status(), StatusCode::OK);
    clock.advance(secs(1));
    let response = send(&app, "GET", "/", &cookie, "").await;
    assert!(signed_out(&response));
    assert!(set_cookie(&response).unwrap().starts_with("id=; "), "the dead cookie is cleared");
    sign_in(&app, &cookie).await; // A new cap, under a new id.
}

#[tokio::test]
async fn an_idle_session_ends_to_the_second() {
    let (store, _, clock) = capped();
    let app = layered(&store);
    let cookie = pair(&sign_in(&app, "").await);
    clock.advance(secs(1_799));
    assert_eq!(send(&app, "GET", "/", &cookie, "").await.status(), StatusCode::OK);
    clock.advance(secs(1_799));
    assert_eq!(send(&app, "GET", "/", &cookie, "").await.status(), StatusCode::OK);
    clock.advance(secs(1_800));
    assert!(signed_out(&send(&app, "GET", "/", &cookie, "").await));
}

#[tokio::test]
async fn a_request_in_flight_survives_no_sign_out_and_sends_no_cookie() {
    let (here, probe, clock) = capped();
    let other: CappedStore<Probe, _> =
        CappedStore::with_clock(probe.clone(), POLICY, clock.clone());
    let (app, other_process) = (layered(&here), layered(&other));
    let cookie = pair(&sign_in(&app, "").await);
    clock.advance(secs(300));
    probe.close_gate();
    let in_flight = tokio::spawn({
        let (app, cookie) = (app.clone(), cookie.clone());
        async move { send(&app, "GET", "/", &cookie, "").await }
    });
    probe.until_one_waits().await;
    probe.open_gate();
    let response = send(&other_process, "POST", "/logout", &cookie, "").await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert!(set_cookie(&response).unwrap().starts_with("id=; "));
    probe.pass();
    probe.pass();
    let late = in_flight.await.unwrap();
    assert_eq!(late.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(set_cookie(&late), None);
    for app in [&app, &other_process] {
        assert!(signed_out(&send(app, "GET", "/", &cookie, "").await), "a stolen cookie, too");
    }
}

#[tokio::test]
async fn bad_cookies_and_passwords_get_in_nowhere() {
    let (store, _, _) = capped();
    let app = layered(&store);
    let huge = format!("id={}", "A".repeat(60_000));
    for cookie in ["id=", "id=AAAAAAAAAAAAAAAAAAAAAA", "id=..", &huge, ";;;=;"] {
        assert!(signed_out(&send(&app, "GET", "/", cookie, "").await), "{cookie:.40}");
    }
    for form in ["name=ferris&password=wrong", "name=nobody&password=hunter42"] {
        let response = send(&app, "POST", "/login", "", form).await;
        assert_eq!((response.status(), set_cookie(&response)), (StatusCode::UNAUTHORIZED, None));
    }
}

#[tokio::test]
async fn no_response_is_stored() {
    let (store, _, _) = capped();
    let app = layered(&store);
    let signed_in = sign_in(&app, "").await;
    let cookie = pair(&signed_in);
    for response in [
        signed_in,
        send(&app, "GET", "/", "", "").await,
        send(&app, "GET", "/", &cookie, "").await,
        send(&app, "GET", "/login", "", "").await,
        send(&app, "POST", "/logout", &cookie, "").await,
    ] {
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store", "{response:?}");
    }
}

#[tokio::test]
async fn another_origin_signs_nobody_in_or_out() {
    let (store, _, _) = capped();
    let app = layered(&store);
    let cookie = pair(&sign_in(&app, "").await);
    let post = async |path: &str, site| {
        let request = Request::post(path)
            .header(header::COOKIE, &cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", site)
            .body(Body::from("name=ferris&password=hunter42"))
            .unwrap();
        app.clone().oneshot(request).await.unwrap().status()
    };
    for site in ["cross-site", "same-site", "none"] {
        for path in ["/login", "/logout"] {
            assert_eq!(post(path, site).await, StatusCode::FORBIDDEN, "{path}, {site}");
        }
    }
    assert_eq!(send(&app, "GET", "/", &cookie, "").await.status(), StatusCode::OK);
    assert_eq!(post("/logout", "same-origin").await, StatusCode::SEE_OTHER);
}

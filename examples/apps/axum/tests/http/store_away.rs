//! The store goes away and comes back.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use session_policy_axum_app::sweep;
use tokio_util::sync::CancellationToken;

use crate::support::{Harness, app};

#[tokio::test]
async fn without_its_store_the_application_lets_nobody_in_and_recovers_by_itself() {
    let app = Harness::start().await;
    let mut client = app.signed_in("ada").await;
    let cookie = client.cookie.clone();
    app.advance(60);
    app.store.down.store(true, SeqCst);
    for path in ["/", "/devices", "/password", "/admin"] {
        let page = client.get(path).await;
        assert_eq!((page.status, page.header("retry-after")), (503, "5"), "{path}");
        assert!(!page.body.contains("ada"), "{path}");
    }
    let polled = client.get_json("/session").await;
    assert_eq!((polled.status, &polled.json()["reason"]), (503, &"unavailable".into()));
    assert_eq!(client.post("/sign-out", &[]).await.status, 503);
    assert_eq!(app.client().sign_in("ada", false).await.status, 503);
    assert_eq!(app.client().get("/sign-in").await.status, 200);
    assert_eq!(client.cookie, cookie, "nobody is signed out by an outage");

    app.store.down.store(false, SeqCst);
    assert_eq!(client.get("/").await.status, 200);
}

#[tokio::test]
async fn a_store_that_cannot_write_serves_valid_sessions_and_renews_them_later() {
    let app = Harness::start().await;
    let mut client = app.signed_in("ada").await;
    app.advance(60);
    app.store.read_only.store(true, SeqCst);
    let answer = client.get("/").await;
    assert_eq!((answer.status, answer.set_cookie()), (200, None));
    app.store.read_only.store(false, SeqCst);
    assert_eq!(client.get("/").await.status, 200);
    let status = client.get_json("/session").await.json();
    assert_eq!(status["idle_expires_at"], app.now() + 1_800);
    assert_eq!(app.store.renewals.load(SeqCst), 1);
}

#[tokio::test]
async fn the_health_endpoint_touches_no_session() {
    let app = Harness::start().await;
    let mut client = app.signed_in("ada").await;
    app.store.down.store(true, SeqCst);
    let calls = app.store.calls.load(SeqCst);
    let answer = client.get("/healthz").await;
    assert_eq!((answer.status, &*answer.body), (200, "ok"));
    assert_eq!(app.store.calls.load(SeqCst), calls);
}

#[tokio::test]
async fn the_sweep_goes_on_after_the_store_failed_and_ends_when_told_to() {
    let harness = Harness::start().await;
    harness.signed_in("ada").await;
    harness.advance(1_800 + 86_400); // The sweep leaves what has ended for a day.
    harness.store.down.store(true, SeqCst);
    let sessions = app(harness.store.clone(), &harness.clock).sessions().clone();
    let stop = CancellationToken::new();
    let calls = harness.store.calls.load(SeqCst);
    let sweeping = tokio::spawn(sweep(sessions, Duration::from_millis(5), stop.clone()));
    while harness.store.calls.load(SeqCst) < calls + 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(harness.store.held(), 1);
    harness.store.down.store(false, SeqCst);
    while harness.store.held() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(harness.store.swept.load(SeqCst), 1);
    stop.cancel();
    sweeping.await.unwrap();
}

//! Requests that run at the same time.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use session_policy_axum_app::session::{SignedIn, require_session};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::support::{Client, Harness, TestStore, app};

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_at_the_renewal_instant_writes_once_and_signs_nobody_out() {
    let app = Harness::start().await;
    let client = app.signed_in("ada").await;
    app.advance(60);
    // All hundred load the session before the first renewal is written.
    app.store.hold_renewals(100);
    let mut requests = JoinSet::new();
    for _ in 0..100 {
        let mut client = client.clone();
        requests.spawn(async move { client.get("/").await });
    }
    app.store.renewals_are_held(100).await;
    app.store.let_renewals_go();
    let answers = requests.join_all().await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    let cookies: Vec<_> = answers.iter().filter_map(|answer| answer.set_cookie()).collect();
    assert_eq!(cookies.len(), 1);
    assert!(cookies[0].contains(client.token()) && cookies[0].ends_with("; Max-Age=1800"));
    assert_eq!(app.store.renewals.load(SeqCst), 1);
    assert_eq!(client.clone().get("/").await.status, 200);
}

#[tokio::test]
async fn a_request_in_flight_does_not_bring_back_a_session_that_was_signed_out() {
    let app = Harness::start().await;
    let mut client = app.signed_in("ada").await;
    app.advance(60);
    app.store.hold_renewals(1);
    let mut late = client.clone();
    let late = tokio::spawn(async move { late.get("/").await });
    app.store.renewals_are_held(1).await;
    assert_eq!(client.clone().post("/sign-out", &[]).await.status, 303);
    app.store.let_renewals_go();
    let late = late.await.unwrap();
    assert_eq!((late.status, late.location()), (303, "/sign-in?reason=ended&next=/"));
    assert_eq!(late.set_cookie(), None);
    assert_eq!(client.get("/").await.status, 303);
    assert_eq!(app.store.held(), 0);
}

/// An application with a page that takes as long as the test likes.
async fn slow(finish: Arc<Notify>, reached: Arc<Notify>) -> (Client, Harness) {
    let harness = Harness::start().await;
    let web = app(Arc::clone(&harness.store), &harness.clock).web_sessions().clone();
    let page = move |signed_in: SignedIn| async move {
        reached.notify_one();
        finish.notified().await;
        signed_in.session.subject().to_owned()
    };
    let router: Router = Router::new()
        .route("/slow", get(page))
        .route_layer(from_fn_with_state(web, require_session));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::new(&format!("http://{}", listener.local_addr().unwrap()));
    tokio::spawn(axum::serve(listener, router).into_future());
    (client, harness)
}

#[tokio::test]
async fn a_slow_page_re_sends_no_cookie_of_a_session_that_ended_meanwhile() {
    let (finish, reached) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (mut client, app) = slow(Arc::clone(&finish), Arc::clone(&reached)).await;
    let mut user = app.signed_in("ada").await;
    client.cookie.clone_from(&user.cookie);
    app.advance(60);
    let late = tokio::spawn(async move { client.get("/slow").await });
    reached.notified().await;
    assert_eq!(app.store.renewals.load(SeqCst), 1);
    // A new sign-in in the same browser: the late answer must not oust its cookie.
    user.sign_in("ada", false).await;
    finish.notify_one();
    let late = late.await.unwrap();
    assert_eq!((late.status, &*late.body), (200, "ada"));
    assert_eq!(late.set_cookie(), None);
    assert_eq!(user.get("/").await.status, 200);
}

#[tokio::test]
async fn a_slow_page_re_sends_the_cookie_for_the_time_that_is_left_when_it_is_done() {
    let (finish, reached) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (mut client, app) = slow(Arc::clone(&finish), Arc::clone(&reached)).await;
    client.cookie = app.signed_in("ada").await.cookie;
    app.advance(60);
    let late = tokio::spawn(async move { client.get("/slow").await });
    reached.notified().await;
    app.advance(10);
    finish.notify_one();
    assert!(late.await.unwrap().set_cookie().unwrap().ends_with("; Max-Age=1790"));
}

#[tokio::test]
async fn an_extractor_outside_the_layer_serves_nobody() {
    let store = Arc::new(TestStore::default());
    let router: Router =
        Router::new().route("/", get(|s: SignedIn| async move { s.session.subject().to_owned() }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = Client::new(&format!("http://{}", listener.local_addr().unwrap()));
    tokio::spawn(axum::serve(listener, router).into_future());
    assert_eq!(client.get("/").await.status, 500);
    assert_eq!(store.calls.load(SeqCst), 0);
}

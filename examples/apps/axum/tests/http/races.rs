//! Requests that run at the same time.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use axum::Router;
use axum::extract::Path;
use axum::http::header::{HeaderValue, SET_COOKIE};
use axum::routing::get;
use reqwest::Method;
use session_policy::web::{Active, SessionCookie, SessionLayer, require};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::support::{Client, Harness, TestStore, app_under, policies_of_ten_years};

const DAY: i64 = 86_400;

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_at_the_renewal_instant_writes_once_sends_nothing_and_signs_nobody_out() {
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
    assert!(answers.iter().all(|answer| answer.set_cookie().is_none()));
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
    assert_eq!((late.status, late.location()), (303, "/sign-in?next=/"));
    assert_eq!(late.set_cookie(), None);
    assert_eq!(client.get("/").await.status, 303);
    assert_eq!(app.store.held(), 0);
}

#[tokio::test]
async fn of_two_requests_at_the_idle_end_the_refused_one_leaves_the_cookie_of_the_other() {
    let app = Harness::start().await;
    let mut client = app.signed_in("ada").await;
    app.advance(1_799);
    app.store.hold_renewals(1);
    let mut renewing = client.clone();
    let renewing = tokio::spawn(async move { renewing.get("/").await });
    app.store.renewals_are_held(1).await;
    app.advance(1);
    let refused = client.get("/").await;
    assert_eq!((refused.status, refused.location()), (303, "/sign-in?reason=idle&next=/"));
    assert_eq!(refused.set_cookie(), None);
    app.store.let_renewals_go();
    assert_eq!(renewing.await.unwrap().status, 200);
    assert_eq!(client.get("/").await.status, 200);
}

#[tokio::test]
async fn a_late_refusal_leaves_the_cookie_of_the_next_sign_in() {
    let app = Harness::start().await;
    let mut client = app.signed_in("root").await;
    app.advance(28_800);
    app.store.loads.hold(1);
    let mut late = client.clone();
    let late = tokio::spawn(async move { late.get("/").await });
    app.store.loads.held(1).await;
    assert_eq!(client.sign_in("root", false).await.status, 303);
    app.store.loads.let_go();
    let late = late.await.unwrap();
    // The sign-in has removed what was over.
    assert_eq!((late.status, late.location()), (303, "/sign-in?next=/"));
    assert_eq!(late.set_cookie(), None);
    assert_eq!(client.get("/").await.status, 200);
}

/// An application with a page that takes as long as the test likes, and one that sets a
/// cookie of its own, both of sessions that outlive any cookie.
async fn slow(finish: Arc<Notify>, reached: Arc<Notify>) -> (Client, Harness) {
    let harness = Harness::start_under(policies_of_ten_years()).await;
    let app = app_under(policies_of_ten_years(), Arc::clone(&harness.store), &harness.clock);
    let page = move |active: Active| async move {
        reached.notify_one();
        finish.notified().await;
        active.session.subject().to_owned()
    };
    let own = |Path(cookie): Path<String>| async move { [(SET_COOKIE, cookie)] };
    let layer = SessionLayer::new(app.sessions().clone(), SessionCookie::host("session")).unwrap();
    let router: Router = Router::new()
        .route("/own/{cookie}", get(own))
        .route("/slow", get(page))
        .route_layer(require())
        .layer(layer);
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
    app.advance(DAY);
    let late = tokio::spawn(async move { client.get("/slow").await });
    reached.notified().await;
    assert_eq!(app.store.renewals.load(SeqCst), 1, "it has a cookie to send");
    // A new sign-in in the same browser: the late answer must not oust its cookie.
    user.sign_in("ada", false).await;
    finish.notify_one();
    let late = late.await.unwrap();
    assert_eq!((late.status, &*late.body), (200, "ada"));
    assert_eq!(late.set_cookie(), None);
    assert_eq!(user.get("/").await.status, 200);
}

#[tokio::test]
async fn a_slow_page_re_sends_the_cookie_for_the_time_that_was_left_when_it_was_asked_for() {
    let (finish, reached) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (mut client, app) = slow(Arc::clone(&finish), Arc::clone(&reached)).await;
    let mut user = app.signed_in("ada").await;
    client.cookie.clone_from(&user.cookie);
    for _ in 0..9 {
        app.advance(364 * DAY);
        assert_eq!(user.get("/").await.status, 200);
    }
    app.advance(DAY);
    let late = tokio::spawn(async move { client.get("/slow").await });
    reached.notified().await;
    app.advance(10);
    finish.notify_one();
    let left = format!("; Max-Age={}", (3_653 - 3_277) * DAY);
    let late = late.await.unwrap();
    assert!(late.set_cookie().unwrap().ends_with(&left), "{:?}", late.set_cookie());
}

#[tokio::test]
async fn a_cookie_of_the_handlers_own_wins_if_it_has_the_name() {
    let (mut client, app) = slow(Arc::default(), Arc::default()).await;
    let user = app.signed_in("ada").await;
    for (own, is_alone) in [("__Host-session=own", true), ("__Host-session2=own", false)] {
        app.advance(DAY);
        client.cookie.clone_from(&user.cookie);
        let answer = client.request(Method::GET, &format!("/own/{own}")).send().await.unwrap();
        let set: Vec<_> = answer.headers().get_all(SET_COOKIE).iter().collect();
        assert!(set.contains(&&HeaderValue::from_static(own)), "{set:?}");
        assert_eq!(set.len(), if is_alone { 1 } else { 2 }, "{set:?}");
    }
}

#[tokio::test]
async fn an_extractor_outside_the_layer_serves_nobody() {
    let store = Arc::new(TestStore::default());
    let router: Router = Router::new()
        .route("/", get(|active: Active| async move { active.session.subject().to_owned() }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = Client::new(&format!("http://{}", listener.local_addr().unwrap()));
    tokio::spawn(axum::serve(listener, router).into_future());
    assert_eq!(client.get("/").await.status, 500);
    assert_eq!(store.calls.load(SeqCst), 0);
}

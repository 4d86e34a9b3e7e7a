//! Requests that run while a password changes.

use std::pin::pin;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc;
use std::task::{Context, Waker};

use axum::body::Body;
use axum::http::Request;
use tokio::sync::oneshot;
use tokio::task::{spawn_blocking, yield_now};
use tower::ServiceExt;

use crate::support::{Client, Harness, app, password_of};

/// The changes of Ada's password.
fn to(new: &str) -> [(&str, &str); 2] {
    [("current", password_of("ada")), ("new", new)]
}

/// Whether Ada can sign in with this password.
async fn opens(app: &Harness, password: &str) -> bool {
    let form = [("name", "ada"), ("password", password), ("next", "/")];
    app.client().post("/sign-in", &form).await.status == 303
}

#[tokio::test]
async fn a_sign_in_under_way_with_the_old_password_opens_nothing_after_its_change() {
    let app = Harness::start().await;
    let mut client = app.signed_in("ada").await;
    app.store.creations.hold(1);
    let mut thief = app.client();
    let late = tokio::spawn(async move { (thief.sign_in("ada", true).await.status, thief) });
    app.store.creations.held(1).await;
    assert_eq!(client.post("/password", &to("difference-engine-2")).await.status, 303);
    app.store.creations.let_go();
    let (status, mut thief) = late.await.unwrap();
    assert_eq!(status, 303);
    assert_eq!(thief.get("/").await.location(), "/sign-in?next=/");
    assert_eq!(thief.get_json("/session").await.status, 401);
    let devices = client.get("/devices").await;
    assert_eq!((devices.status, devices.body.matches("data-session=").count()), (200, 0));
}

#[tokio::test]
async fn a_sign_in_that_verified_the_old_password_before_its_change_is_refused_after_it() {
    let app = Harness::start().await;
    let mut client = app.signed_in("ada").await;
    let mut thief = app.signed_in("grace").await;
    // The session to be replaced is looked up once the password is verified.
    app.store.loads.hold(1);
    let late = tokio::spawn(async move { thief.sign_in("ada", true).await });
    app.store.loads.held(1).await;
    assert_eq!(client.post("/password", &to("difference-engine-2")).await.status, 303);
    app.store.loads.let_go();
    let late = late.await.unwrap();
    assert_eq!((late.status, late.set_cookie()), (422, None));
    assert!(late.body.contains("do not match"), "{}", late.body);
    assert_eq!(app.store.held(), 2);
    assert_eq!(client.get("/").await.status, 200);
}

#[tokio::test]
async fn every_device_is_signed_out_even_where_the_store_cannot_remove_its_session() {
    let app = Harness::start().await;
    let mut here = app.signed_in("ada").await;
    let mut there = app.signed_in("ada").await;
    app.store.creations.hold(1);
    let changing =
        tokio::spawn(
            async move { (here.post("/password", &to("difference-engine-2")).await, here) },
        );
    app.store.creations.held(1).await;
    app.store.down.store(true, SeqCst);
    app.store.creations.let_go();
    let (changed, mut here) = changing.await.unwrap();
    assert_eq!(changed.location(), "/sign-in?reason=new_password&next=/");
    assert_eq!(changed.set_cookie(), None);
    app.store.down.store(false, SeqCst);
    assert_eq!(there.get("/").await.location(), "/sign-in?next=/");
    assert_eq!(here.get("/").await.status, 303);
    assert!(opens(&app, "difference-engine-2").await);
}

#[tokio::test]
async fn a_change_after_which_no_session_can_be_started_says_so() {
    let app = Harness::start().await;
    let mut client = app.signed_in("ada").await;
    app.store.removals.hold(1);
    let changing =
        tokio::spawn(async move { client.post("/password", &to("difference-engine-2")).await });
    app.store.removals.held(1).await;
    app.store.down.store(true, SeqCst);
    app.store.removals.let_go();
    let changed = changing.await.unwrap();
    assert_eq!((changed.status, changed.set_cookie()), (303, None));
    assert_eq!(changed.location(), "/sign-in?reason=new_password&next=/");
    let page = app.client().get(changed.location()).await;
    assert!(page.body.contains("Sign in with the new one"), "{}", page.body);
    app.store.down.store(false, SeqCst);
    assert!(opens(&app, "difference-engine-2").await);
    assert!(!opens(&app, password_of("ada")).await);
}

#[tokio::test]
async fn of_two_changes_at_once_one_is_made_and_ends_the_session_of_the_other() {
    let app = Harness::start().await;
    let mut first = app.signed_in("ada").await;
    let mut second = app.signed_in("ada").await;
    app.store.removals.hold(1);
    let late =
        tokio::spawn(async move { second.post("/password", &to("difference-engine-1")).await });
    // Its session has ended; the password is yet to be replaced.
    app.store.removals.held(1).await;
    assert_eq!(first.post("/password", &to("difference-engine-2")).await.status, 303);
    app.store.removals.let_go();
    let late = late.await.unwrap();
    assert_eq!((late.status, late.location()), (303, "/sign-in?reason=ended&next=/"));
    assert_eq!(late.set_cookie(), None);
    assert_eq!(first.get("/").await.status, 200);
    assert!(opens(&app, "difference-engine-2").await);
    assert!(!opens(&app, "difference-engine-1").await);
}

/// A request of this client, for a router without a socket.
fn request(client: &Client, path: &str, body: &str) -> Request<Body> {
    Request::post(path)
        .header("cookie", client.cookie.as_deref().unwrap())
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.to_owned().into())
        .unwrap()
}

/// The change as a form.
fn change() -> String {
    format!("current={}&new=difference-engine-2", password_of("ada"))
}

#[tokio::test]
async fn a_client_that_hangs_up_during_the_change_leaves_no_other_device_signed_in() {
    let harness = Harness::start().await;
    let client = harness.signed_in("ada").await;
    let mut there = harness.signed_in("ada").await;
    let router = app(harness.store.clone(), &harness.clock).router().unwrap();
    harness.store.removals.hold(1);
    {
        let mut changing = pin!(router.oneshot(request(&client, "/password", &change())));
        tokio::select! {
            _ = &mut changing => panic!("it did not wait"),
            () = harness.store.removals.held(1) => {}
        }
    }
    harness.store.removals.let_go();
    // What is left of the change is run by this thread too, a turn each time.
    for _ in 0..100 {
        yield_now().await;
    }
    assert_eq!(there.get("/").await.status, 303);
    assert_eq!(harness.store.held(), 0, "nobody was sent the token of the new session");
}

#[test]
fn a_sign_out_while_the_new_password_is_hashed_stays_one() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let harness = Harness::start().await;
        let client = harness.signed_in("ada").await;
        let router = app(harness.store.clone(), &harness.clock).router().unwrap();
        // The one thread that hashes goes on only once it is told to: first it
        // stops before the check of the current password, then after it.
        let stop = || {
            let (reached, stopped) = oneshot::channel();
            let (go, gone) = mpsc::channel::<()>();
            spawn_blocking(move || {
                reached.send(()).unwrap();
                gone.recv().unwrap();
            });
            (stopped, go)
        };
        let (before, first_go) = stop();
        before.await.unwrap();
        let router_too = router.clone();
        let changing = request(&client, "/password", &change());
        let mut changing = Box::pin(router_too.oneshot(changing));
        // Up to the queue of the hashes: so far it waits for nothing else.
        for _ in 0..100 {
            assert!(changing.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        let changing = tokio::spawn(changing);
        let (after, second_go) = stop();
        first_go.send(()).unwrap();
        after.await.unwrap();
        yield_now().await;
        let signed_out = router.oneshot(request(&client, "/sign-out", "")).await.unwrap();
        assert_eq!(signed_out.headers()["location"], "/sign-in?reason=signed_out&next=/");
        second_go.send(()).unwrap();
        let changed = changing.await.unwrap().unwrap();
        assert_eq!(changed.headers()["location"], "/sign-in?reason=ended&next=/");
        assert!(!changed.headers().contains_key("set-cookie"));
        assert_eq!(harness.store.held(), 0);
        assert!(opens(&harness, password_of("ada")).await);
    });
}

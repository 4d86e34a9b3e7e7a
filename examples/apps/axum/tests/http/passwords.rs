//! Requests that run while a password changes.

use std::pin::pin;
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
async fn a_sign_in_under_way_with_the_old_password_ends_with_its_change() {
    let app = Harness::start().await;
    let mut client = app.signed_in("ada").await;
    app.store.creations.hold(1);
    let mut thief = app.client();
    let late = tokio::spawn(async move { thief.sign_in("ada", true).await });
    app.store.creations.held(1).await;
    assert_eq!(client.post("/password", &to("difference-engine-2")).await.status, 200);
    app.store.creations.let_go();
    let late = late.await.unwrap();
    assert_eq!((late.status, late.set_cookie()), (422, None));
    assert!(late.body.contains("do not match"), "{}", late.body);
    assert_eq!(app.store.held(), 1);
    assert_eq!(client.get("/").await.status, 200);
}

#[tokio::test]
async fn of_two_changes_at_once_one_is_made_and_the_other_is_told() {
    let app = Harness::start().await;
    let mut first = app.signed_in("ada").await;
    let mut second = app.signed_in("ada").await;
    app.store.rotations.hold(1);
    let late =
        tokio::spawn(async move { second.post("/password", &to("difference-engine-1")).await });
    // Its session has its new token; the password is yet to be replaced.
    app.store.rotations.held(1).await;
    assert_eq!(first.post("/password", &to("difference-engine-2")).await.status, 200);
    app.store.rotations.let_go();
    let late = late.await.unwrap();
    assert_eq!(late.status, 422);
    assert!(late.body.contains("the current password is wrong"), "{}", late.body);
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
    let router = app(harness.store.clone(), &harness.clock).router();
    harness.store.rotations.hold(1);
    {
        let mut changing = pin!(router.oneshot(request(&client, "/password", &change())));
        tokio::select! {
            _ = &mut changing => panic!("it did not wait"),
            () = harness.store.rotations.held(1) => {}
        }
    }
    harness.store.rotations.let_go();
    // What is left of the change is run by this thread too, a turn each time.
    for _ in 0..100 {
        yield_now().await;
    }
    assert_eq!(there.get("/").await.status, 303);
    assert_eq!(harness.store.held(), 1);
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
        let router = app(harness.store.clone(), &harness.clock).router();
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

//! Requests that run while a password changes.

use crate::support::{Harness, password_of};

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
    app.store.removals.hold(1);
    let late =
        tokio::spawn(async move { second.post("/password", &to("difference-engine-1")).await });
    // Its session has its new id; the password is yet to be replaced.
    app.store.removals.held(1).await;
    assert_eq!(first.post("/password", &to("difference-engine-2")).await.status, 200);
    app.store.removals.let_go();
    let late = late.await.unwrap();
    assert_eq!(late.status, 422);
    assert!(late.body.contains("the current password is wrong"), "{}", late.body);
    assert!(opens(&app, "difference-engine-2").await);
    assert!(!opens(&app, "difference-engine-1").await);
}

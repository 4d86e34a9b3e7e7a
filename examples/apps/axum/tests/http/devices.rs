//! The user's own sessions, and the change of a password.

use std::sync::atomic::Ordering::SeqCst;

use reqwest::Method;

use crate::support::{Harness, password_of};

const NEW_PASSWORD: &str = "difference-engine-2";

#[tokio::test]
async fn a_user_sees_and_ends_only_sessions_of_their_own() {
    let app = Harness::start().await;
    let mut here = app.signed_in("ada").await;
    let mut there = app.signed_in("ada").await;
    let mut grace = app.signed_in("grace").await;
    let page = here.get("/devices").await.body;
    assert!(page.contains("This device") && page.contains(there.session_id()));
    assert!(!page.contains(grace.session_id()));

    for id in [grace.session_id(), "no id"] {
        let foreign = here.post("/devices/end", &[("id", id)]).await;
        assert_eq!(foreign.location(), "/devices?notice=device-gone", "{id}");
        let question = here.get(&format!("/devices/end?id={id}")).await;
        assert_eq!(question.location(), "/devices?notice=device-gone", "{id}");
    }
    assert_eq!(grace.get("/").await.status, 200);

    let question = here.get(&format!("/devices/end?id={}", there.session_id())).await.body;
    assert!(question.contains("Sign out An unknown browser?"), "{question}");
    assert_eq!(there.get("/").await.status, 200, "a question ends nothing");

    let ended = here.post("/devices/end", &[("id", there.session_id())]).await;
    assert_eq!((ended.status, ended.location()), (303, "/devices?notice=device-signed-out"));
    assert!(here.get(ended.location()).await.body.contains("The device was signed out."));
    assert_eq!(there.get("/").await.location(), "/sign-in?next=/");
    // It is gone: said, and not a mistake.
    let again = here.post("/devices/end", &[("id", there.session_id())]).await;
    assert!(here.get(again.location()).await.body.contains("had already signed out"));
    assert_eq!(here.get("/").await.status, 200);

    let own = here.session_id().to_owned();
    let signed_out = here.post("/devices/end", &[("id", &own)]).await;
    assert_eq!(signed_out.location(), "/sign-in?reason=signed_out&next=/");
    assert_eq!(here.cookie, None);
}

#[tokio::test]
async fn a_device_is_known_by_its_browser_also_after_a_new_password() {
    let app = Harness::start().await;
    let mut client = app.client();
    let form = [("name", "ada"), ("password", password_of("ada")), ("next", "/")];
    let request = client.request(Method::POST, "/sign-in").header("user-agent", "Lynx <2>");
    assert_eq!(client.send(request.form(&form)).await.status, 303);
    let about = "<h2>Lynx &lt;2&gt; <span";
    assert!(client.get("/devices").await.body.contains(about));
    let form = [("current", password_of("ada")), ("new", NEW_PASSWORD)];
    assert_eq!(client.post("/password", &form).await.status, 303);
    assert!(client.get("/devices").await.body.contains(about));
}

#[tokio::test]
async fn a_sign_in_that_fails_leaves_the_session_that_there_was() {
    let app = Harness::start().await;
    let client = app.signed_in("ada").await;
    app.store.creations.hold(1);
    let mut again = client.clone();
    let again = tokio::spawn(async move { again.sign_in("ada", false).await });
    app.store.creations.held(1).await;
    app.store.down.store(true, SeqCst);
    app.store.creations.let_go();
    let again = again.await.unwrap();
    assert_eq!((again.status, again.set_cookie()), (503, None));
    app.store.down.store(false, SeqCst);
    assert_eq!(client.clone().get("/").await.status, 200);
}

#[tokio::test]
async fn ending_the_others_leaves_this_session_and_other_users_alone() {
    let app = Harness::start().await;
    let mut here = app.signed_in("ada").await;
    let mut others = [app.signed_in("ada").await, app.signed_in("ada").await];
    let mut grace = app.signed_in("grace").await;
    assert_eq!(here.get("/devices/end-others").await.status, 200);
    let ended = here.post("/devices/end-others", &[]).await;
    assert_eq!(ended.location(), "/devices?notice=others-signed-out&count=2");
    assert!(here.get(ended.location()).await.body.contains("2 other devices were signed out."));
    for other in &mut others {
        assert_eq!(other.get("/").await.status, 303);
    }
    assert_eq!(here.get("/").await.status, 200);
    assert_eq!(grace.get("/").await.status, 200);
}

#[tokio::test]
async fn a_new_password_starts_a_new_session_with_a_new_cap_and_ends_all_others() {
    let app = Harness::start().await;
    let mut here = app.signed_in("ada").await;
    let mut there = app.signed_in("ada").await;
    app.advance(600);
    let before = here.get_json("/session").await.json();
    let old = here.clone();
    let form = [("current", password_of("ada")), ("new", NEW_PASSWORD)];
    let changed = here.post("/password", &form).await;
    assert_eq!(changed.location(), "/password?notice=password-changed&count=1", "{}", changed.body);
    let page = here.get(changed.location()).await;
    assert!(page.body.contains("Your password is changed. One other device was signed out."));
    assert_ne!(here.token(), old.token());
    assert_ne!(here.session_id(), old.session_id());
    let after = here.get_json("/session").await.json();
    assert_eq!(before["absolute_expires_at"], app.now() - 600 + 28_800);
    assert_eq!(after["absolute_expires_at"], app.now() + 28_800, "the password was asked for");
    assert_eq!(app.store.held(), 1);
    assert_eq!(old.clone().get("/").await.status, 303);
    assert_eq!(there.get("/").await.status, 303);

    assert_eq!(app.client().sign_in("ada", false).await.status, 422, "the old password");
    let form = [("name", "ada"), ("password", NEW_PASSWORD), ("next", "/")];
    assert_eq!(app.client().post("/sign-in", &form).await.status, 303);
}

#[tokio::test]
async fn a_password_that_is_not_taken_changes_nothing() {
    let app = Harness::start().await;
    let mut here = app.signed_in("ada").await;
    let mut there = app.signed_in("ada").await;
    for (current, new, complaint) in [
        ("wrong", NEW_PASSWORD, "the current password is wrong"),
        (password_of("ada"), "too-short-by-1", "has 15 to 128 characters"),
        (password_of("ada"), &"x".repeat(129), "has 15 to 128 characters"),
        (password_of("ada"), password_of("ada"), "the new password is the old one"),
    ] {
        let answer = here.post("/password", &[("current", current), ("new", new)]).await;
        assert_eq!((answer.status, answer.set_cookie()), (422, None), "{complaint}");
        assert!(answer.body.contains(complaint), "{}", answer.body);
    }
    assert_eq!(there.get("/").await.status, 200);
    assert_eq!(app.client().sign_in("ada", false).await.status, 303);
}

#[tokio::test]
async fn a_wrong_name_and_a_wrong_password_look_alike() {
    let app = Harness::start().await;
    let attempt = |name| [("name", name), ("password", "wrong"), ("next", "/")];
    let wrong = app.client().post("/sign-in", &attempt("ada")).await;
    let unknown = app.client().post("/sign-in", &attempt("eve")).await;
    assert_eq!((wrong.status, unknown.status), (422, 422));
    let typed = |name| format!("value=\"{name}\"");
    assert_eq!(wrong.body.replace(&typed("ada"), &typed("eve")), unknown.body);
    assert_eq!(app.store.held(), 0);
}

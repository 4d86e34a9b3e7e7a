//! Both limits, to the second, and the status that does not extend.

use std::sync::atomic::Ordering::SeqCst;

use crate::support::Harness;

#[tokio::test]
async fn an_unused_session_ends_in_its_thousand_eight_hundredth_second() {
    let app = Harness::start().await;
    let mut client = app.signed_in("ada").await;
    app.advance(1_799);
    assert_eq!(client.clone().get_json("/session").await.status, 200);
    app.advance(1);
    let polled = client.clone().get_json("/session").await;
    assert_eq!((polled.status, &polled.json()["reason"]), (401, &"idle".into()));
    let page = client.get("/devices").await;
    assert_eq!((page.status, page.location()), (303, "/sign-in?reason=idle&next=/devices"));
}

#[tokio::test]
async fn an_active_session_ends_at_its_cap_to_the_second() {
    let app = Harness::start().await;
    let mut client = app.signed_in("ada").await;
    for _ in 0..479 {
        app.advance(60);
        assert_eq!(client.get("/").await.status, 200);
    }
    app.advance(59);
    let last = client.clone().get("/").await;
    assert_eq!(last.status, 200);
    app.advance(1);
    let polled = client.clone().get_json("/session").await;
    assert_eq!((polled.status, &polled.json()["reason"]), (401, &"absolute_cap".into()));
    assert_eq!(client.get("/").await.location(), "/sign-in?reason=absolute_cap&next=/");
}

#[tokio::test]
async fn polling_the_status_does_not_keep_a_session_alive() {
    let app = Harness::start().await;
    let mut client = app.signed_in("ada").await;
    let first = client.get_json("/session").await.json();
    for _ in 0..119 {
        app.advance(15);
        let answer = client.get_json("/session").await;
        assert_eq!((answer.status, answer.set_cookie()), (200, None));
        assert_eq!(answer.json()["idle_expires_at"], first["idle_expires_at"]);
        assert_eq!(answer.json()["now"], app.now());
    }
    app.advance(15);
    assert_eq!(client.get_json("/session").await.status, 401);
    assert_eq!(app.store.renewals.load(SeqCst), 0);
}

#[tokio::test]
async fn stay_signed_in_extends_the_idle_limit_and_never_the_cap() {
    let app = Harness::start().await;
    let mut client = app.signed_in("ada").await;
    let before = client.get_json("/session").await.json();
    app.advance(1_700);
    let extended = client.post("/session", &[]).await;
    assert_eq!(extended.status, 200);
    assert_eq!(extended.set_cookie(), None, "the cookie runs to the cap");
    assert_eq!(extended.json()["idle_expires_at"], app.now() + 1_800);
    assert_eq!(extended.json()["absolute_expires_at"], before["absolute_expires_at"]);
}

#[tokio::test]
async fn a_remembered_device_survives_the_night_and_an_everyday_session_does_not() {
    let app = Harness::start().await;
    let mut everyday = app.signed_in("ada").await;
    let mut remembered = app.client();
    remembered.sign_in("ada", true).await;
    app.advance(12 * 3_600);
    assert_eq!(everyday.get("/").await.status, 303);
    assert_eq!(remembered.get("/").await.status, 200);
    // Active every day, it still ends after 45 days.
    for day in 1..45 {
        app.advance(86_400);
        assert_eq!(remembered.get("/").await.status, 200, "day {day}");
    }
    app.advance(43_200);
    assert_eq!(remembered.get("/").await.location(), "/sign-in?reason=absolute_cap&next=/");
}

#[tokio::test]
async fn administration_asks_for_a_sign_in_within_fifteen_minutes() {
    let app = Harness::start().await;
    let mut ada = app.signed_in("ada").await;
    assert_eq!(ada.get("/admin").await.status, 403);
    assert_eq!(ada.post("/admin/end-all", &[("name", "grace")]).await.status, 403);

    let mut root = app.signed_in("root").await;
    app.advance(899);
    assert_eq!(root.get("/admin").await.status, 200);
    app.advance(1);
    let stale = root.get("/admin").await;
    assert_eq!((stale.status, stale.location()), (303, "/sign-in?reason=recent&next=/admin"));
    let ended = root.post("/admin/end-all", &[("name", "ada")]).await;
    assert_eq!(ended.location(), "/sign-in?reason=recent&next=/admin");
    assert_eq!(ada.get("/").await.status, 200);
    assert_eq!(root.get("/").await.status, 200);

    let old = root.clone();
    root.sign_in("root", false).await;
    assert_eq!(root.get("/admin").await.status, 200);
    assert_eq!(old.clone().get("/").await.status, 303, "a new sign-in ends the old session");
    let ended = root.post("/admin/end-all", &[("name", "ada")]).await;
    assert_eq!(ended.location(), "/admin?notice=user-signed-out&count=1");
    assert!(root.get(ended.location()).await.body.contains("One session was ended."));
    assert_eq!(ada.get("/").await.location(), "/sign-in?next=/");
    assert_eq!(root.get("/admin").await.status, 200);
}

//! Signing out, and what must not come back.

use std::time::Duration;

use crate::driver::Browser;

#[tokio::test]
async fn a_request_in_flight_in_one_tab_does_not_undo_the_sign_out_in_another() {
    let browser = Browser::signed_in("ada").await;
    let first = browser.driver.window().await.unwrap();
    let second = browser.driver.new_tab().await.unwrap();
    browser.driver.switch_to_window(second).await.unwrap();
    browser.goto("/").await;
    browser.app.advance(60);
    browser.app.store.hold_renewals(1);
    let script = "window.late = null; fetch('/devices').then(a => { window.late = a.url })";
    browser.driver.execute(script, vec![]).await.unwrap();
    browser.app.store.renewals_are_held(1).await;
    // This tab stays, to see what becomes of its request.
    browser.driver.execute("location.replace = () => {}", vec![]).await.unwrap();

    browser.driver.switch_to_window(first).await.unwrap();
    browser.press(".sign-out button").await;
    browser.until_signed_out("signed_out").await;
    browser.app.store.let_renewals_go();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(browser.cookie().await.is_none(), "the late answer set the cookie again");
    assert_eq!(browser.app.store.held(), 0);
    browser.goto("/").await;
    assert_eq!(browser.evaluate("location.pathname").await, "/sign-in");
}

#[tokio::test]
async fn a_cookie_that_was_copied_before_the_sign_out_opens_nothing_after_it() {
    let browser = Browser::signed_in("ada").await;
    let stolen = browser.cookie().await.unwrap();
    browser.press(".sign-out button").await;
    browser.until_signed_out("signed_out").await;
    assert!(browser.cookie().await.is_none());
    browser.driver.add_cookie(stolen.clone()).await.unwrap();
    assert_eq!(browser.cookie().await.unwrap().value, stolen.value);
    browser.goto("/devices").await;
    browser.until_signed_out("ended").await;
}

#[tokio::test]
async fn the_back_button_after_a_sign_out_shows_nothing_private() {
    let browser = Browser::signed_in("ada").await;
    browser.goto("/devices").await;
    let own = "Where you are signed in";
    assert!(browser.driver.source().await.unwrap().contains(own));
    browser.press(".sign-out button").await;
    browser.until_signed_out("signed_out").await;
    browser.driver.back().await.unwrap();
    browser.until("location.pathname === '/sign-in'").await;
    assert!(!browser.driver.source().await.unwrap().contains(own));
}

#[tokio::test]
async fn a_sign_in_leads_back_to_the_page_that_asked_for_it() {
    let browser = Browser::signed_in("ada").await;
    browser.goto("/password").await;
    browser.app.advance(1_800);
    browser.until_signed_out("idle").await;
    browser.fill_in("ada").await;
    browser.until("location.pathname === '/password'").await;
}

/// The page looks once an hour by itself: the event wakes its stream.
#[tokio::test]
async fn a_sign_out_from_another_device_takes_the_page_away_at_once() {
    let browser = Browser::looking_every(Duration::from_hours(1)).await;
    browser.sign_in("ada", false).await;
    browser.goto("/devices").await;
    let mut other = browser.app.signed_in("ada").await;
    let ended = other.post("/devices/end-others", &[]).await;
    assert_eq!(ended.location(), "/devices?notice=others-signed-out&count=1");
    browser.until_signed_out("ended").await;
}

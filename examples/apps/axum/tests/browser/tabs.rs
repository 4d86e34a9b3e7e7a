//! Several tabs of one browser.

use crate::driver::Browser;

#[tokio::test]
async fn both_tabs_warn_and_extending_in_one_puts_the_others_warning_away() {
    let browser = Browser::signed_in("ada").await;
    let first = browser.driver.window().await.unwrap();
    let second = browser.driver.new_tab().await.unwrap();
    browser.driver.switch_to_window(second.clone()).await.unwrap();
    browser.goto("/devices").await;
    browser.app.advance(1_700);
    browser.until("!document.querySelector('#late').hidden").await;
    browser.driver.switch_to_window(first).await.unwrap();
    browser.until("!document.querySelector('#late').hidden").await;
    browser.press("#extend").await;
    browser.until("document.querySelector('#late').hidden").await;
    browser.driver.switch_to_window(second).await.unwrap();
    browser.until("document.querySelector('#late').hidden").await;
    assert_eq!(browser.evaluate("location.pathname").await, "/devices");
}

#[tokio::test]
async fn eight_tabs_need_one_connection_and_the_end_reaches_all_with_its_reason() {
    let browser = Browser::signed_in("ada").await;
    for _ in 0..7 {
        let tab = browser.driver.new_tab().await.unwrap();
        browser.driver.switch_to_window(tab).await.unwrap();
        browser.goto("/password").await;
    }
    browser.app.advance(1_800);
    for tab in browser.driver.windows().await.unwrap() {
        browser.driver.switch_to_window(tab).await.unwrap();
        browser.until_signed_out("idle").await;
    }
}

#[tokio::test]
async fn a_sign_out_in_one_tab_takes_the_other_to_the_sign_in() {
    let browser = Browser::signed_in("ada").await;
    let first = browser.driver.window().await.unwrap();
    let second = browser.driver.new_tab().await.unwrap();
    browser.driver.switch_to_window(second).await.unwrap();
    browser.goto("/").await;
    browser.press(".sign-out button").await;
    browser.until_signed_out("signed_out").await;
    browser.driver.switch_to_window(first).await.unwrap();
    browser.until_signed_out("ended").await;
}

#[tokio::test]
async fn a_sign_in_as_somebody_else_replaces_what_the_other_tab_shows() {
    let browser = Browser::signed_in("ada").await;
    let first = browser.driver.window().await.unwrap();
    let second = browser.driver.new_tab().await.unwrap();
    browser.driver.switch_to_window(second).await.unwrap();
    browser.sign_in("grace", false).await;
    browser.driver.switch_to_window(first).await.unwrap();
    browser.until("document.body.innerText.includes('Hello, grace')").await;
}

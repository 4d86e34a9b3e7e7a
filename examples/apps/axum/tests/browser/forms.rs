//! What a form keeps, and where the focus is.

use thirtyfour::Key;

use crate::driver::Browser;
use crate::support::password_of;

#[tokio::test]
async fn after_a_mistyped_password_all_else_is_kept_and_the_focus_is_on_the_password() {
    let browser = Browser::start().await;
    browser.goto("/sign-in?next=/devices").await;
    assert_eq!(browser.evaluate("document.activeElement.name").await, "name");
    browser.type_two("ada", "mistyped").await;
    browser.type_in(Key::Tab).await;
    browser.type_in(" ").await;
    browser.press("main button").await;
    browser.until("document.querySelector('[role=alert]')").await;
    assert_eq!(browser.evaluate("document.activeElement.name").await, "password");
    assert_eq!(browser.evaluate("document.querySelector('[name=remember]').checked").await, true);
    assert_eq!(browser.evaluate("document.querySelector('[name=name]').value").await, "ada");
    browser.type_in(password_of("ada")).await;
    browser.type_in(Key::Enter).await;
    browser.until("location.pathname === '/devices'").await;
}

#[tokio::test]
async fn a_device_is_signed_out_after_a_question_and_a_reload_says_it_no_more() {
    let browser = Browser::signed_in("ada").await;
    let mut other = browser.app.signed_in("ada").await;
    browser.goto("/devices").await;
    let first = "document.querySelector('.devices li').innerText";
    let text = browser.evaluate(first).await;
    for words in ["Chrome on Linux", "Active now", "just now", "This device", "Sign out"] {
        assert!(text.as_str().unwrap().contains(words), "{text}");
    }
    assert_eq!(
        browser
            .evaluate("document.querySelector('main').innerText")
            .await
            .as_str()
            .unwrap()
            .matches("Sign out")
            .count(),
        2
    );

    browser.press("[data-confirm]").await;
    browser.until("document.querySelector('dialog[open]')").await;
    assert_eq!(browser.evaluate("document.activeElement.textContent").await, "Cancel");
    browser.type_in(Key::Escape).await;
    browser.until("!document.querySelector('dialog')").await;
    assert_eq!(other.get("/").await.status, 200);

    browser.press("[data-confirm]").await;
    browser.until("document.querySelector('dialog[open]')").await;
    browser.press("dialog .danger").await;
    browser
        .until("document.querySelector('.notice')?.innerText === 'The device was signed out.'")
        .await;
    assert_eq!(browser.evaluate("location.search").await, "");
    assert_eq!(other.get("/").await.status, 303);
    browser.driver.refresh().await.unwrap();
    browser.until("document.readyState === 'complete' && !document.querySelector('.notice')").await;
}

#[tokio::test]
async fn a_reload_after_a_change_of_the_password_changes_nothing_and_says_nothing_wrong() {
    let browser = Browser::signed_in("ada").await;
    browser.goto("/password").await;
    browser.submit_two(password_of("ada"), "difference-engine-2").await;
    browser
        .until(
            "document.querySelector('.notice')?.innerText.startsWith('Your password is changed.')",
        )
        .await;
    browser.driver.refresh().await.unwrap();
    browser.until("document.readyState === 'complete' && document.querySelector('h1')").await;
    assert_eq!(browser.evaluate("location.pathname").await, "/password");
    assert!(!browser.text().await.contains("Not changed"));
}

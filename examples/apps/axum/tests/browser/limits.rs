//! Sliding, the idle limit, the cap, and the warnings before both.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use thirtyfour::Key;

use crate::driver::Browser;
use crate::support::START;

#[tokio::test]
async fn the_browser_keeps_a_host_cookie_that_no_script_can_read() {
    let browser = Browser::signed_in("ada").await;
    let cookie = browser.cookie().await.unwrap();
    assert_eq!((cookie.secure, cookie.http_only), (Some(true), Some(true)));
    assert_eq!(cookie.path.as_deref(), Some("/"));
    assert_eq!(cookie.same_site, Some(thirtyfour::SameSite::Lax));
    assert_eq!(browser.evaluate("document.cookie").await, "");
}

#[tokio::test]
async fn activity_slides_the_session_at_most_once_a_minute_and_its_cookie_runs_to_the_cap() {
    let browser = Browser::signed_in("ada").await;
    let first = browser.cookie().await.unwrap();
    let cap = Browser::expiry_in(28_800);
    assert!((cap - 60..=cap).contains(&first.expiry.unwrap()), "{:?}", first.expiry);
    tokio::time::sleep(Duration::from_millis(1_500)).await;

    browser.app.advance(59);
    browser.goto("/").await;
    assert_eq!(browser.cookie().await.unwrap().expiry, first.expiry);
    assert_eq!(browser.status().await["idle_expires_at"], START + 1_800);

    browser.app.advance(1);
    browser.goto("/").await;
    let renewed = browser.cookie().await.unwrap();
    assert_eq!(renewed.expiry, first.expiry, "nothing was sent");
    assert_eq!(renewed.value, first.value);
    assert_eq!(browser.status().await["idle_expires_at"], START + 60 + 1_800);
    assert_eq!(browser.app.store.renewals.load(SeqCst), 1);
}

#[tokio::test]
async fn an_open_page_counts_down_by_itself_from_the_servers_time() {
    let browser = Browser::polling_every(Duration::from_hours(1)).await;
    browser.sign_in("ada", false).await;
    let calls = browser.app.store.calls.load(SeqCst);
    for left in ["29:58", "29:57", "29:56"] {
        let shown = "document.querySelector('dd [data-left=idle]').textContent";
        browser.until(&format!("{shown} === '{left}'")).await;
    }
    assert_eq!(browser.app.store.calls.load(SeqCst), calls);
}

#[tokio::test]
async fn an_open_page_polls_without_keeping_the_session_alive_and_says_why_it_ended() {
    let browser = Browser::signed_in("ada").await;
    browser.goto("/devices").await;
    for minutes in ["25:00", "20:00", "15:00", "10:00", "5:00"] {
        browser.app.advance(300);
        let shown = "document.querySelector('dd [data-left=idle]').textContent";
        browser.until(&format!("{shown} === '{minutes}'")).await;
    }
    assert_eq!(browser.app.store.renewals.load(SeqCst), 0);
    browser.app.advance(300);
    browser.until_signed_out("idle").await;
    assert!(browser.text().await.contains("because nothing was done for a while"));
    assert!(browser.driver.current_url().await.unwrap().as_str().ends_with("&next=%2Fdevices"));
}

#[tokio::test]
async fn the_idle_warning_takes_the_focus_and_one_key_extends() {
    let browser = Browser::signed_in("ada").await;
    browser.app.advance(1_679);
    browser
        .until("document.querySelector('dd [data-left=idle]').textContent.startsWith('2:0')")
        .await;
    browser.app.advance(10);
    browser.until("document.querySelector('#warn-idle').open").await;
    let warning = browser.evaluate("document.querySelector('#warn-idle').innerText").await;
    assert!(warning.as_str().unwrap().contains("You will be signed out in 1:"), "{warning}");
    assert_eq!(browser.evaluate("document.activeElement.textContent").await, "Stay signed in");
    assert_eq!(
        browser.evaluate("document.activeElement.closest('dialog').role").await,
        "alertdialog"
    );
    assert_eq!(browser.app.store.renewals.load(SeqCst), 0, "showing the warning extended");

    browser.type_in(Key::Enter).await;
    browser.until("!document.querySelector('#warn-idle').open").await;
    assert_eq!(browser.status().await["idle_expires_at"], START + 1_689 + 1_800);
    assert_eq!(browser.app.store.renewals.load(SeqCst), 1);
    let said = browser.evaluate("document.querySelector('#announcement').textContent").await;
    assert!(said.as_str().unwrap().starts_with("You stay signed in"), "{said}");
}

#[tokio::test]
async fn a_warning_that_was_put_away_stays_away_and_the_session_still_ends() {
    let browser = Browser::signed_in("ada").await;
    browser.app.advance(1_700);
    browser.until("document.querySelector('#warn-idle').open").await;
    browser.type_in(Key::Escape).await;
    browser.until("!document.querySelector('#warn-idle').open").await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(browser.evaluate("document.querySelector('#warn-idle').open").await, false);
    browser.app.advance(100);
    browser.until_signed_out("idle").await;
}

#[tokio::test]
async fn constant_activity_does_not_outlive_the_cap_and_the_page_says_so_in_time() {
    let browser = Browser::signed_in("ada").await;
    for _ in 0..16 {
        browser.app.advance(1_700);
        browser.goto("/").await;
    }
    browser.app.advance(1_290); // 28 490 s: 310 s before the cap.
    browser.goto("/").await;
    assert_eq!(browser.evaluate("document.querySelector('#warn-cap').open").await, false);
    browser.app.advance(20);
    browser.until("document.querySelector('#warn-cap').open").await;
    let warning = browser.evaluate("document.querySelector('#warn-cap').innerText").await;
    for words in ["Save your work", "whatever you do", "cannot be extended", "8 hours at most"] {
        assert!(warning.as_str().unwrap().contains(words), "{warning}");
    }
    assert_eq!(browser.evaluate("document.activeElement.textContent").await, "Understood");
    browser.type_in(Key::Enter).await;
    browser.until("!document.querySelector('#warn-cap').open").await;
    assert_eq!(browser.evaluate("document.querySelector('#warn-idle').open").await, false);
    for _ in 0..28 {
        browser.app.advance(10);
        browser.goto("/").await;
        assert_eq!(browser.evaluate("location.pathname").await, "/");
    }
    browser.app.advance(10);
    browser.until_signed_out("absolute_cap").await;
    assert!(browser.text().await.contains("however active it was"));
}

#[tokio::test]
async fn a_remembered_device_is_still_signed_in_the_next_day() {
    let browser = Browser::start().await;
    browser.sign_in("ada", true).await;
    let everyday = Browser::expiry_in(28_800);
    assert!(browser.cookie().await.unwrap().expiry.unwrap() > everyday + 44 * 86_400);
    browser.app.advance(86_400);
    browser.goto("/").await;
    assert!(browser.text().await.contains("Hello, ada"));
}

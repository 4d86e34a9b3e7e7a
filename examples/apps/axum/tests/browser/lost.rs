//! Answers that are lost on the way, clients that hang up, and a store that is away.

use std::sync::atomic::Ordering::SeqCst;

use crate::driver::Browser;
use crate::support::password_of;

/// The application has answered, and nobody has the cookie. The browser asks again by
/// itself, each time for another session. Those last until their idle limit.
#[tokio::test]
async fn after_a_lost_answer_to_the_sign_in_the_user_signs_in_once_more() {
    let (browser, proxy) = Browser::behind_proxy().await;
    browser.goto("/sign-in").await;
    proxy.lose("POST /sign-in");
    browser.fill_in("ada").await;
    browser.until("!document.querySelector('form')").await;
    assert!(proxy.lost() >= 1);
    assert!(!browser.keeps("__Host-session").await);
    let unseen = browser.app.store.held();
    assert_eq!(unseen, proxy.lost(), "the browser asks again by itself, on each open connection");
    proxy.lose_nothing();

    browser.sign_in("ada", false).await;
    browser.goto("/devices").await;
    assert_eq!(browser.app.store.held(), unseen + 1);
    let devices = "document.querySelectorAll('a[data-confirm]').length";
    assert_ne!(browser.evaluate(devices).await, 0);
    browser.app.advance(1_799);
    browser.goto("/").await;
    browser.app.advance(1);
    browser.goto("/devices").await;
    assert_eq!(browser.evaluate("location.pathname").await, "/devices");
    assert_eq!(browser.evaluate(devices).await, 0, "those that nobody holds have ended");
}

/// A change of the password rotates the secret. Its answer lost, the old cookie opens
/// nothing, and the user signs in again, with the new password.
#[tokio::test]
async fn after_a_lost_answer_to_a_change_of_the_password_the_new_one_signs_in() {
    let (browser, proxy) = Browser::behind_proxy().await;
    browser.sign_in("ada", false).await;
    browser.goto("/password").await;
    proxy.lose("POST /password");
    browser.submit_two(password_of("ada"), "quite another password").await;
    browser.until("!document.querySelector('[name=current]')").await;
    assert!(proxy.lost() >= 1);
    proxy.lose_nothing();

    browser.goto("/devices").await;
    browser.until("location.pathname === '/sign-in'").await;
    browser.submit_two("ada", "quite another password").await;
    browser.until("document.querySelector('#session')").await;
}

/// The answer to a sign-out is lost: the session has ended all the same, and the cookie that
/// is left opens nothing.
#[tokio::test]
async fn a_sign_out_whose_answer_is_lost_is_a_sign_out() {
    let (browser, proxy) = Browser::behind_proxy().await;
    browser.sign_in("ada", false).await;
    proxy.lose("POST /sign-out");
    browser.press(".sign-out button").await;
    browser.until("!document.querySelector('.sign-out')").await;
    assert!(proxy.lost() >= 1);
    assert_eq!(browser.app.store.held(), 0);
    assert!(browser.keeps("__Host-session").await);
    proxy.lose_nothing();
    browser.goto("/devices").await;
    browser.until_signed_out("ended").await;
}

/// The browser goes elsewhere while its sign-in waits for the store.
#[tokio::test]
async fn a_sign_in_that_the_browser_gives_up_leaves_no_session() {
    let browser = Browser::start().await;
    browser.goto("/sign-in").await;
    browser.app.store.creations.hold(1);
    let sign_in = format!(
        "window.gone = new AbortController(); fetch('/sign-in', {{ method: 'POST', signal: gone.signal,
            body: new URLSearchParams({{ name: 'ada', password: '{}', next: '/' }}) }}).catch(() => {{}})",
        password_of("ada")
    );
    browser.driver.execute(sign_in, vec![]).await.unwrap();
    browser.app.store.creations.held(1).await;
    browser.driver.execute("gone.abort()", vec![]).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    browser.app.store.creations.let_go();
    let since = std::time::Instant::now();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    while browser.app.store.held() > 0 {
        assert!(since.elapsed() < crate::driver::PATIENCE, "a session that nobody holds");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(browser.cookie().await.is_none());
    browser.sign_in("ada", false).await;
    assert_eq!(browser.app.store.held(), 1);
}

#[tokio::test]
async fn while_the_store_is_away_nobody_is_signed_out_and_then_all_goes_on() {
    let browser = Browser::signed_in("ada").await;
    let before = browser.cookie().await.unwrap();
    browser.app.store.down.store(true, SeqCst);
    browser.goto("/devices").await;
    assert_eq!(browser.evaluate("location.pathname").await, "/devices");
    let text = browser.text().await;
    assert!(!text.contains("Where you are signed in"), "{text}");
    assert_eq!(browser.cookie().await.unwrap().value, before.value);
    browser.app.store.down.store(false, SeqCst);
    browser.goto("/devices").await;
    assert!(browser.text().await.contains("Where you are signed in"));
    assert_eq!(browser.cookie().await.unwrap().value, before.value);
}

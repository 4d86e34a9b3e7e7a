//! Sliding, the idle limit, the cap, and what a page says before and after both.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use thirtyfour::Key;

use crate::driver::Browser;
use crate::support::START;

const IDLE_WARNING: &str =
    "document.querySelector('#warning').innerText.includes('You will be signed out in')";
const CAP_WARNING: &str =
    "document.querySelector('#warning').innerText.includes('whatever you do')";
const NO_WARNING: &str = "document.querySelector('#late').hidden";

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
    let browser = Browser::looking_every(Duration::from_hours(1)).await;
    browser.sign_in("ada", false).await;
    browser.until("document.querySelector('#left').textContent === '29:58'").await;
    let calls = browser.app.store.calls.load(SeqCst);
    for left in ["29:57", "29:56", "29:55"] {
        browser.until(&format!("document.querySelector('#left').textContent === '{left}'")).await;
    }
    assert_eq!(browser.app.store.calls.load(SeqCst), calls);
}

#[tokio::test]
async fn an_answer_that_was_overtaken_does_not_turn_the_countdown_back() {
    let browser = Browser::looking_every(Duration::from_hours(1)).await;
    browser.sign_in("ada", false).await;
    let old = browser.status().await;
    browser.app.advance(600);
    let look = "document.dispatchEvent(new Event('visibilitychange'))";
    browser.driver.execute(look, vec![]).await.unwrap();
    browser.until("document.querySelector('#left').textContent.startsWith('19:')").await;
    let tell = format!("new BroadcastChannel('session').postMessage({{ fresh: {old} }})");
    browser.driver.execute(tell, vec![]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let left = browser.evaluate("document.querySelector('#left').textContent").await;
    assert!(left.as_str().unwrap().starts_with("19:"), "{left}");
}

#[tokio::test]
async fn an_open_page_follows_the_countdown_without_keeping_the_session_alive() {
    let browser = Browser::signed_in("ada").await;
    browser.goto("/devices").await;
    for minutes in ["24:", "19:", "14:", "9:", "4:"] {
        browser.app.advance(305);
        let shown = "document.querySelector('#left').textContent";
        browser.until(&format!("{shown}.startsWith('{minutes}')")).await;
    }
    assert_eq!(browser.app.store.renewals.load(SeqCst), 0);
    browser.app.advance(300);
    browser.until_signed_out("idle").await;
    assert!(browser.text().await.contains("because nothing was done for a while"));
    assert!(browser.driver.current_url().await.unwrap().as_str().ends_with("&next=%2Fdevices"));
}

#[tokio::test]
async fn the_idle_warning_takes_no_key_from_whoever_types_and_typing_extends() {
    let browser = Browser::signed_in("ada").await;
    browser.goto("/password").await;
    browser.app.advance(1_690);
    browser.until(IDLE_WARNING).await;
    assert_eq!(browser.evaluate("document.activeElement.name").await, "current");
    assert_eq!(
        browser.evaluate("document.title").await.as_str().unwrap(),
        "2 minutes left – Password – Sessions"
    );
    assert_eq!(browser.app.store.renewals.load(SeqCst), 0, "showing the warning extended");
    let label = "document.querySelector('#warning').role === 'status'";
    assert_eq!(browser.evaluate(label).await, true, "it is read when there is time");
    assert_eq!(browser.evaluate("document.querySelector('dialog') === null").await, true);

    for keys in ["two ", "words and ", "a space "] {
        browser.type_in(keys).await;
    }
    let typed = "document.activeElement.value";
    assert_eq!(browser.evaluate(typed).await, "two words and a space ", "no key is lost");
    browser.until(NO_WARNING).await;
    assert_eq!(browser.status().await["idle_expires_at"], START + 1_690 + 1_800);
    assert_eq!(browser.app.store.renewals.load(SeqCst), 1, "once, however much is typed");
    browser.until("document.title === 'Password – Sessions'").await;
}

#[tokio::test]
async fn the_idle_warning_is_reached_by_keyboard_and_one_key_extends() {
    let browser = Browser::signed_in("ada").await;
    browser.app.advance(1_690);
    browser.until(IDLE_WARNING).await;
    // Backwards from the end of the page.
    browser.driver.execute("document.querySelector('#dismiss').focus()", vec![]).await.unwrap();
    browser
        .driver
        .action_chain()
        .key_down(Key::Shift)
        .send_keys(Key::Tab)
        .key_up(Key::Shift)
        .perform()
        .await
        .unwrap();
    assert_eq!(browser.evaluate("document.activeElement.textContent").await, "Stay signed in");
    browser.type_in(Key::Enter).await;
    browser.until(NO_WARNING).await;
    assert_eq!(browser.app.store.renewals.load(SeqCst), 1);
}

#[tokio::test]
async fn a_warning_that_was_hidden_stays_so_on_every_page_and_the_session_still_ends() {
    let browser = Browser::signed_in("ada").await;
    for _ in 0..16 {
        browser.app.advance(1_700);
        browser.goto("/").await;
    }
    browser.app.advance(1_320); // 280 s before the cap.
    browser.goto("/").await;
    browser.until(CAP_WARNING).await;
    browser.press("#dismiss").await;
    browser.until(NO_WARNING).await;
    for page in ["/devices", "/password", "/"] {
        browser.goto(page).await;
        browser.until("document.title.includes('left')").await;
        assert_eq!(browser.evaluate(NO_WARNING).await, true, "{page}");
    }
    browser.app.advance(280);
    browser.until_signed_out("absolute_cap").await;
    assert!(browser.text().await.contains("however active it was"));
}

#[tokio::test]
async fn signing_in_again_before_the_cap_keeps_what_is_typed() {
    let browser = Browser::signed_in("ada").await;
    for _ in 0..16 {
        browser.app.advance(1_700);
        browser.goto("/password").await;
    }
    browser.app.advance(1_400);
    browser.goto("/password").await;
    browser.type_in("half a password").await;
    browser.until(CAP_WARNING).await;
    let work = browser.driver.window().await.unwrap();
    browser.press("#again").await;
    let other = browser.driver.windows().await.unwrap().into_iter().find(|it| *it != work).unwrap();
    browser.driver.switch_to_window(other).await.unwrap();
    browser.until("document.activeElement.name === 'name'").await;
    browser.fill_in("ada").await;
    browser.until("document.querySelector('h1').innerText === 'You are signed in'").await;
    browser.driver.switch_to_window(work).await.unwrap();
    browser.until(NO_WARNING).await;
    assert_eq!(
        browser.evaluate("document.querySelector('[name=current]').value").await,
        "half a password"
    );
    assert_eq!(browser.status().await["absolute_expires_at"], browser.app.now() + 28_800);
    assert_eq!(browser.app.store.held(), 1, "the new session took the place of the old one");
}

/// A page that has three seconds left, and counts what it asks.
async fn late() -> Browser {
    let browser = Browser::looking_every(Duration::from_hours(1)).await;
    browser.sign_in("ada", false).await;
    browser.goto("/devices").await;
    browser.app.advance(1_797);
    let count = "window.asked = 0;
        const real = fetch;
        window.fetch = (...all) => { window.asked += 1; return real(...all) };
        document.dispatchEvent(new Event('visibilitychange'))";
    browser.driver.execute(count, vec![]).await.unwrap();
    browser.until("document.querySelector('#left').textContent.startsWith('0:0')").await;
    browser
}

impl Browser {
    async fn until_covered(&self) {
        self.until("document.querySelector('#cover').innerText.includes('cannot be reached')")
            .await;
        let text = self.text().await;
        assert!(!text.contains("Devices") && !text.contains("ada"), "{text}");
        assert_eq!(self.evaluate("document.activeElement.id").await, "cover");
        assert_eq!(self.evaluate("document.title").await, "Session over – Sessions");
        let asked = self.evaluate("window.asked").await.as_i64().unwrap();
        tokio::time::sleep(Duration::from_secs(4)).await;
        let more = self.evaluate("window.asked").await.as_i64().unwrap() - asked;
        assert!(more <= 1, "a failed poll a second");
    }
}

#[tokio::test]
async fn at_the_deadline_the_page_is_covered_also_where_the_server_is_gone() {
    let browser = late().await;
    browser.app.stop.cancel();
    browser.app.served.abort();
    browser.until_covered().await;
}

/// The driver's browser keeps no page for the back button, so the event is made up.
#[tokio::test]
async fn a_page_that_was_kept_for_the_back_button_shows_nothing_until_the_server_has_answered() {
    let browser = Browser::signed_in("ada").await;
    browser.app.store.down.store(true, SeqCst);
    let back = "dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }));
        dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))";
    browser.driver.execute(back, vec![]).await.unwrap();
    browser.until("document.querySelector('#cover').innerText.includes('cannot be reached')").await;
    assert!(!browser.text().await.contains("Hello"));
    browser.app.store.down.store(false, SeqCst);
    browser.press("#cover-retry").await;
    browser.until("document.querySelector('#cover').hidden").await;
    assert!(browser.text().await.contains("Hello, ada"));
}

#[tokio::test]
async fn a_covered_page_goes_to_the_sign_in_once_the_server_can_tell() {
    let browser = late().await;
    browser.app.store.down.store(true, SeqCst);
    browser.until_covered().await;
    browser.app.advance(10);
    browser.app.store.down.store(false, SeqCst);
    browser.press("#cover-retry").await;
    browser.until_signed_out("idle").await;
}

#[tokio::test]
async fn after_the_deadline_what_was_typed_comes_back_with_the_same_user_alone() {
    let browser = Browser::signed_in("ada").await;
    browser.goto("/password").await;
    browser.type_in("half a password").await;
    browser.app.advance(1_800);
    browser.until("document.querySelector('#cover').innerText.includes('is kept')").await;
    let work = browser.driver.window().await.unwrap();
    let second = browser.driver.new_tab().await.unwrap();
    browser.driver.switch_to_window(second.clone()).await.unwrap();
    browser.sign_in("ada", false).await;
    browser.driver.switch_to_window(work.clone()).await.unwrap();
    browser.until("document.querySelector('#cover').hidden").await;
    assert_eq!(
        browser.evaluate("document.querySelector('[name=current]').value").await,
        "half a password"
    );

    browser.driver.switch_to_window(second).await.unwrap();
    browser.sign_in("grace", false).await;
    browser.driver.switch_to_window(work).await.unwrap();
    browser.until("document.querySelector('.who').innerText === 'grace'").await;
    browser.until("document.querySelector('[name=current]').value === ''").await;
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

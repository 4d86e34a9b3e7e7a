//! Takes pictures of the pages, to be looked at: light and dark, wide and narrow.
//! What can be judged without eyes is: nothing is wider than the screen, all of a
//! page stands in a landmark, and a name for screen readers begins as what is seen.

use std::fs;
use std::path::Path;
use std::time::Duration;

use session_policy_axum_app::App;

use crate::driver::Browser;

const LOOKS: [(&str, &str, u32, u32); 4] = [
    ("light", "light", 1_100, 900),
    ("dark", "dark", 1_100, 900),
    ("light-narrow", "light", 360, 800),
    ("dark-narrow", "dark", 360, 800),
];

/// ARIA, "landmark regions": what a screen reader offers to jump to.
const OUTSIDE_OF_LANDMARKS: &str = "[...document.body.children]
    .filter(it => !it.matches('header, main, aside, dialog, script, a.skip'))
    .map(it => it.outerHTML)";
/// WCAG 2.5.3: who speaks the visible label reaches the control.
const NAMED_OTHERWISE: &str = "[...document.querySelectorAll('[aria-label]')]
    .filter(it => it.matches('a, button') && !it.ariaLabel.startsWith(it.innerText.trim()))
    .map(it => it.outerHTML)";

impl Browser {
    async fn pictures(&self, name: &str) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
        fs::create_dir_all(&folder).unwrap();
        for (look, scheme, width, height) in LOOKS {
            self.appear(scheme, width, height).await;
            tokio::time::sleep(Duration::from_millis(150)).await;
            let path = folder.join(format!("{name}-{look}.png"));
            self.driver.screenshot(&path).await.unwrap();
            assert!(fs::metadata(&path).unwrap().len() > 5_000, "{name}, {look}: an empty picture");
            let overflow =
                "document.documentElement.scrollWidth - document.documentElement.clientWidth";
            assert_eq!(self.evaluate(overflow).await, 0, "{name}, {look}: wider than the screen");
        }
        self.appear("light", 1_100, 900).await;
        for (what, found) in [
            ("outside of a landmark", OUTSIDE_OF_LANDMARKS),
            ("named otherwise than it looks", NAMED_OTHERWISE),
        ] {
            assert_eq!(self.evaluate(found).await, serde_json::json!([]), "{name}: {what}");
        }
    }
}

#[tokio::test]
async fn every_page_fits_wide_and_narrow_screens_in_light_and_dark() {
    let browser = Browser::start().await;
    browser.goto("/sign-in").await;
    browser.pictures("sign-in").await;
    browser.sign_in("root", false).await;
    browser.pictures("account").await;
    browser.app.signed_in("ada").await;
    browser.goto("/admin").await;
    browser.pictures("admin").await;
    browser.goto("/password").await;
    browser.pictures("password").await;
    browser.sign_in("ada", true).await;
    browser.goto("/devices").await;
    browser.pictures("devices").await;
    browser.sign_in("ada", false).await;
    browser.app.advance(1_700);
    browser.until("document.querySelector('#warn-idle').open").await;
    browser.pictures("warning-idle").await;
    browser.app.advance(100);
    browser.until_signed_out("idle").await;
    browser.pictures("expired").await;
    browser.sign_in("ada", false).await;
    for _ in 0..17 {
        browser.app.advance(1_690);
        browser.goto("/").await;
    }
    browser.until("document.querySelector('#warn-cap').open").await;
    browser.pictures("warning-cap").await;
}

#[tokio::test]
async fn the_note_on_plain_http_fits_too() {
    let browser = Browser::start_with(App::for_plain_http).await;
    browser.goto("/sign-in").await;
    let note = "document.querySelector('.development').innerText.includes('neither Secure')";
    assert_eq!(browser.evaluate(note).await, true);
    browser.pictures("plain-http").await;
}

//! Takes pictures of the pages, to be looked at: light, dark and in forced colours, wide
//! and narrow. What can be judged without eyes is: nothing is wider than the screen, and
//! axe-core finds nothing, if it is there: `AXE` names its `axe.min.js`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use session_policy_axum_app::App;

use crate::driver::Browser;
use crate::support::policies_with_limit;

const LOOKS: [(&str, &str, u32, u32); 7] = [
    ("light", "light", 1_280, 900),
    ("dark", "dark", 1_280, 900),
    ("light-340", "light", 340, 800),
    ("dark-340", "dark", 340, 800),
    ("light-320", "light", 320, 640),
    // As at 200 % in a window of 1280 by 900.
    ("zoomed", "light", 640, 450),
    ("forced", "forced", 1_280, 900),
];

/// ARIA, "landmark regions": what a screen reader offers to jump to.
const OUTSIDE_OF_LANDMARKS: &str = "[...document.body.children]
    .filter(it => !it.matches('header, main, footer, aside, [role=main], dialog, script, a.skip'))
    .map(it => it.outerHTML)";
/// WCAG 2.5.3: who speaks the visible label reaches the control.
const NAMED_OTHERWISE: &str = "[...document.querySelectorAll('[aria-label]')]
    .filter(it => it.matches('a, button') && !it.ariaLabel.startsWith(it.innerText.trim()))
    .map(it => it.outerHTML)";
/// What stands beyond its own box, such as a word that is cut off.
const CLIPPED: &str = "[...document.querySelectorAll('main *, footer *, header *')]
    .filter(it => it.offsetParent && !it.matches('.visually-hidden, .visually-hidden *'))
    .filter(it => it.getBoundingClientRect().right > innerWidth + 1)
    .map(it => it.outerHTML.slice(0, 200))";

impl Browser {
    async fn pictures(&self, name: &str) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
        fs::create_dir_all(&folder).unwrap();
        for (look, scheme, width, height) in LOOKS {
            self.appear(scheme, width, height).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
            let path = folder.join(format!("{name}-{look}.png"));
            self.driver.screenshot(&path).await.unwrap();
            assert!(fs::metadata(&path).unwrap().len() > 3_000, "{name}, {look}: an empty picture");
            let overflow =
                "document.documentElement.scrollWidth - document.documentElement.clientWidth";
            assert_eq!(self.evaluate(overflow).await, 0, "{name}, {look}: wider than the screen");
            assert_eq!(self.evaluate(CLIPPED).await, json!([]), "{name}, {look}: clipped");
            if scheme != "forced" && width != 340 {
                self.judge_by_axe(&format!("{name}, {look}")).await;
            }
        }
        self.appear("light", 1_280, 900).await;
        for (what, found) in [
            ("outside of a landmark", OUTSIDE_OF_LANDMARKS),
            ("named otherwise than it looks", NAMED_OTHERWISE),
        ] {
            assert_eq!(self.evaluate(found).await, json!([]), "{name}: {what}");
        }
    }

    async fn judge_by_axe(&self, what: &str) {
        let Ok(axe) = std::env::var("AXE") else { return };
        let script = fs::read_to_string(axe).unwrap();
        self.driver.execute(script, vec![]).await.unwrap();
        let run = "const done = arguments[0];
            axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
                .then(it => done(it.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html + ' ' + n.failureSummary).join('; '))),
                      error => done([String(error)]))";
        let found = self.driver.execute_async(run, vec![]).await.unwrap();
        assert_eq!(found.json(), &json!([]), "{what}");
    }
}

#[tokio::test]
async fn every_page_fits_wide_and_narrow_screens_in_light_dark_and_forced_colours() {
    if std::env::var_os("AXE").is_none() {
        eprintln!("NOT JUDGED BY AXE: set AXE to the path of axe-core's axe.min.js");
    }
    let browser = Browser::start().await;
    browser.goto("/sign-in").await;
    browser.pictures("sign-in").await;
    browser.submit_two("ada", "mistyped").await;
    browser.until("document.querySelector('[role=alert]')").await;
    browser.pictures("sign-in-mistyped").await;
    browser.sign_in("root", false).await;
    browser.pictures("account").await;
    browser.app.signed_in("ada").await;
    browser.goto("/admin").await;
    browser.pictures("admin").await;
    browser.goto("/password?notice=password-changed&count=2").await;
    browser.pictures("password").await;
    browser.goto("/nowhere").await;
    browser.pictures("not-found").await;

    browser.app.advance(180);
    browser.app.devices_of("ada").await;
    browser.app.advance(400);
    browser.sign_in("ada", true).await;
    browser.goto("/devices").await;
    browser.pictures("devices").await;
    browser.press("[data-confirm]").await;
    browser.until("document.querySelector('dialog[open]')").await;
    browser.pictures("devices-question").await;
}

#[tokio::test]
async fn the_warnings_and_the_cover_fit_too() {
    let browser = Browser::signed_in("ada").await;
    browser.goto("/password").await;
    browser.app.advance(1_700);
    browser.until("!document.querySelector('#late').hidden").await;
    browser.pictures("warning-idle").await;
    browser.type_in("typed").await;
    browser.until("document.querySelector('#late').hidden").await;
    browser.app.advance(1_800);
    browser.until("document.querySelector('#cover').innerText.includes('is kept')").await;
    browser.pictures("cover").await;
    browser.sign_in("ada", false).await;
    for _ in 0..17 {
        browser.app.advance(1_680);
        browser.goto("/").await;
    }
    browser.until("!document.querySelector('#late').hidden").await;
    browser.pictures("warning-cap").await;
    browser.app.advance(1_800);
    browser.until_signed_out("absolute_cap").await;
    browser.pictures("expired").await;
}

#[tokio::test]
async fn too_many_devices_and_the_note_on_plain_http_fit_too() {
    let browser = Browser::start_under(policies_with_limit(2), App::for_plain_http).await;
    browser.app.devices_of("ada").await;
    browser.app.advance(900);
    browser.goto("/sign-in").await;
    let note = "document.querySelector('.development').innerText.includes('neither Secure')";
    assert_eq!(browser.evaluate(note).await, true);
    browser.pictures("plain-http").await;
    browser.fill_in("ada").await;
    browser.until("document.querySelector('h1').innerText === 'Too many devices'").await;
    browser.pictures("too-many").await;
}

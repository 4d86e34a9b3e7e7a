//! Everything but the live countdown works without a script.

use std::time::{Duration, Instant};

use serde_json::json;
use thirtyfour::By;

use crate::driver::{Browser, PATIENCE};
use crate::support::password_of;

#[tokio::test]
async fn without_a_script_a_user_signs_in_signs_a_device_out_and_sees_both_deadlines() {
    let browser = Browser::without_script().await;
    browser.app.signed_in("ada").await;
    browser.goto("/").await;
    browser.sign_in_without_script("ada").await;
    // 1 800 000 000 is 15 January 2027, 08:00.
    for words in ["ends at 08:30 UTC without activity", "by 16:00 UTC in any case"] {
        browser.until_read("#session", words).await;
    }
    let line = browser.field("#session").await.text().await.unwrap();
    assert!(!line.contains("0:00 ") && !line.contains("29:"), "{line}");
    browser.goto("/devices").await;
    browser.until_read("main", "This device").await;
    browser.press("[data-confirm]").await;
    browser.until_read("h1", "Sign out An unknown browser?").await;
    browser.press(".danger").await;
    browser.until_read(".notice", "The device was signed out.").await;
    browser.press(".sign-out button").await;
    browser.until_read("main", "You are signed out.").await;
    browser.goto("/").await;
    browser.until_read("h1", "Sign in").await;
}

#[tokio::test]
async fn without_a_script_a_page_is_left_at_its_deadline_without_extending_the_session() {
    let browser = Browser::without_script().await;
    browser.goto("/").await;
    browser.sign_in_without_script("ada").await;
    browser.until_read("h1", "Hello, ada").await;
    let source = browser.driver.source().await.unwrap();
    assert!(source.contains("content=\"1800;url=/session?next=/\""), "{source}");
    browser.goto("/session?next=/devices").await;
    browser.until_read("h1", "You are signed in").await;
    browser.app.advance(1_800);
    browser.goto("/session?next=/devices").await;
    browser.until_read("#reason", "nothing was done for a while").await;
}

impl Browser {
    async fn without_script() -> Self {
        let browser = Self::start().await;
        let off = json!({ "value": true });
        browser.driver.cdp().send_raw("Emulation.setScriptExecutionDisabled", off).await.unwrap();
        browser
    }

    async fn field(&self, css: &'static str) -> thirtyfour::WebElement {
        self.driver.find(By::Css(css)).await.unwrap()
    }

    async fn sign_in_without_script(&self, name: &str) {
        self.field("[name=name]").await.send_keys(name).await.unwrap();
        self.field("[name=password]").await.send_keys(password_of(name)).await.unwrap();
        self.press("main button").await;
        self.until_read("#session", "ends at").await;
    }

    /// Waits until a part of the page, which may still be the one before, reads
    /// so. Asks the driver: the page runs no script.
    async fn until_read(&self, selector: &'static str, words: &str) {
        let since = Instant::now();
        let mut text = String::new();
        while !text.contains(words) {
            assert!(since.elapsed() < PATIENCE, "`{words}` is not in {selector}: {text}");
            if let Ok(part) = self.driver.find(By::Css(selector)).await {
                text = part.text().await.unwrap_or_default();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

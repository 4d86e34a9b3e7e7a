//! Everything but the live countdown works without a script.

use std::time::{Duration, Instant};

use serde_json::json;
use thirtyfour::By;

use crate::driver::{Browser, PATIENCE};

#[tokio::test]
async fn without_a_script_a_user_signs_in_sees_both_deadlines_and_signs_out() {
    let browser = Browser::start().await;
    let off = json!({ "value": true });
    browser.driver.cdp().send_raw("Emulation.setScriptExecutionDisabled", off).await.unwrap();
    browser.goto("/").await;
    let field = async |css| browser.driver.find(By::Css(css)).await.unwrap();
    field("[name=name]").await.send_keys("ada").await.unwrap();
    field("[name=password]").await.send_keys(crate::support::password_of("ada")).await.unwrap();
    browser.press("main button").await;
    // 1 800 000 000 is 15 January 2027, 08:00.
    for words in ["15 Jan 2027, 08:30 UTC", "15 Jan 2027, 16:00 UTC", "Without JavaScript"] {
        browser.until_read("#countdown", words).await;
    }
    assert!(!field("#countdown").await.text().await.unwrap().contains("0:00"));
    browser.goto("/devices").await;
    browser.until_read("main", "this device").await;
    browser.press(".sign-out button").await;
    browser.until_read("main", "You are signed out.").await;
    browser.goto("/").await;
    browser.until_read("h1", "Sign in").await;
}

impl Browser {
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

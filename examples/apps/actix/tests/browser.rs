//! The API from a real Chromium: what it does with the cookie by itself, and what a page of
//! another origin can do with it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{GRACE, Site, site};
use serde_json::{Value, json};
use session_policy_browser::{Chromium, Proxy};

const COOKIE: &str = "__Host-session";

struct Browser {
    chromium: Chromium,
    /// Where the API is, as this browser sees it.
    base: String,
}

impl Browser {
    /// On a page of the API's own origin.
    async fn at(site: &Site) -> Self {
        Self::on(format!("http://{}", site.address)).await
    }

    async fn on(base: String) -> Self {
        let chromium = Chromium::start().await;
        chromium.driver.goto(format!("{base}/health")).await.unwrap();
        Self { chromium, base }
    }

    /// The status and the body of what a script of the page asks for; `null` without an
    /// answer.
    async fn fetch(&self, method: &str, path: &str, body: Value) -> Value {
        let (base, mut options) = (&self.base, json!({ "method": method }));
        if !body.is_null() {
            options["headers"] = json!({ "content-type": "application/json" });
            options["body"] = body.to_string().into();
        }
        let read = "async a => [a.status, await a.json().catch(() => null)]";
        self.chromium.settled(&format!("fetch('{base}{path}', {options}).then({read})")).await
    }

    async fn sign_in(&self) {
        let body = json!({ "user": "ada", "password": "correct horse" });
        assert_eq!(self.fetch("POST", "/login", body).await[0], 200);
    }

    async fn status_of(&self, path: &str) -> Value {
        self.fetch("GET", path, Value::Null).await[0].clone()
    }

    async fn cookie(&self) -> Option<String> {
        self.chromium.cookie_named(COOKIE).await.map(|cookie| cookie.value)
    }
}

#[actix_web::test]
async fn two_browsers_of_one_user_have_a_session_each_and_one_ends_the_others() {
    let site = site();
    let (first, second) = (Browser::at(&site).await, Browser::at(&site).await);
    assert_eq!(first.status_of("/me").await, 401);
    first.sign_in().await;
    second.sign_in().await;
    let cookie = first.chromium.cookie_named(COOKIE).await.unwrap();
    assert_eq!((cookie.secure, cookie.http_only), (Some(true), Some(true)));
    assert_eq!(cookie.same_site, Some(thirtyfour::SameSite::Lax));
    assert_eq!(first.chromium.evaluate("document.cookie").await, "");
    let sessions = first.fetch("GET", "/sessions", Value::Null).await;
    assert_eq!(sessions[1].as_array().unwrap().len(), 2);
    assert_eq!(first.fetch("DELETE", "/sessions", Value::Null).await, json!([200, { "ended": 1 }]));
    assert_eq!(
        (first.status_of("/me").await, second.status_of("/me").await),
        (200.into(), 401.into())
    );
    assert_eq!(first.fetch("POST", "/logout", Value::Null).await[0], 204);
    assert_eq!(first.cookie().await, None);
    assert_eq!(first.status_of("/me").await, 401);
}

/// A page asks for several things at once, when the token is due.
#[actix_web::test]
async fn requests_at_once_are_all_served_and_the_browser_keeps_the_new_token() {
    let site = site();
    let browser = Browser::at(&site).await;
    browser.sign_in().await;
    for minutes in [5, 10, 15] {
        let before = browser.cookie().await;
        site.at(minutes * 60);
        let paths = json!(["/me", "/sessions", "/me", "/session/status", "/me", "/sessions"]);
        let all =
            format!("Promise.all({paths}.map(path => fetch(path).then(answer => answer.status)))");
        assert_eq!(browser.chromium.settled(&all).await, json!([200, 200, 200, 200, 200, 200]));
        assert_ne!(browser.cookie().await, before, "after {minutes} minutes");
        // The first request with the new token confirms it.
        site.at(minutes * 60 + 60);
        assert_eq!(browser.status_of("/me").await, 200);
    }
}

#[actix_web::test]
async fn an_answer_with_a_new_token_that_is_lost_signs_nobody_out() {
    let site = site();
    let proxy = Proxy::before(site.address).await;
    let browser = Browser::on(format!("http://{}", proxy.address)).await;
    browser.sign_in().await;
    let before = browser.cookie().await;
    site.at(300);
    proxy.lose("GET /me");
    assert_eq!(browser.status_of("/me").await, Value::Null);
    assert!(proxy.lost() > 0);
    assert_eq!(browser.cookie().await, before, "it has the old token");
    proxy.lose_nothing();
    // Later than any grace: nobody has presented the new one.
    site.at(300 + 2 * GRACE);
    assert_eq!(browser.status_of("/me").await, 200);
    assert_ne!(browser.cookie().await, before);
    site.at(300 + 4 * GRACE);
    assert_eq!(browser.status_of("/me").await, 200);
}

#[actix_web::test]
async fn while_the_store_is_away_the_cookie_stays() {
    let site = site();
    let browser = Browser::at(&site).await;
    browser.sign_in().await;
    let before = browser.cookie().await;
    site.store.go_away(true);
    // What needs no record is served by the token alone.
    assert_eq!(browser.status_of("/sessions").await, 503);
    site.at(300);
    assert_eq!(browser.status_of("/sessions").await, 503);
    assert_eq!(browser.cookie().await, before);
    site.store.go_away(false);
    assert_eq!(browser.status_of("/sessions").await, 200);
}

/// Another port of the same host is the same site, so its requests have the cookie.
#[actix_web::test]
async fn a_page_of_another_origin_changes_nothing() {
    let (site, other) = (site(), site());
    let browser = Browser::at(&site).await;
    browser.sign_in().await;
    browser.chromium.driver.goto(format!("http://{}/health", other.address)).await.unwrap();
    for path in ["/logout", "/login"] {
        let post = format!(
            "fetch('{}{path}', {{ method: 'POST', mode: 'no-cors', credentials: 'include' }}).then(a => a.type)",
            browser.base
        );
        assert_eq!(browser.chromium.settled(&post).await, "opaque");
    }
    browser.chromium.driver.goto(format!("{}/health", browser.base)).await.unwrap();
    assert_eq!(browser.status_of("/me").await, 200);
}

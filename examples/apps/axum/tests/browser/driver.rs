use std::ops::Deref;
use std::time::Duration;

use serde_json::Value;
use session_policy::{Clock, Policies, SystemClock};
use session_policy_axum_app::App;
use session_policy_browser::{Chromium, Proxy};
use thirtyfour::{Cookie, Key};

use crate::support::{Harness, password_of, policies};

pub(crate) use session_policy_browser::PATIENCE;

pub(crate) struct Browser {
    pub(crate) app: Harness,
    chromium: Chromium,
}

impl Deref for Browser {
    type Target = Chromium;

    fn deref(&self) -> &Chromium {
        &self.chromium
    }
}

impl Browser {
    /// A fresh browser on a fresh application, whose pages notice at once when
    /// the test moves the clock.
    pub(crate) async fn start() -> Self {
        Self::looking_every(Duration::from_secs(1)).await
    }

    pub(crate) async fn looking_every(look_every: Duration) -> Self {
        Self::start_under(policies(), |app| app.looking_every(look_every)).await
    }

    pub(crate) async fn start_under(policies: Policies, change: impl FnOnce(App) -> App) -> Self {
        let chromium = Chromium::start().await;
        Self { app: Harness::serve(policies, change).await, chromium }
    }

    /// A fresh browser, signed in.
    pub(crate) async fn signed_in(name: &str) -> Self {
        let browser = Self::start().await;
        browser.sign_in(name, false).await;
        browser
    }

    /// A fresh browser, whose requests go through a proxy that can lose answers.
    pub(crate) async fn behind_proxy() -> (Self, Proxy) {
        let mut browser = Self::start().await;
        let application = browser.app.base.strip_prefix("http://").unwrap().parse().unwrap();
        let proxy = Proxy::before(application).await;
        browser.app.base = format!("http://{}", proxy.address);
        (browser, proxy)
    }

    pub(crate) async fn goto(&self, path: &str) {
        self.driver.goto(format!("{}{path}", self.app.base)).await.unwrap();
    }

    /// By keyboard alone.
    pub(crate) async fn sign_in(&self, name: &str, remember: bool) {
        self.goto("/sign-in").await;
        self.type_two(name, password_of(name)).await;
        if remember {
            self.type_in(Key::Tab).await;
            self.type_in(" ").await;
            self.type_in(Key::Tab).await;
        }
        self.type_in(Key::Enter).await;
        self.until("location.pathname === '/' && document.querySelector('#session')").await;
    }

    /// The sign-in that asks for it, by keyboard alone.
    pub(crate) async fn fill_in(&self, name: &str) {
        self.submit_two(name, password_of(name)).await;
    }

    /// A form of two fields, from the first one on.
    pub(crate) async fn submit_two(&self, first: &str, second: &str) {
        self.type_two(first, second).await;
        self.type_in(Key::Enter).await;
    }

    pub(crate) async fn type_two(&self, first: &str, second: &str) {
        self.type_in(first).await;
        self.type_in(Key::Tab).await;
        self.type_in(second).await;
    }

    /// Waits for the sign-in page and its reason.
    pub(crate) async fn until_signed_out(&self, reason: &str) {
        self.until("location.pathname === '/sign-in'").await;
        self.until("document.readyState === 'complete'").await;
        assert_eq!(
            self.evaluate("document.querySelector('[data-reason]')?.dataset.reason").await,
            reason
        );
    }

    /// The session's status as the server has it, read without extending it.
    pub(crate) async fn status(&self) -> Value {
        let ask =
            "fetch('/session', { headers: { accept: 'application/json' } }).then(a => a.json())";
        self.settled(ask).await
    }

    pub(crate) async fn cookie(&self) -> Option<Cookie> {
        self.cookie_named("__Host-session").await
    }

    /// The `Expires` of a cookie that is set now for so long.
    pub(crate) fn expiry_in(secs: i64) -> i64 {
        SystemClock.now().as_unix_secs() + secs
    }
}

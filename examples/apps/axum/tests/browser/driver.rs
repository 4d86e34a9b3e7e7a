use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use session_policy::{Clock, Policies, SystemClock};
use session_policy_axum_app::App;
use thirtyfour::{ChromiumLikeCapabilities, Cookie, DesiredCapabilities, Key, WebDriver};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::support::{Harness, password_of, policies};

/// One browser at a time: it takes more than a core.
static ONE: Semaphore = Semaphore::const_new(1);
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Browser {
    pub(crate) app: Harness,
    pub(crate) driver: WebDriver,
    process: Child,
    port: u16,
    _one: SemaphorePermit<'static>,
}

impl Drop for Browser {
    /// Ends the browser with its driver, also when a test fails.
    fn drop(&mut self) {
        if let Ok(mut driver) = TcpStream::connect(("127.0.0.1", self.port)) {
            let _ = driver.write_all(b"GET /shutdown HTTP/1.1\r\nHost: localhost\r\n\r\n");
            let _ = driver.read(&mut [0; 256]);
        }
        // Its own way to quit would wait for the runtime that this blocks.
        let _ = self.driver.clone().leak();
        let _ = self.process.wait();
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
        let one = ONE.acquire().await.unwrap();
        let app = Harness::serve(policies, change).await;
        let program = std::env::var("CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".into());
        let mut process = Command::new(&program)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        let port = lines.find_map(|line| {
            line.split_once("successfully on port ")
                .map(|(_, port)| port.trim_end_matches('.').to_owned())
        });
        std::thread::spawn(move || lines.for_each(drop));
        let mut capabilities = DesiredCapabilities::chrome();
        for argument in [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--lang=en-GB",
            "--window-size=1280,900",
        ] {
            capabilities.add_arg(argument).unwrap();
        }
        let port = port.unwrap().parse().unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let driver = WebDriver::new(&url, capabilities).await.unwrap();
        Self { app, driver, process, port, _one: one }
    }

    /// A fresh browser, signed in.
    pub(crate) async fn signed_in(name: &str) -> Self {
        let browser = Self::start().await;
        browser.sign_in(name, false).await;
        browser
    }

    pub(crate) async fn goto(&self, path: &str) {
        self.driver.goto(format!("{}{path}", self.app.base)).await.unwrap();
    }

    /// By keyboard alone.
    pub(crate) async fn sign_in(&self, name: &str, remember: bool) {
        self.goto("/sign-in").await;
        self.type_in(name).await;
        self.type_in(Key::Tab).await;
        self.type_in(password_of(name)).await;
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
        self.type_in(name).await;
        self.type_in(Key::Tab).await;
        self.type_in(password_of(name)).await;
        self.type_in(Key::Enter).await;
    }

    /// Keys, to whatever has the focus.
    pub(crate) async fn type_in(&self, keys: impl Into<thirtyfour::TypingData>) {
        let focused = self.driver.active_element().await.unwrap();
        focused.send_keys(keys).await.unwrap();
    }

    pub(crate) async fn evaluate(&self, expression: &str) -> Value {
        let answer = self.driver.execute(format!("return {expression}"), vec![]).await.unwrap();
        answer.json().clone()
    }

    /// Waits until an expression holds on the page, which may be on its way to
    /// another.
    pub(crate) async fn until(&self, condition: &str) {
        let since = Instant::now();
        loop {
            let script = format!("return Boolean({condition})");
            if let Ok(answer) = self.driver.execute(script, vec![]).await
                && answer.json() == &Value::Bool(true)
            {
                return;
            }
            if since.elapsed() > PATIENCE {
                let url = self.driver.current_url().await.unwrap();
                panic!("`{condition}` does not come true at {url}:\n{}", self.text().await);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
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

    pub(crate) async fn text(&self) -> String {
        self.evaluate("document.body.innerText").await.as_str().unwrap().to_owned()
    }

    /// The session's status as the server has it, read without extending it.
    pub(crate) async fn status(&self) -> Value {
        let script = "const done = arguments[0]; \
            fetch('/session', { headers: { accept: 'application/json' } }) \
                .then(a => a.json()).then(done)";
        let answer = self.driver.execute_async(script, vec![]).await.unwrap();
        answer.json().clone()
    }

    pub(crate) async fn cookie(&self) -> Option<Cookie> {
        self.driver.get_named_cookie("__Host-session").await.ok()
    }

    /// The `Expires` of a cookie that is set now for so long.
    pub(crate) fn expiry_in(secs: i64) -> i64 {
        SystemClock.now().as_unix_secs() + secs
    }

    /// Presses what a selector finds.
    pub(crate) async fn press(&self, selector: &str) {
        self.driver.find(thirtyfour::By::Css(selector)).await.unwrap().click().await.unwrap();
    }

    /// Appearance as the user's system asks for it; a scheme "forced" is one of few colours.
    pub(crate) async fn appear(&self, scheme: &str, width: u32, height: u32) {
        let (feature, value) = match scheme {
            "forced" => ("forced-colors", "active"),
            scheme => ("prefers-color-scheme", scheme),
        };
        let features = json!({ "features": [{ "name": feature, "value": value }] });
        let screen = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        let cdp = self.driver.cdp();
        cdp.send_raw("Emulation.setEmulatedMedia", features).await.unwrap();
        cdp.send_raw("Emulation.setDeviceMetricsOverride", screen).await.unwrap();
    }
}

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use thirtyfour::{
    By, ChromiumLikeCapabilities, Cookie, DesiredCapabilities, TypingData, WebDriver,
};
use tokio::sync::{Semaphore, SemaphorePermit};

/// How long a page may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// So many at a time: one takes up to a core while it starts, and mostly waits after that.
static TURNS: Semaphore = Semaphore::const_new(3);

const ARGUMENTS: [&str; 11] = [
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
];

/// A browser with a profile of its own, driven by a driver of its own.
pub struct Chromium {
    /// For what this does not do.
    pub driver: WebDriver,
    process: Child,
    port: u16,
    _turn: SemaphorePermit<'static>,
}

/// How often a driver is started that finds no port.
const ATTEMPTS: usize = 20;

/// A driver, and the port on which it listens. It takes one that is free for IPv6, and ends if
/// that is not free for IPv4, too: then the next one is started.
fn start_driver() -> (Child, u16) {
    let program = std::env::var("CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".into());
    let mut said = Vec::new();
    for _ in 0..ATTEMPTS {
        said.clear();
        let mut process = Command::new(&program)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        for line in lines.by_ref() {
            if let Some((_, port)) = line.split_once("successfully on port ") {
                let port = port.trim_end_matches('.').parse().unwrap();
                // It must not have to wait until somebody reads what it says.
                std::thread::spawn(move || lines.for_each(drop));
                return (process, port);
            }
            said.push(line);
        }
        // It may also have said what is no text.
        let _ = process.kill();
        process.wait().unwrap();
    }
    panic!("{program} does not start: {}", said.join("\n"));
}

impl fmt::Debug for Chromium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chromium").field("port", &self.port).finish_non_exhaustive()
    }
}

impl Drop for Chromium {
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

impl Chromium {
    /// Starts it, once it has its turn.
    pub async fn start() -> Self {
        let turn = TURNS.acquire().await.unwrap();
        let (process, port) = start_driver();
        let mut capabilities = DesiredCapabilities::chrome();
        for argument in ARGUMENTS {
            capabilities.add_arg(argument).unwrap();
        }
        let url = format!("http://127.0.0.1:{port}");
        let driver = WebDriver::new(&url, capabilities).await.unwrap();
        Self { driver, process, port, _turn: turn }
    }

    /// Keys, to whatever has the focus.
    pub async fn type_in(&self, keys: impl Into<TypingData>) {
        let focused = self.driver.active_element().await.unwrap();
        focused.send_keys(keys).await.unwrap();
    }

    /// What an expression is on the page.
    pub async fn evaluate(&self, expression: &str) -> Value {
        let answer = self.driver.execute(format!("return {expression}"), vec![]).await.unwrap();
        answer.json().clone()
    }

    /// What a promise comes to on the page; `null` if it fails.
    pub async fn settled(&self, promise: &str) -> Value {
        let script = format!("const done = arguments[0]; ({promise}).then(done, () => done(null))");
        let answer = self.driver.execute_async(script, vec![]).await.unwrap();
        answer.json().clone()
    }

    /// Waits until an expression holds on the page, which may be on its way to
    /// another.
    pub async fn until(&self, condition: &str) {
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

    /// What the page shows.
    pub async fn text(&self) -> String {
        self.evaluate("document.body.innerText").await.as_str().unwrap().to_owned()
    }

    /// The cookie that the browser keeps of this name.
    pub async fn cookie_named(&self, name: &str) -> Option<Cookie> {
        self.driver.get_named_cookie(name).await.ok()
    }

    /// Whether the browser keeps a cookie of this name, of any site, whatever page it is on.
    pub async fn keeps(&self, name: &str) -> bool {
        let all = self.driver.cdp().send_raw("Network.getAllCookies", json!({})).await.unwrap();
        all["cookies"].as_array().unwrap().iter().any(|cookie| cookie["name"] == name)
    }

    /// Presses what a selector finds.
    pub async fn press(&self, selector: &str) {
        self.driver.find(By::Css(selector)).await.unwrap().click().await.unwrap();
    }

    /// Appearance as the user's system asks for it; a scheme "forced" is one of few colours.
    pub async fn appear(&self, scheme: &str, width: u32, height: u32) {
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

//! Both applications answer the same requests alike, and how many lines each has for
//! sessions alone.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE, USER_AGENT};
use axum::http::{Method, Request};
use axum::response::Response;
use http_body_util::BodyExt;
use session_policy_small_app::{ours, theirs};
use tower::ServiceExt;

/// A browser of this name, which keeps its cookie.
struct Browser<'a> {
    app: &'a Router,
    name: &'static str,
    cookie: Option<String>,
}

impl Browser<'_> {
    async fn send(&mut self, method: Method, path: &str, body: &'static str) -> String {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(USER_AGENT, self.name)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        let request = request.body(Body::from(body)).unwrap();
        let answer: Response = self.app.clone().oneshot(request).await.unwrap();
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let pair = cookie.split(';').next().unwrap().to_owned();
            self.cookie = (!cookie.contains("Max-Age=0")).then_some(pair);
        }
        let to = answer.headers().get(LOCATION).map(|it| it.to_str().unwrap().to_owned());
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        match to {
            Some(to) => format!("{status} -> {to}"),
            None => format!("{status} {}", str::from_utf8(&body).unwrap()),
        }
    }

    async fn get(&mut self, path: &str) -> String {
        self.send(Method::GET, path, "").await
    }

    async fn post(&mut self, path: &str, body: &'static str) -> String {
        self.send(Method::POST, path, body).await
    }
}

const DEVICES: &str =
    "</ul><form method=post action=/devices/end-others><button>Sign out the others";

async fn plays(app: &Router) {
    let mut fox = Browser { app, name: "Firefox <on> Linux", cookie: None };
    let mut phone = Browser { app, name: "Safari on iPhone", cookie: None };
    assert_eq!(fox.get("/").await, "303 -> /sign-in");
    assert_eq!(fox.post("/sign-in", "name=ada&password=wrong").await, "422 ");
    for browser in [&mut fox, &mut phone] {
        let answer = browser.post("/sign-in", "name=ada&password=correct+horse").await;
        assert_eq!(answer, "303 -> /");
        assert_eq!(browser.get("/").await, "200 Hello, ada");
    }
    let [linux, iphone] = ["<li>Firefox &lt;on> Linux", "<li>Safari on iPhone"];
    // Those of one second stand in either order.
    let page = fox.get("/devices").await;
    let both = [format!("{linux} (this device)</li>"), format!("{iphone}</li>")];
    let [one, other] = &both;
    let orders = [format!("{one}{other}"), format!("{other}{one}")];
    assert!(orders.iter().any(|list| page == format!("200 <ul>{list}{DEVICES}")), "{page}");
    assert_eq!(phone.post("/devices/end-others", "").await, "303 -> /devices");
    assert_eq!(
        phone.get("/devices").await,
        format!("200 <ul>{iphone} (this device)</li>{DEVICES}"),
    );
    assert_eq!(fox.get("/").await, "303 -> /sign-in");
    assert_eq!(phone.post("/sign-out", "").await, "303 -> /sign-in");
    assert_eq!(phone.get("/").await, "303 -> /sign-in");
    assert!(fox.get("/sign-in").await.starts_with("200 <form"));
}

fn file(name: &str) -> String {
    format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[tokio::test]
async fn both_answer_the_same_requests_alike() {
    let folder = tempfile::tempdir().unwrap();
    let url = |name: &str| format!("sqlite://{}?mode=rwc", folder.path().join(name).display());
    plays(&ours::app(&url("ours.db"), &file("policies.toml")).await.unwrap()).await;
    plays(&theirs::app(&url("theirs.db"), &file("lifetimes.toml")).await.unwrap()).await;
}

/// The lines between the markers, without those.
fn for_sessions(name: &str) -> usize {
    let text = std::fs::read_to_string(file(&format!("src/{name}.rs"))).unwrap();
    let (mut inside, mut count) = (false, 0);
    for line in text.lines().map(str::trim) {
        count += usize::from(inside && !line.is_empty() && !line.starts_with("//"));
        match line {
            "// sessions:" => inside = true,
            // rustfmt may put it after what it closes.
            _ if line.ends_with("// :sessions") => inside = false,
            _ => {}
        }
    }
    count
}

#[test]
fn sessions_alone_take_so_many_lines() {
    let (ours, theirs) = (for_sessions("ours"), for_sessions("theirs"));
    println!("lines for sessions alone: {ours} with session-policy, {theirs} with tower-sessions");
    assert!(ours <= 60, "{ours}");
    let readme = include_str!("../../../../README.md").replace('\n', " ");
    let said = format!("has {ours} lines for sessions, and {theirs} on tower-sessions");
    assert!(readme.contains(&said), "README says otherwise than: {said}");
}

//! The countdown as an event stream. Its looks are a second apart here.

use std::time::Duration;

use serde_json::Value;
use session_policy_axum_app::App;

use crate::support::{Client, Harness, START};

struct Events {
    response: reqwest::Response,
    text: String,
}

impl Events {
    async fn of(client: &Client) -> Self {
        let request = client.request(reqwest::Method::GET, "/session/events");
        let response = request.header("accept", "text/event-stream").send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The next event, or `None` at the end of the stream.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, _)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let line = event.lines().find_map(|line| line.strip_prefix(name));
                    line.unwrap_or_else(|| panic!("no {name} in {event}")).trim().to_owned()
                };
                let next = (field("event:"), serde_json::from_str(&field("data:")).unwrap());
                self.text.drain(..event.len() + 2);
                return Some(next);
            }
            let chunk = tokio::time::timeout(Duration::from_secs(20), self.response.chunk());
            self.text += str::from_utf8(&chunk.await.unwrap().unwrap()?).unwrap();
        }
    }

    /// Until the end: its reason.
    async fn ended(&mut self) -> String {
        loop {
            let (event, data) = self.next().await.unwrap();
            if event == "ended" {
                return data["reason"].as_str().unwrap().to_owned();
            }
        }
    }
}

async fn start() -> Harness {
    Harness::start_with(|app| app.looking_every(Duration::from_secs(1))).await
}

/// Looks that are too far apart to matter: only what wakes a stream moves it.
async fn start_lazily() -> Harness {
    Harness::start_with(|app| app.looking_every(Duration::from_hours(1))).await
}

#[tokio::test]
async fn a_stream_tells_both_deadlines_and_extends_neither() {
    let app = start().await;
    let client = app.signed_in("ada").await;
    let mut events = Events::of(&client).await;
    for _ in 0..3 {
        let (event, data) = events.next().await.unwrap();
        assert_eq!(event, "status");
        assert_eq!(data["idle_expires_at"], START + 1_800);
        assert_eq!(data["absolute_expires_at"], START + 28_800);
        assert_eq!(
            (&data["subject"], &data["session"]),
            (&"ada".into(), &client.session_id().into())
        );
    }
    assert_eq!(app.store.renewals.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn activity_and_a_sign_out_elsewhere_reach_a_stream_at_once() {
    let app = start_lazily().await;
    let mut client = app.signed_in("ada").await;
    let mut other = app.signed_in("ada").await;
    let mut events = Events::of(&client).await;
    assert_eq!(events.next().await.unwrap().1["idle_expires_at"], START + 1_800);
    app.advance(60);
    client.get("/").await;
    let (_, data) = events.next().await.unwrap();
    assert_eq!(data["idle_expires_at"], START + 60 + 1_800);
    other.post("/devices/end", &[("id", client.session_id())]).await;
    assert_eq!(events.ended().await, "no_session");
    assert!(events.next().await.is_none(), "the stream is closed");
}

#[tokio::test]
async fn a_stream_ends_at_the_deadline() {
    let app = start().await;
    let client = app.signed_in("ada").await;
    app.advance(1_798);
    let mut events = Events::of(&client).await;
    events.next().await.unwrap();
    app.advance(2);
    assert_eq!(events.ended().await, "idle");
}

#[tokio::test]
async fn without_a_session_there_is_no_stream() {
    let app = start().await;
    let client = app.client();
    let request = client.request(reqwest::Method::GET, "/session/events");
    let answer = client.clone().send(request.header("accept", "text/event-stream")).await;
    assert_eq!((answer.status, &answer.json()["reason"]), (401, &"no_session".into()));
}

#[tokio::test]
async fn an_open_stream_does_not_keep_the_service_from_stopping() {
    let app = Harness::start_with(App::for_plain_http).await;
    let client = app.signed_in("ada").await;
    let mut events = Events::of(&client).await;
    events.next().await.unwrap();
    app.stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), app.served).await.unwrap().unwrap().unwrap();
}

//! What the logs hold, and what they do not. A program of its own, since it
//! captures what the whole process logs.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use self::support::{Harness, password_of};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_log_at_any_level_holds_a_token_or_a_password() {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("trace"))
        .with_ansi(false)
        .with_writer(captured.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let app = Harness::start().await;
    let mut client = app.signed_in("ada").await;
    let mut secrets = vec![client.token().split_once('.').unwrap().1.to_owned()];
    app.advance(60);
    client.get("/").await;
    let new = "difference-engine-2";
    client.post("/password", &[("current", password_of("ada")), ("new", new)]).await;
    secrets.push(client.token().split_once('.').unwrap().1.to_owned());
    app.store.down.store(true, std::sync::atomic::Ordering::SeqCst);
    client.get("/").await;
    app.store.down.store(false, std::sync::atomic::Ordering::SeqCst);
    client.post("/sign-out", &[]).await;
    client.cookie = Some(format!("__Host-session={}.{}", "A".repeat(22), secrets[0]));
    client.get("/").await;
    app.client()
        .post("/sign-in", &[("name", "ada"), ("password", "a-wrong-one"), ("next", "/")])
        .await;

    let logs = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    secrets.extend([password_of("ada"), new, "a-wrong-one"].map(String::from));
    for secret in &secrets {
        assert!(!logs.contains(secret), "{secret} is in the logs");
    }
    // Of the client and the server, down to the bytes they read.
    assert!(logs.contains("TRACE hyper"), "the test captures too little");
    for word in ["started", "renewed", "rejected", "ended", "unavailable"] {
        assert!(logs.contains(word), "{word} is not in the logs:\n{logs}");
    }
}

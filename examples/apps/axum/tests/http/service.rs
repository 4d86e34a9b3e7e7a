//! Starting and stopping the program.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use session_policy::{ManualClock, Timestamp};
use session_policy_axum_app::Service;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::support::{Client, Harness, START, TestStore, app, password_of};

const PROGRAM: &str = env!("CARGO_BIN_EXE_session-policy-axum-app");

#[tokio::test]
async fn a_request_under_way_is_finished_before_the_service_stops() {
    let app = Harness::start().await;
    let mut client = app.signed_in("ada").await;
    app.advance(60);
    app.store.hold_renewals(1);
    let under_way = tokio::spawn(async move { client.get("/").await });
    app.store.renewals_are_held(1).await;
    app.stop.cancel();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!app.served.is_finished());
    app.store.let_renewals_go();
    assert_eq!(under_way.await.unwrap().status, 200);
    app.served.await.unwrap().unwrap();
}

/// It takes the 10 s; a minute would be for ever.
#[tokio::test]
async fn a_sweep_that_does_not_end_does_not_keep_the_service_from_stopping() {
    let store = Arc::new(TestStore::default());
    store.sweeps.hold(1);
    let clock = ManualClock::new(Timestamp::from_unix_secs(START));
    let (app, stop) = (app(Arc::clone(&store), &clock), CancellationToken::new());
    let service = Service { app, sweep_every: Duration::from_hours(1), stop: stop.clone() };
    let served = tokio::spawn(service.serve(TcpListener::bind("127.0.0.1:0").await.unwrap()));
    store.sweeps.held(1).await;
    stop.cancel();
    tokio::time::timeout(Duration::from_mins(1), served).await.unwrap().unwrap().unwrap();
}

/// The program, and where it listens, from its log.
fn run(arguments: &[&str]) -> (Child, Option<String>) {
    let mut child = Command::new(PROGRAM)
        .args(["--json", "--listen", "127.0.0.1:0"])
        .args(arguments)
        .env_clear()
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let base = lines.find_map(|line| {
        let log: serde_json::Value = serde_json::from_str(&line).unwrap();
        let message = log["fields"]["message"].as_str().unwrap().to_owned();
        message.strip_prefix("listening on ").map(String::from)
    });
    // Its pipe stays open until it ends.
    std::thread::spawn(move || lines.for_each(drop));
    (child, base)
}

/// Stops it as a supervisor does.
async fn stop(mut child: Child) -> ExitStatus {
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    let since = Instant::now();
    loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if since.elapsed() > Duration::from_secs(9) => panic!("it does not stop"),
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

#[tokio::test]
async fn on_sqlite_a_changed_password_outlives_the_program_and_the_published_one_does_not_return() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}/app.db", folder.path().display());
    let arguments = ["--plain-http", "--store", &store];
    let (child, base) = run(&arguments);
    let mut client = Client::new(&base.unwrap());
    client.sign_in("ada", false).await;
    let form = [("current", password_of("ada")), ("new", "difference-engine-2")];
    let changed = client.post("/password", &form).await;
    assert_eq!(changed.location(), "/password?notice=password-changed&count=0");
    assert!(stop(child).await.success());

    let (child, base) = run(&arguments);
    let base = base.unwrap();
    assert_eq!(client.at(&base).get("/devices").await.status, 200);
    assert_eq!(Client::new(&base).sign_in("ada", false).await.status, 422);
    let form = [("name", "ada"), ("password", "difference-engine-2"), ("next", "/")];
    assert_eq!(Client::new(&base).post("/sign-in", &form).await.status, 303);
    assert!(stop(child).await.success());
}

#[tokio::test]
async fn on_sqlite_a_session_outlives_the_program_and_a_sign_out_does_too() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}/sessions.db", folder.path().display());
    let arguments = ["--plain-http", "--store", &store];
    let (child, base) = run(&arguments);
    let mut client = Client::new(&base.unwrap());
    assert_eq!(client.sign_in("grace", false).await.status, 303);
    assert_eq!(client.get("/devices").await.status, 200);
    assert!(stop(child).await.success());

    let (child, base) = run(&arguments);
    client = client.at(&base.unwrap());
    assert_eq!(client.get("/devices").await.status, 200);
    let stolen = client.clone();
    assert_eq!(client.post("/sign-out", &[]).await.status, 303);
    assert!(stop(child).await.success());

    let (child, base) = run(&arguments);
    assert_eq!(stolen.at(&base.unwrap()).get("/devices").await.status, 303);
    assert!(stop(child).await.success());
}

#[test]
fn bad_settings_end_it_with_a_message_that_names_them() {
    for (arguments, complaint) in [
        (
            &["--plain-http", "--listen", "0.0.0.0:0"][..],
            "--plain-http is for loopback, not for 0.0.0.0:0",
        ),
        (&["--policies", "no/such.toml"], "no/such.toml: No such file"),
        (&["--policies", "Cargo.toml"], "Cargo.toml: TOML parse error"),
        (&["--listen", "here"], "invalid value 'here'"),
        (&["--store", "mysql://u:secret@host/d"], "`mysql` is no store"),
        (&["--store", "sqlite:/no/such/folder/s.db"], "unable to open database file"),
        (&["--store", "postgres://u:secret@127.0.0.1:1/d"], "the session store is unavailable"),
        (&["--store", "redis://u:secret@127.0.0.1:1/"], "the session store is unavailable"),
    ] {
        let output = Command::new(PROGRAM).args(arguments).env_clear().output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        assert!(!output.status.success(), "{text}");
        assert!(text.contains(complaint), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }
}

#[test]
fn an_address_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = Command::new(PROGRAM)
        .args(["--store", "memory:", "--listen", &address])
        .env_clear()
        .output()
        .unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(!output.status.success(), "{text}");
    assert!(
        text.contains(&format!("cannot listen on {address}: Address already in use")),
        "{text}"
    );
}

//! The application on a real socket, over a store that can fail and wait, by a
//! clock that the test moves.
#![allow(dead_code, reason = "each test program uses a part")]

mod client;
mod store;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use session_policy::store::AnyStore;
use session_policy::{Clock, ManualClock, Policies, SessionPolicy, Timestamp};
use session_policy_axum_app::{App, DEMO_USERS, Service, Users};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) use self::client::Client;
pub(crate) use self::store::TestStore;

pub(crate) const START: i64 = 1_800_000_000;

pub(crate) struct Harness {
    pub(crate) base: String,
    pub(crate) clock: ManualClock,
    pub(crate) store: Arc<TestStore>,
    pub(crate) stop: CancellationToken,
    pub(crate) served: JoinHandle<std::io::Result<()>>,
}

impl Harness {
    /// As deployed: secure cookies.
    pub(crate) async fn start() -> Self {
        Self::start_with(|app| app).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(App) -> App) -> Self {
        Self::serve(policies(), change).await
    }

    pub(crate) async fn start_under(policies: Policies) -> Self {
        Self::serve(policies, |app| app).await
    }

    pub(crate) async fn serve(policies: Policies, change: impl FnOnce(App) -> App) -> Self {
        let clock = ManualClock::new(Timestamp::from_unix_secs(START));
        let store = Arc::new(TestStore::default());
        let app = change(app_under(policies, Arc::clone(&store), &clock));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let sweep_every = Duration::from_hours(1);
        let service = Service { app, sweep_every, stop: stop.clone() };
        let served = tokio::spawn(service.serve(listener));
        Self { base, clock, store, stop, served }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.base)
    }

    /// A client of this demo user, signed in.
    pub(crate) async fn signed_in(&self, name: &str) -> Client {
        let mut client = self.client();
        let answer = client.sign_in(name, false).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        client
    }

    /// Signs a user in on two other devices, some time apart.
    pub(crate) async fn devices_of(&self, name: &str) {
        for user_agent in [
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 \
             (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0",
        ] {
            let form = [("name", name), ("password", password_of(name)), ("next", "/")];
            let mut client = self.client();
            let request = client.request(reqwest::Method::POST, "/sign-in").form(&form);
            let answer = client.send(request.header("user-agent", user_agent)).await;
            assert_eq!(answer.status, 303, "{}", answer.body);
            self.advance(200);
        }
    }

    pub(crate) fn advance(&self, secs: i64) {
        self.clock.advance(TimeDelta::seconds(secs));
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now().as_unix_secs()
    }
}

pub(crate) fn app(store: Arc<TestStore>, clock: &ManualClock) -> App {
    app_under(policies(), store, clock)
}

pub(crate) fn app_under(policies: Policies, store: Arc<TestStore>, clock: &ManualClock) -> App {
    App::by_clock(AnyStore::new(store), policies, Users::demo(), clock.clone()).unwrap()
}

/// As shipped.
pub(crate) fn policies() -> Policies {
    toml::from_str(include_str!("../../policies.toml")).unwrap()
}

/// With a limit on sessions that refuses the next one.
pub(crate) fn policies_with_limit(max_sessions: u32) -> Policies {
    let shipped = include_str!("../../policies.toml");
    let limit = format!("[default]\nmax_sessions = {max_sessions}\nwhen_full = \"refuse\"\n");
    toml::from_str(&shipped.replace("[default]\n", &limit)).unwrap()
}

/// Sessions that outlive any cookie: 400 days (RFC 6265bis section 5.6.2).
pub(crate) fn policies_of_ten_years() -> Policies {
    let [max_age, update_age, cap] = [365, 1, 3_653].map(TimeDelta::days);
    let shipped = policies();
    let [admin, remembered] = ["admin", "remember-me"].map(|name| *shipped.get(name).unwrap());
    Policies::new(SessionPolicy::new(max_age, update_age, cap).unwrap())
        .with_profile("admin", admin)
        .and_then(|policies| policies.with_profile("remember-me", remembered))
        .unwrap()
}

pub(crate) fn password_of(name: &str) -> &'static str {
    DEMO_USERS.iter().find(|user| user.0 == name).unwrap().1
}

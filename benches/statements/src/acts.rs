//! The same acts on both sides.

use std::convert::Infallible;

use anyhow::{Context, Result, ensure};
use chrono::TimeDelta;
use http::header::{COOKIE, SET_COOKIE};
use http::{Request, Response};
use session_policy::store::SessionStore;
use session_policy::{ManualClock, RenewalOutcome, SessionPolicy, Sessions, Timestamp};
use tower::{Layer, ServiceExt, service_fn};
use tower_sessions::cookie::time::Duration;
use tower_sessions::session_store::SessionStore as TowerStore;
use tower_sessions::{Expiry, Session, SessionManagerLayer};

pub(crate) const ACTS: [Act; 4] = [Act::SignIn, Act::Request, Act::Renewal, Act::SignOut];
const USER: &str = "user-42";

/// What is counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Act {
    SignIn,
    /// Of somebody signed in, who is greeted by name.
    Request,
    /// The same, when session-policy has a renewal to write.
    Renewal,
    /// The request that asks for it included.
    SignOut,
}

/// A side of the comparison.
pub(crate) trait Counted {
    /// What must be so before an act, and is not counted.
    async fn prepare(&mut self, act: Act) -> Result<()>;

    /// Fails unless it did what it was to do.
    async fn act(&mut self, act: Act) -> Result<()>;
}

pub(crate) struct Ours<S> {
    sessions: Sessions<S>,
    clock: ManualClock,
    token: String,
}

impl<S: SessionStore> Ours<S> {
    pub(crate) fn new(store: S) -> Self {
        let clock = ManualClock::new(Timestamp::from_unix_secs(1_800_000_000));
        let sessions = Sessions::new(store, SessionPolicy::SLIDING_MONTH).with_clock(clock.clone());
        Self { sessions, clock, token: String::new() }
    }
}

impl<S: SessionStore> Counted for Ours<S> {
    async fn prepare(&mut self, act: Act) -> Result<()> {
        if act == Act::SignIn {
            return Ok(());
        }
        self.sessions.start(USER).await?.token.expose().clone_into(&mut self.token);
        if act == Act::Renewal {
            self.clock.advance(SessionPolicy::SLIDING_MONTH.update_age());
        } else {
            self.clock.advance(TimeDelta::seconds(1));
        }
        Ok(())
    }

    async fn act(&mut self, act: Act) -> Result<()> {
        if act == Act::SignIn {
            let started = self.sessions.start(USER).await?;
            ensure!(started.session.subject() == USER);
            return Ok(());
        }
        let served = self.sessions.authenticate(&self.token).await?;
        ensure!(served.session.subject() == USER);
        let renewed = matches!(served.renewal, RenewalOutcome::Renewed);
        ensure!(renewed == (act == Act::Renewal));
        if act == Act::SignOut {
            ensure!(self.sessions.end(&served.session.id()).await?);
        }
        Ok(())
    }
}

pub(crate) struct Tower<S> {
    store: S,
    always_save: bool,
    cookie: String,
}

impl<S: TowerStore + Clone> Tower<S> {
    pub(crate) fn new(store: S, always_save: bool) -> Self {
        Self { store, always_save, cookie: String::new() }
    }

    /// The text of the answer, and the cookie that it sets.
    async fn ask(&self, path: &str, cookie: &str) -> Result<(String, Option<String>)> {
        let layer = SessionManagerLayer::new(self.store.clone())
            .with_always_save(self.always_save)
            .with_expiry(Expiry::OnInactivity(Duration::days(30)));
        let application = service_fn(async |request: Request<()>| {
            let session = request.extensions().get::<Session>();
            let text = match session {
                Some(session) => page(request.uri().path(), session).await,
                None => "no session".to_owned(),
            };
            Ok::<_, Infallible>(Response::new(text))
        });
        let request = Request::get(path).header(COOKIE, cookie).body(())?;
        let answer = layer.layer(application).oneshot(request).await;
        let answer = answer.ok().context("it answers")?;
        let set = answer.headers().get(SET_COOKIE).map(|cookie| cookie.to_str());
        let set = set.transpose()?.and_then(|cookie| cookie.split(';').next()).map(str::to_owned);
        Ok((answer.into_body(), set))
    }
}

/// What the application says, an error included.
async fn page(path: &str, session: &Session) -> String {
    let said = async {
        match path {
            "/sign-in" => {
                // As its documentation advises, against session fixation.
                session.cycle_id().await?;
                session.insert("user", USER).await?;
                Ok("in".to_owned())
            }
            "/sign-out" => {
                session.flush().await?;
                Ok("out".to_owned())
            }
            _ => Ok(session.get::<String>("user").await?.unwrap_or_default()),
        }
    };
    let said: Result<String, tower_sessions::session::Error> = said.await;
    said.unwrap_or_else(|error| error.to_string())
}

impl<S: TowerStore + Clone> Counted for Tower<S> {
    async fn prepare(&mut self, act: Act) -> Result<()> {
        if act != Act::SignIn {
            let (said, cookie) = self.ask("/sign-in", "").await?;
            ensure!(said == "in", "{said}");
            self.cookie = cookie.context("a sign-in sets a cookie")?;
        }
        Ok(())
    }

    async fn act(&mut self, act: Act) -> Result<()> {
        let (said, _) = match act {
            Act::SignIn => self.ask("/sign-in", "").await?,
            Act::Request | Act::Renewal => self.ask("/", &self.cookie).await?,
            Act::SignOut => self.ask("/sign-out", &self.cookie).await?,
        };
        let expected = match act {
            Act::SignIn => "in",
            Act::Request | Act::Renewal => USER,
            Act::SignOut => "out",
        };
        ensure!(said == expected, "{act}: {said}");
        Ok(())
    }
}

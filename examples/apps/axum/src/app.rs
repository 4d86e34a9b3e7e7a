use std::time::Duration;

use axum::extract::FromRef;
use session_policy::store::AnyStore;
use session_policy::{Clock, Policies, Sessions, SystemClock};

use crate::log::SessionLog;
use crate::session::WebSessions;
use crate::users::Users;

/// The profiles that the sign-in starts sessions under, beside the default one.
pub(crate) const ADMIN: &str = "admin";
pub(crate) const REMEMBER_ME: &str = "remember-me";

/// What the handlers share.
#[derive(Clone, Debug)]
pub struct App {
    pub(crate) web: WebSessions,
    pub(crate) users: Users,
    pub(crate) poll: Duration,
}

/// Why no application can be made of its settings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The sign-in would have no lifetime to give.
    #[error("the policies have no profile `{0}`")]
    MissingProfile(&'static str),
}

impl App {
    /// An application over `store`, with secure cookies, by the system's clock.
    ///
    /// # Errors
    ///
    /// [`SetupError`] if `policies` has no profile "admin" or "remember-me".
    pub fn new(store: AnyStore, policies: Policies, users: Users) -> Result<Self, SetupError> {
        Self::by_clock(store, policies, users, SystemClock)
    }

    /// The same by another clock.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    pub fn by_clock(
        store: AnyStore,
        policies: Policies,
        users: Users,
        clock: impl Clock + 'static,
    ) -> Result<Self, SetupError> {
        if let Some(missing) = [ADMIN, REMEMBER_ME].into_iter().find(|p| policies.get(p).is_none())
        {
            return Err(SetupError::MissingProfile(missing));
        }
        let sessions = Sessions::new(store, policies)
            .with_bounds(users.clone())
            .with_clock(clock)
            .with_observer(SessionLog);
        let web = WebSessions { sessions, secure: true };
        Ok(Self { web, users, poll: Duration::from_secs(15) })
    }

    /// The same with a cookie that a browser takes over plain HTTP: for
    /// development on loopback only, and every page says so.
    #[must_use]
    pub fn for_plain_http(mut self) -> Self {
        self.web.secure = false;
        self
    }

    /// The same with pages that ask for their status this often (15 s).
    #[must_use]
    pub fn with_poll(mut self, poll: Duration) -> Self {
        self.poll = poll;
        self
    }

    /// The sessions, for the middleware and the sweep.
    #[must_use]
    pub fn web_sessions(&self) -> &WebSessions {
        &self.web
    }
}

impl FromRef<App> for WebSessions {
    fn from_ref(app: &App) -> Self {
        app.web.clone()
    }
}

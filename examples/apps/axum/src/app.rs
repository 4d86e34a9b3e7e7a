use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use session_policy::store::AnyStore;
use session_policy::{Clock, Event, Observer, Policies, Sessions, SystemClock, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::changes::Changes;
use crate::guesses::Guesses;
use crate::log::SessionLog;
use crate::users::Users;

/// The profiles that the sign-in starts sessions under, beside the default one.
pub(crate) const ADMIN: &str = "admin";
pub(crate) const REMEMBER_ME: &str = "remember-me";

/// What the handlers share.
#[derive(Clone)]
pub struct App {
    pub(crate) sessions: Sessions<AnyStore>,
    pub(crate) users: Users,
    pub(crate) guesses: Arc<Guesses>,
    pub(crate) changes: Changes,
    pub(crate) look_every: Duration,
    pub(crate) plain_http: bool,
    pub(crate) behind_proxy: bool,
    /// Ends the event streams, which no request's end would.
    pub(crate) closing: CancellationToken,
    clock: Arc<dyn Clock>,
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
        let clock: Arc<dyn Clock> = Arc::new(clock);
        let changes = Changes::default();
        let told = changes.clone();
        let observer = move |event: &Event<'_>| {
            SessionLog.observe(event);
            told.observe(event);
        };
        let sessions = Sessions::new(store, policies)
            .with_bounds(users.clone())
            .with_clock(Arc::clone(&clock))
            .with_observer(observer);
        Ok(Self {
            sessions,
            users,
            guesses: Arc::default(),
            changes,
            look_every: Duration::from_secs(15),
            plain_http: false,
            behind_proxy: false,
            closing: CancellationToken::new(),
            clock,
        })
    }

    /// The same with a cookie that a browser takes over plain HTTP: for
    /// development on loopback only, and every page says so.
    #[must_use]
    pub fn for_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// The same behind a reverse proxy, which appends the client's address to
    /// `X-Forwarded-For`. Without a proxy anybody could write any address there.
    #[must_use]
    pub fn behind_proxy(mut self) -> Self {
        self.behind_proxy = true;
        self
    }

    /// The same with open pages that are told this often how long their session has (15 s).
    #[must_use]
    pub fn looking_every(mut self, look_every: Duration) -> Self {
        self.look_every = look_every;
        self
    }

    /// The sessions, for the sweep.
    #[must_use]
    pub fn sessions(&self) -> &Sessions<AnyStore> {
        &self.sessions
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionLike, ConnectionManager};
use session_policy::store::StoreError;

use crate::connect::Connect;
use crate::layout::{Keys, PrefixError, Scripts};
use crate::link::Link;

const DAY: u64 = 86_400;
/// The retention of `Sessions`, and as much again for the sweep to come by.
const DEFAULT_GRACE: u64 = 2 * DAY;
/// Refused within a second, with some of it left for the application.
const DEFAULT_TIME_LIMIT: Duration = Duration::from_millis(800);

/// Keeps sessions in Redis 6.2 or later, or in Valkey, alone or as a cluster.
///
/// `C` is a connection that may be cloned: `ConnectionManager` to one server, or a
/// `ClusterConnection`. TLS, credentials and the nodes' addresses are the client's.
///
/// No call waits longer than a [time limit](Self::with_time_limit) for an answer. The
/// store makes another connection when three calls on the one that it has go
/// unanswered within ten seconds, one attempt at a time, and uses the old one until
/// then.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use session_policy::{SessionPolicy, Sessions};
/// use session_policy_redis::RedisStore;
///
/// let client = redis::Client::open("redis://127.0.0.1:6379/")?;
/// let store = RedisStore::open(client, "myapp")?;
/// let sessions = Sessions::new(store, SessionPolicy::WORKING_DAY);
/// let started = sessions.start("user-42").await?;
/// # drop(started);
/// # Ok(())
/// # }
/// ```
pub struct RedisStore<C = ConnectionManager> {
    pub(crate) link: Arc<Link<C>>,
    pub(crate) keys: Keys,
    pub(crate) scripts: Arc<Scripts>,
    pub(crate) grace: u64,
    pub(crate) time_limit: Duration,
}

impl<C: Clone + Send + Sync + 'static> RedisStore<C> {
    /// A store whose keys all begin with `prefix` and a colon, in the server of a
    /// `redis::Client` or the cluster of a `redis::cluster::ClusterClient`.
    ///
    /// It connects at its first call, so that a program may start before its engine;
    /// [`ping`](Self::ping) tells whether it can.
    ///
    /// # Errors
    ///
    /// [`PrefixError`] if `prefix` is empty, or has braces or a colon.
    pub fn open(client: impl Connect<Connection = C>, prefix: &str) -> Result<Self, PrefixError> {
        Self::over(Link::open(client), prefix)
    }
}

impl<C> RedisStore<C> {
    /// The same over a connection of the application's own, which the store cannot
    /// make again: not for a cluster, whose connection may fall silent for ever while
    /// slots move.
    ///
    /// # Errors
    ///
    /// [`PrefixError`] if `prefix` is empty, or has braces or a colon.
    pub fn new(connection: C, prefix: &str) -> Result<Self, PrefixError> {
        Self::over(Link::of(connection), prefix)
    }

    fn over(link: Link<C>, prefix: &str) -> Result<Self, PrefixError> {
        Ok(Self {
            link: Arc::new(link),
            keys: Keys::new(prefix)?,
            scripts: Arc::new(Scripts::new()),
            grace: DEFAULT_GRACE,
            time_limit: DEFAULT_TIME_LIMIT,
        })
    }

    /// The same store with another time limit: how long a call waits for an answer, with
    /// whatever the driver tries again meanwhile, before it is
    /// [`StoreError::Unavailable`]. 800 ms if not set, at least a millisecond.
    ///
    /// It is of one command; a verb gives up at the first that is not answered.
    #[must_use]
    pub fn with_time_limit(self, limit: Duration) -> Self {
        Self { time_limit: limit.max(Duration::from_millis(1)), ..self }
    }

    /// The same store with another grace: how long after `expires_at` the engine
    /// drops a session that no sweep has removed. Two days if not set; whole seconds,
    /// at least a day, of which less is rounded up.
    ///
    /// Set it longer than `Sessions::with_retention` keeps what ended, which is a day if not
    /// set: what the engine drops by itself is no event, and no answer to "why was I
    /// signed out?". It is also how far the engine's clock may be ahead of the
    /// application's without ending a session early. Longer costs memory only: whether
    /// a session lives is not the engine's to say.
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> Self {
        Self { grace: grace.as_secs().clamp(DAY, u64::from(u32::MAX)), ..self }
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> RedisStore<C> {
    /// Whether the engine answers, connecting if there is no connection yet: for a
    /// check at the start, or of health.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if it does not answer in time.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.query(&redis::cmd("PING")).await
    }
}

impl<C> Clone for RedisStore<C> {
    fn clone(&self) -> Self {
        Self {
            link: Arc::clone(&self.link),
            keys: self.keys.clone(),
            scripts: Arc::clone(&self.scripts),
            ..*self
        }
    }
}

impl<C> fmt::Debug for RedisStore<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("keys", &self.keys)
            .field("grace", &self.grace)
            .field("time_limit", &self.time_limit)
            .finish_non_exhaustive()
    }
}

//! The connection: another one is made when answers stay away.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use redis::{RedisError, RedisResult};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

use crate::connect::Connect;

/// How many calls go unanswered within [`WINDOW`] before another connection is made.
///
/// Answers in between do not count: on a cluster, calls to one node may hang for ever
/// while the others answer.
const PATIENCE: u32 = 3;
const WINDOW: Duration = Duration::from_secs(10);
/// From the begin of one attempt to the next while there is a connection.
const REST: Duration = Duration::from_secs(2);
/// How many limits of time an attempt may take. Nobody waits that long: a call has one.
const LIMITS_TO_CONNECT: u32 = 4;

type Connector<C> = dyn Fn(Duration) -> BoxFuture<'static, RedisResult<C>> + Send + Sync;
type Attempt<C> = Shared<BoxFuture<'static, RedisResult<C>>>;

pub(crate) struct Link<C> {
    connector: Option<Box<Connector<C>>>,
    state: Arc<Mutex<State<C>>>,
}

struct State<C> {
    /// It serves until another takes its place.
    connection: Option<C>,
    /// How many connections there have been.
    number: u64,
    /// The one attempt under way. A task drives it, so that it ends also where whoever
    /// waits for it is dropped.
    attempt: Option<(Attempt<C>, AbortHandle)>,
    attempted: Option<Instant>,
    /// The calls on this connection that went unanswered, since the first of them.
    unanswered: u32,
    since: Instant,
}

impl<C> State<C> {
    fn new(connection: Option<C>) -> Self {
        Self {
            connection,
            number: 0,
            attempt: None,
            attempted: None,
            unanswered: 0,
            since: Instant::now(),
        }
    }

    /// Not one whose runtime was shut down.
    fn under_way(&self) -> Option<&Attempt<C>> {
        self.attempt.as_ref().filter(|(_, task)| !task.is_finished()).map(|(attempt, _)| attempt)
    }
}

impl<C: Clone + Send + Sync + 'static> Link<C> {
    /// Connects at the first call, and again when answers stay away.
    pub(crate) fn open(client: impl Connect<Connection = C>) -> Self {
        let client = Arc::new(client);
        let connector = move |limit| {
            let client = Arc::clone(&client);
            async move { client.connect(limit).await }.boxed()
        };
        Self { connector: Some(Box::new(connector)), state: Arc::new(Mutex::new(State::new(None))) }
    }

    /// The connection, and a watch over a call on it; waits while there is none yet.
    pub(crate) async fn line(&self, limit: Duration) -> RedisResult<(C, Watch<'_, C>)> {
        let attempt = {
            let mut state = lock(&self.state);
            match &state.connection {
                Some(connection) => return Ok((connection.clone(), self.watch(&state, limit))),
                None => match (state.under_way(), &self.connector) {
                    (Some(attempt), _) => attempt.clone(),
                    (None, Some(connector)) => {
                        self.attempt(&mut state, &Handle::current(), connector, limit)
                    }
                    (None, None) => return Err(not_connected("there is no connection")),
                },
            }
        };
        let connection = attempt.await?;
        let watch = self.watch(&lock(&self.state), limit);
        Ok((connection, watch))
    }

    fn watch(&self, state: &State<C>, limit: Duration) -> Watch<'_, C> {
        Watch { link: self, number: state.number, limit, since: Instant::now(), answered: false }
    }

    fn attempt(
        &self,
        state: &mut State<C>,
        runtime: &Handle,
        connector: &Connector<C>,
        limit: Duration,
    ) -> Attempt<C> {
        let connect = timeout(limit * LIMITS_TO_CONNECT, connector(limit));
        let shared = Arc::clone(&self.state);
        let task = runtime.spawn(async move {
            let connected = connect
                .await
                .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()));
            let mut state = lock(&shared);
            state.attempt = None;
            if let Ok(connection) = &connected {
                state.connection = Some(connection.clone());
                state.number += 1;
                state.unanswered = 0;
            }
            connected
        });
        let handle = task.abort_handle();
        let attempt = task
            .map(|connected| connected.unwrap_or_else(|error| Err(not_connected(error))))
            .boxed()
            .shared();
        state.attempt = Some((attempt.clone(), handle));
        state.attempted = Some(Instant::now());
        attempt
    }

    /// Counts a call that went unanswered.
    fn unanswered(&self, number: u64, limit: Duration) {
        let mut state = lock(&self.state);
        if state.number != number {
            return; // There is another connection already.
        }
        if state.unanswered == 0 || state.since.elapsed() > WINDOW {
            (state.unanswered, state.since) = (0, Instant::now());
        }
        state.unanswered += 1;
        let rested = state.attempted.is_none_or(|at| at.elapsed() >= REST);
        if state.unanswered >= PATIENCE
            && rested
            && state.under_way().is_none()
            && let Some(connector) = &self.connector
            && let Ok(runtime) = Handle::try_current()
        {
            // Its task drives it.
            drop(self.attempt(&mut state, &runtime, connector, limit));
        }
    }
}

impl<C> Link<C> {
    /// Over a connection that cannot be made again.
    pub(crate) fn of(connection: C) -> Self {
        Self { connector: None, state: Arc::new(Mutex::new(State::new(Some(connection)))) }
    }
}

/// Watches over one call. Dropped before the answer, be it at the limit of time or
/// because the caller gave up, it says so, unless the caller gave up at once.
pub(crate) struct Watch<'a, C: Clone + Send + Sync + 'static> {
    link: &'a Link<C>,
    number: u64,
    limit: Duration,
    since: Instant,
    answered: bool,
}

impl<C: Clone + Send + Sync + 'static> Watch<'_, C> {
    pub(crate) fn answered<T>(mut self, answer: RedisResult<T>) -> RedisResult<T> {
        self.answered = !answer.as_ref().is_err_and(RedisError::is_timeout);
        answer
    }
}

impl<C: Clone + Send + Sync + 'static> Drop for Watch<'_, C> {
    fn drop(&mut self) {
        if !self.answered && self.since.elapsed() >= self.limit / 2 {
            self.link.unanswered(self.number, self.limit);
        }
    }
}

fn not_connected(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> RedisError {
    io::Error::new(io::ErrorKind::NotConnected, why).into()
}

/// Never held over an await.
fn lock<C>(state: &Mutex<State<C>>) -> MutexGuard<'_, State<C>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

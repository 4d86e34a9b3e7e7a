use std::sync::Arc;
use std::time::Instant;

use session_policy::store::{SecretHash, SessionStore, Update};
use session_policy::{Clock as _, Session, SessionId, SessionPolicy, SystemClock, Timestamp};

const CLIENTS: usize = 32;
/// How many rows a sweep asks for at once.
const SWEEP: u32 = 500;
const POLICY: SessionPolicy = SessionPolicy::SLIDING_MONTH;

/// What a store takes, and how many calls a second it answers 32 clients.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Rates {
    /// Bytes a session, indexes included, when all have been created.
    pub bytes: u64,
    /// The same when each has been updated once.
    pub bytes_updated: u64,
    /// Calls of `create` a second.
    pub create: f64,
    /// Calls of `load` a second.
    pub load: f64,
    /// Calls of `update` a second.
    pub update: f64,
    /// Calls of `remove` a second.
    pub remove: f64,
    /// Rows that one client removes a second by `remove_expired`, 500 a call.
    pub sweep: f64,
}

/// Creates `sessions` in an empty store, each of a subject of its own of `subject` bytes,
/// loads and updates each, removes half of them and sweeps the others. `bytes` says what
/// they take.
///
/// # Panics
///
/// If the store fails.
pub async fn rates<S>(
    store: Arc<S>,
    sessions: usize,
    subject: usize,
    bytes: impl AsyncFn() -> u64,
) -> Rates
where
    S: SessionStore + Send + Sync + 'static,
{
    let now = SystemClock.now();
    let all: Vec<_> = (0..sessions)
        .map(|number| {
            let mut id = [0; SessionId::BYTES];
            id.fill_with(|| fastrand::u8(..));
            let (id, secret) = (SessionId::from_bytes(id), SecretHash::from_bytes([7; 32]));
            let subject = format!("{number:0subject$}");
            Session::new(id, subject, "default", secret, POLICY.start(now))
        })
        .collect::<Result<_, _>>()
        .unwrap_or_else(|error| panic!("no session: {error}"));
    let end = now.saturating_add(POLICY.absolute_cap());
    let all: Arc<[Session]> = all.into();
    let half = sessions / 2;
    let create = each(&store, &all, Verb::Create, sessions).await;
    let bytes_created = bytes().await / sessions as u64;
    let load = each(&store, &all, Verb::Load, sessions).await;
    let update = each(&store, &all, Verb::Update, sessions).await;
    let bytes_updated = bytes().await / sessions as u64;
    let remove = each(&store, &all, Verb::Remove, half).await;
    let started = Instant::now();
    let mut swept = 0;
    while swept < sessions - half {
        let some = store.remove_expired(end, SWEEP).await;
        let some = some.unwrap_or_else(|error| panic!("no sweep: {error}"));
        assert!(!some.is_empty(), "{swept} rows swept");
        swept += some.len();
    }
    let sweep = a_second(swept, started);
    Rates { bytes: bytes_created, bytes_updated, create, load, update, remove, sweep }
}

#[derive(Clone, Copy, Debug)]
enum Verb {
    Create,
    Load,
    Remove,
    Update,
}

impl Verb {
    async fn succeeds<S: SessionStore>(self, store: &S, one: &Session) -> bool {
        match self {
            Self::Create => store.create(one).await.is_ok(),
            Self::Load => matches!(store.load(&one.id()).await, Ok(Some(_))),
            Self::Remove => matches!(store.remove(&one.id()).await, Ok(true)),
            Self::Update => {
                let (at, cap) = (later(one), one.lifetime().absolute_expires_at());
                let update = Update::new(one, at, &POLICY.start_until(at, cap));
                matches!(store.update(&update).await, Ok(true))
            }
        }
    }
}

/// When a session is renewed, so that its end moves.
fn later(session: &Session) -> Timestamp {
    session.lifetime().renewed_at().saturating_add(POLICY.update_age())
}

/// Has the clients call the verb once for each of the first `calls` sessions. Calls a
/// second, of all clients together.
async fn each<S>(store: &Arc<S>, sessions: &Arc<[Session]>, verb: Verb, calls: usize) -> f64
where
    S: SessionStore + Send + Sync + 'static,
{
    let started = Instant::now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (store, sessions) = (Arc::clone(store), Arc::clone(sessions));
            tokio::spawn(async move {
                for one in sessions[..calls].iter().skip(client).step_by(CLIENTS) {
                    assert!(verb.succeeds(&*store, one).await, "{verb:?} failed");
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap_or_else(|error| panic!("a client failed: {error}"));
    }
    a_second(calls, started)
}

#[expect(clippy::cast_precision_loss, reason = "rates for people")]
fn a_second(calls: usize, started: Instant) -> f64 {
    calls as f64 / started.elapsed().as_secs_f64()
}

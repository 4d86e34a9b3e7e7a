//! Requests over the embedded store, and the floor under them: a bare sharded
//! map and one SHA-256.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use dashmap::DashMap;
use session_policy::{
    ManualClock, MemoryStore, Session, SessionId, SessionStore, SessionToken, Sessions, Timestamp,
};
use sha2::{Digest, Sha256};

use super::Random;
use super::rule::policy;

pub const LOGIN: i64 = 1_800_000_000;

pub type Served = Sessions<MemoryStore, ManualClock>;

/// A future of the embedded store is ready at once.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the embedded store waits for nothing"),
    }
}

pub fn at(secs: i64) -> Timestamp {
    Timestamp::from_unix_secs(LOGIN + secs)
}

/// Sessions of as many subjects, and their tokens in the order of creation.
pub struct World {
    pub sessions: Served,
    pub clock: ManualClock,
    pub secrets: Vec<([u8; 16], [u8; 32])>,
}

impl World {
    /// Every one started at `LOGIN`.
    pub fn new(count: usize) -> Self {
        Self::started(count, |_| 0)
    }

    /// The session of each number started so many seconds after `LOGIN`.
    pub fn started(count: usize, after: impl Fn(usize) -> i64) -> Self {
        let clock = ManualClock::new(at(0));
        let store = MemoryStore::new();
        let mut random = Random::new(11);
        let mut secrets = Vec::with_capacity(count);
        for number in 0..count {
            let (id, secret) = (random.bytes(), random.bytes());
            let token = SessionToken::from_parts(SessionId::from_bytes(id), secret);
            let lifetime = policy().start(at(after(number)));
            let subject = format!("user-{number}");
            let session =
                Session::new(token.id(), subject, "default", token.secret_hash(), lifetime);
            now(store.create(&session.expect("a session"))).expect("room");
            secrets.push((id, secret));
        }
        let sessions = Sessions::new(store, policy()).with_clock(clock.clone());
        Self { sessions, clock, secrets }
    }

    pub fn token(&self, number: usize) -> SessionToken {
        let (id, secret) = self.secrets[number];
        SessionToken::from_parts(SessionId::from_bytes(id), secret)
    }

    /// Authenticates, and whether it was served.
    #[inline]
    pub fn authenticate(&self, token: &SessionToken) -> bool {
        now(self.sessions.authenticate(token)).is_ok()
    }
}

/// The floor: an id gives a hash, and the secret's is compared.
pub struct Bare(DashMap<[u8; 16], [u8; 32], foldhash::fast::RandomState>);

impl Bare {
    pub fn new(world: &World) -> Self {
        let hash = |(id, secret): &([u8; 16], [u8; 32])| (*id, Sha256::digest(secret).into());
        Self(world.secrets.iter().map(hash).collect())
    }

    #[inline]
    pub fn authenticate(&self, id: &[u8; 16], secret: &[u8; 32]) -> bool {
        let Some(hash) = self.0.get(id) else { return false };
        *hash == <[u8; 32]>::from(Sha256::digest(secret))
    }
}

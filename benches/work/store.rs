//! Requests over the embedded store, and the floor under them: a bare sharded
//! map and one SHA-256.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use dashmap::DashMap;
use session_policy::store::SessionStore;
use session_policy::{
    ManualClock, MemoryStore, Session, SessionId, SessionToken, Sessions, Timestamp,
};
use sha2::{Digest, Sha256};

use super::Random;
use super::rule::policy;

/// In 2096: `jsonwebtoken` judges tokens by the system's clock.
pub const LOGIN: i64 = 4_000_000_000;

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
        let world = Self::empty(count);
        for number in 0..count {
            world.create(number, 0);
        }
        world
    }

    /// Tokens, and none of their sessions yet.
    pub fn empty(count: usize) -> Self {
        let clock = ManualClock::new(at(0));
        let mut random = Random::new(11);
        let secrets = (0..count).map(|_| (random.bytes(), random.bytes())).collect();
        let sessions = Sessions::new(MemoryStore::new(), policy()).with_clock(clock.clone());
        Self { sessions, clock, secrets }
    }

    /// The session of a number, started so many seconds after `LOGIN`.
    pub fn create(&self, number: usize, after: i64) {
        let (token, lifetime) = (self.token(number), policy().start(at(after)));
        let subject = format!("user-{number}");
        let session = Session::new(token.id(), subject, "default", token.secret_hash(), lifetime);
        now(self.sessions.store().create(&session.expect("a session"))).expect("room");
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

/// The floor under a store of whole records: a map of the same sessions.
pub struct BareRecords(DashMap<SessionId, Session, foldhash::fast::RandomState>);

impl BareRecords {
    pub fn new(world: &World) -> Self {
        let held = |token: SessionToken| {
            let session = now(world.sessions.store().load(&token.id())).expect("a memory");
            (token.id(), session.expect("held"))
        };
        Self((0..world.secrets.len()).map(|number| held(world.token(number))).collect())
    }

    #[inline]
    pub fn authenticate(&self, token: &SessionToken) -> bool {
        self.0.get(&token.id()).is_some_and(|session| session.secret().matches(token))
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

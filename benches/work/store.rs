//! Requests over the embedded store, and the floor under them: a bare sharded
//! map and one SHA-256.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::RwLock;
use std::task::{Context, Poll, Waker};

use session_policy::store::{SecretHash, SessionStore};
use session_policy::{
    ManualClock, MemoryStore, Policies, Session, SessionId, SessionLimit, SessionToken, Sessions,
    Timestamp, WhenFull,
};
use sha2::{Digest, Sha256};

use super::Random;
use super::rule::policy;

/// In 2096: `jsonwebtoken` checks tokens by the system's clock.
pub const LOGIN: i64 = 4_000_000_000;

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
    pub sessions: Sessions<MemoryStore>,
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

    /// Tokens for 100,000, and none of their sessions yet; a subject may have so many, and
    /// a sign-in ends the oldest.
    pub fn limited(max: u32) -> Self {
        let mut world = Self::empty(100_000);
        let max = NonZeroU32::new(max).expect("positive");
        let limit = SessionLimit::new(max, WhenFull::EndOldest);
        let policies = Policies::new(policy()).with_limit(Policies::DEFAULT, limit);
        let policies = policies.expect("one limit");
        world.sessions =
            Sessions::new(MemoryStore::new(), policies).with_clock(world.clock.clone());
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
        self.create_of(&format!("user-{number}"), number, after);
    }

    /// The same, of this subject.
    pub fn create_of(&self, subject: &str, number: usize, after: i64) {
        let hash = SecretHash::of_secret(&self.secrets[number].1);
        let lifetime = policy().start(at(after));
        let session = Session::new(self.id(number), subject, "default", hash, lifetime);
        now(self.sessions.store().create(&session.expect("a session"))).expect("room");
    }

    pub fn id(&self, number: usize) -> SessionId {
        SessionId::from_bytes(self.secrets[number].0)
    }

    pub fn token(&self, number: usize) -> SessionToken {
        SessionToken::from_parts(self.id(number), self.secrets[number].1)
    }

    /// What the floors are given of the token: the id as bytes, the secret as text.
    pub fn parts(&self, number: usize) -> (SessionId, String) {
        let token = self.token(number);
        let (_, secret) = token.expose().split_once('.').expect("a full stop");
        (self.id(number), secret.into())
    }

    /// Authenticates, and whether it was served.
    #[inline]
    pub fn authenticate(&self, token: &SessionToken) -> bool {
        now(self.sessions.authenticate(token.expose())).is_ok()
    }
}

type Part<T> = RwLock<HashMap<[u8; 16], T, foldhash::fast::RandomState>>;

/// A map in as many parts as the embedded store's, each behind a lock, by the last byte
/// of the id.
struct Parts<T>(Vec<Part<T>>);

impl<T> Parts<T> {
    fn new(held: impl Iterator<Item = ([u8; 16], T)>) -> Self {
        let parts = Self((0..128).map(|_| RwLock::default()).collect());
        for (id, value) in held {
            parts.part(&id).write().expect("no panic").insert(id, value);
        }
        parts
    }

    #[inline]
    fn part(&self, id: &[u8; 16]) -> &Part<T> {
        &self.0[usize::from(id[15]) % 128]
    }

    #[inline]
    fn read<U>(&self, id: &[u8; 16], read: impl FnOnce(&T) -> U) -> Option<U> {
        self.part(id).read().expect("no panic").get(id).map(read)
    }
}

/// The floor under a store of whole records: a map of the same sessions, which hands out a
/// session, as `load` must.
pub struct BareRecords(Parts<Session>);

impl BareRecords {
    pub fn new(world: &World) -> Self {
        let held = |id: SessionId| {
            let session = now(world.sessions.store().load(&id)).expect("a memory");
            (*id.as_bytes(), session.expect("held"))
        };
        Self(Parts::new((0..world.secrets.len()).map(|number| held(world.id(number)))))
    }

    #[inline]
    pub fn authenticate(&self, id: &SessionId, secret: &str) -> bool {
        let hash = || SecretHash::from_bytes(Sha256::digest(secret).into());
        let session = self.0.read(id.as_bytes(), Session::clone);
        session.is_some_and(|session| *session.secret() == hash())
    }
}

/// The floor: an id gives a hash, and the secret's is compared.
pub struct Bare(Parts<[u8; 32]>);

impl Bare {
    pub fn new(world: &World) -> Self {
        let hash = |number| {
            let (id, secret) = world.parts(number);
            (*id.as_bytes(), Sha256::digest(secret).into())
        };
        Self(Parts::new((0..world.secrets.len()).map(hash)))
    }

    #[inline]
    pub fn authenticate(&self, id: &SessionId, secret: &str) -> bool {
        let is_its = |hash: &[u8; 32]| *hash == <[u8; 32]>::from(Sha256::digest(secret));
        self.0.read(id.as_bytes(), is_its).unwrap_or(false)
    }
}

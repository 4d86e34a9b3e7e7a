//! A session as the least code would keep it: the floor under every library.

use std::hash::{BuildHasherDefault, Hasher};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use base64ct::{Base64UrlUnpadded, Encoding};
use dashmap::DashMap;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::task::Task;

/// How long a session lives unused, holds a renewal, and lives in all; seconds.
pub const LIMITS: (i64, i64, i64) = (7_200, 3_600, 2_592_000);

/// A record: whose, under which secret, and how long.
#[derive(Clone, Debug)]
pub struct Record {
    /// Whose session it is.
    pub subject: Arc<str>,
    /// The SHA-256 of its secret's text.
    pub secret: [u8; 32],
    /// How long it lives.
    pub instants: Instants,
}

/// Four instants in unix seconds.
#[derive(Clone, Copy, Debug)]
pub struct Instants {
    /// When the session began.
    pub created_at: i64,
    /// When it was last renewed.
    pub renewed_at: i64,
    /// When it ends unless it is renewed.
    pub expires_at: i64,
    /// When it ends in any case.
    pub absolute_expires_at: i64,
}

/// What becomes of a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Serve.
    Keep,
    /// Refuse.
    Reject,
    /// Serve, and store these `renewed_at` and `expires_at`.
    Renew(i64, i64),
}

impl Record {
    /// A record that begins at `now`.
    #[must_use]
    pub fn new(subject: Arc<str>, secret: &[u8; 32], now: i64) -> Self {
        let secret = Base64UrlUnpadded::encode_string(secret);
        Self { subject, secret: Sha256::digest(secret).into(), instants: Instants::from(now) }
    }

    /// Whether this is the secret's text, in constant time.
    #[must_use]
    pub fn opens(&self, secret: &str) -> bool {
        self.secret.ct_eq(&Sha256::digest(secret)).into()
    }
}

impl Instants {
    /// The rule in comparisons of integers.
    #[must_use]
    pub fn verdict(&self, now: i64) -> Verdict {
        let (max_age, update_age, cap) = LIMITS;
        let cap = self.absolute_expires_at.min(self.created_at + cap);
        let end = self.expires_at.min(self.renewed_at + max_age).min(cap);
        if now < self.created_at - 60 || now >= end {
            Verdict::Reject
        } else if now >= self.renewed_at + update_age {
            Verdict::Renew(now, (now + max_age).min(cap))
        } else {
            Verdict::Keep
        }
    }
}

/// Those of a session that begins.
impl From<i64> for Instants {
    fn from(now: i64) -> Self {
        let (max_age, _, cap) = LIMITS;
        Self {
            created_at: now,
            renewed_at: now,
            expires_at: now + max_age,
            absolute_expires_at: now + cap,
        }
    }
}

/// Records by id, in a sharded map.
pub type Records = DashMap<[u8; 16], Record, BuildHasherDefault<IdHasher>>;

/// Takes the first 8 bytes of an id as its hash: an id is random.
#[derive(Clone, Copy, Debug, Default)]
pub struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(head) = bytes.first_chunk() {
            self.0 = u64::from_ne_bytes(*head);
        }
    }

    /// The length of an array says nothing.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

/// An id and a secret at random.
///
/// # Panics
///
/// If the operating system has no randomness to give.
#[must_use]
pub fn random<const BYTES: usize>() -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    let filled = getrandom::fill(&mut bytes);
    assert!(filled.is_ok(), "there is randomness");
    bytes
}

/// The text of a token.
#[must_use]
pub fn token(id: &[u8; 16], secret: &[u8; 32]) -> String {
    let text = Base64UrlUnpadded::encode_string;
    format!("{}.{}", text(id), text(secret))
}

/// The id and the secret's text of a token.
#[must_use]
pub fn parse(token: &str) -> Option<([u8; 16], &str)> {
    let mut id = [0; 16];
    let (id_text, secret) = token.split_once('.')?;
    let whole = Base64UrlUnpadded::decode(id_text, &mut id).ok()?.len() == 16;
    whole.then_some((id, secret))
}

/// The hash that every opaque token costs.
///
/// # Panics
///
/// Once it is run, if it gives another hash than before.
#[must_use]
pub fn one_block() -> Task {
    let secret: [u8; 32] = random();
    let expected = Sha256::digest(secret);
    Task::new("SHA-256", move || assert_eq!(Sha256::digest(black_box(secret)), expected))
}

/// The unix seconds of the system's clock.
#[must_use]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

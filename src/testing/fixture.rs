//! The sessions that the kit stores.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::config::Policies;
use crate::record::{SecretHash, Session, SessionId, SessionParts};
use crate::rule::Lifetime;
use crate::store::Update;
use crate::time::Timestamp;

pub(super) const SUBJECT: &str = "user-42";

/// The instant `offset` seconds after 2100-01-01T00:00:07Z: later than the clock
/// of any engine, and on no whole minute.
pub(super) const fn at(offset: i64) -> Timestamp {
    Timestamp::from_unix_secs(4_102_444_807).saturating_add(TimeDelta::seconds(offset))
}

/// The id of the kit's session number `n`.
pub(super) fn id(n: u32) -> SessionId {
    let mut bytes = *b"\0kit's id\xff\x80\x20____";
    bytes[12..].copy_from_slice(&n.to_be_bytes());
    SessionId::from_bytes(bytes)
}

/// A secret that differs from those of other numbers in late bytes only.
pub(super) fn secret(n: u32) -> SecretHash {
    let mut bytes = *b"the hash of a secret\0\xff\x80'\"\\% ____";
    bytes[28..].copy_from_slice(&n.to_le_bytes());
    SecretHash::from_bytes(bytes)
}

/// Session number `n`: created at 0, expires at 901, ends at 3607.
pub(super) fn session(n: u32) -> Session {
    session_of(n, SUBJECT)
}

pub(super) fn session_of(n: u32, subject: impl Into<Arc<str>>) -> Session {
    build(SessionParts {
        id: id(n),
        subject: subject.into(),
        profile: Policies::DEFAULT.into(),
        epoch: None,
        ordinal: 0,
        about: None,
        version: 0,
        secret: secret(n),
        lifetime: Lifetime::ordered(at(0), at(0), at(901), at(3_607)),
        generation: 0,
        confirmed_at: Some(at(0)),
    })
}

/// Session number `n`, in which no two fields are alike.
pub(super) fn full(n: u32) -> Session {
    with(&session(n), |parts| {
        parts.profile = "remember-me".into();
        parts.epoch = Some(11);
        parts.ordinal = 12;
        parts.about = Some("Firefox on Linux".into());
        parts.version = 13;
        parts.lifetime = Lifetime::ordered(at(1), at(62), at(903), at(3_604));
        parts.generation = 14;
        parts.confirmed_at = Some(at(65));
    })
}

/// Session number `n`, whose `expires_at` is `expires_at` and whose cap is far
/// later.
pub(super) fn expiring(n: u32, expires_at: Timestamp) -> Session {
    let early = expires_at.saturating_sub(TimeDelta::seconds(900));
    let cap = expires_at.saturating_add(TimeDelta::days(1));
    with_lifetime(&session(n), Lifetime::ordered(early, early, expires_at, cap))
}

pub(super) fn with_lifetime(session: &Session, lifetime: Lifetime) -> Session {
    with(session, |parts| parts.lifetime = lifetime)
}

pub(super) fn with(session: &Session, change: impl FnOnce(&mut SessionParts)) -> Session {
    let mut parts = session.clone().into_parts();
    change(&mut parts);
    build(parts)
}

/// The renewal of `session` that gives it these instants.
pub(super) fn renewal(session: &Session, renewed_at: Timestamp, expires_at: Timestamp) -> Update {
    renewal_at(session, renewed_at, renewed_at, expires_at)
}

/// As [`renewal`], written at another instant than `renewed_at`.
pub(super) fn renewal_at(
    session: &Session,
    written_at: Timestamp,
    renewed_at: Timestamp,
    expires_at: Timestamp,
) -> Update {
    let created_at = session.lifetime().created_at().min(renewed_at);
    let lifetime = Lifetime::ordered(created_at, renewed_at, expires_at, expires_at);
    Update::new(session, written_at, &lifetime)
}

/// A write of `session` that sets every field to another value, by the number
/// `n`; it moves `expires_at` by `n` seconds.
pub(super) fn rewrite(session: &Session, n: u32) -> Update {
    let (seconds, lifetime) = (TimeDelta::seconds(i64::from(n)), session.lifetime());
    let renewed_at = lifetime.renewed_at().saturating_add(seconds);
    let expires_at = lifetime.expires_at().saturating_add(seconds);
    renewal(session, renewed_at, expires_at)
        .with_secret(secret(1_000_000 + n))
        .with_generation(u64::from(n) + 1_000, (!n.is_multiple_of(3)).then_some(renewed_at))
}

/// A numbers' generator (`SplitMix64`), so that a run can be repeated.
#[derive(Clone, Debug)]
pub(super) struct Random(pub(super) u64);

impl Random {
    /// Less than `bound`.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bound = bound.max(1) as u64;
        usize::try_from((mixed ^ (mixed >> 31)) % bound).unwrap_or(0)
    }
}

#[expect(clippy::expect_used, reason = "the kit's own sessions are valid")]
fn build(parts: SessionParts) -> Session {
    Session::restore(parts).expect("a valid session of the kit")
}

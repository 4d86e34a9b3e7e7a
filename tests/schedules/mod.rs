//! Runs requests of the real sessions over one small store in every order.
//!
//! The store waits before and after the effect of each verb. A schedule says, step by
//! step, which request goes on or is dropped, and which verb fails. All schedules are
//! taken by depth-first search: a run follows the choices of the one before up to the
//! last that has an alternative. Where two schedules lead to the same state (the same
//! rows, and the same answers to each request so far), what comes after is explored
//! once, and counted for both.
//!
//! Ids and secrets are random, so a state names them by the request that made them.
//! Where ids decide a tie, a run whose ids come in another order than that of the
//! requests is drawn again.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![allow(dead_code, unused_imports, reason = "each test file uses its own part")]

mod explore;
mod store;
mod world;

use chrono::TimeDelta;
use session_policy::store::SecretHash;
use session_policy::{Lifetime, Session, SessionId, SessionPolicy, SessionToken, Timestamp};

pub(crate) use self::explore::{Choices, Explored, Run, drawn, every};
pub(crate) use self::store::{Fault, MADE_BY, Store, When};
pub(crate) use self::world::{Answer, Task, World};

pub(crate) const SUBJECT: &str = "user-42";
pub(crate) const DEFAULT: &str = "default";

/// So many seconds after the sign-in of the tests.
pub(crate) fn at(secs: i64) -> Timestamp {
    Timestamp::from_unix_secs(1_800_000_000 + secs)
}

pub(crate) fn secs(secs: i64) -> TimeDelta {
    TimeDelta::seconds(secs)
}

/// 30 minutes idle, renewed every minute, 8 hours in all.
pub(crate) fn policy() -> SessionPolicy {
    SessionPolicy::new(secs(1_800), secs(60), secs(28_800)).unwrap()
}

/// A session that is there before the requests, and its token. The ids of these come
/// before all random ones, in the order of `number`.
pub(crate) struct Old {
    pub(crate) row: Session,
    pub(crate) token: SessionToken,
}

pub(crate) fn old(number: u8, ordinal: u64, created_at: i64, renewed_at: i64) -> Old {
    old_of(number, ordinal, DEFAULT, policy().start(at(created_at)), renewed_at)
}

pub(crate) fn old_of(
    number: u8,
    ordinal: u64,
    profile: &str,
    lifetime: Lifetime,
    renewed_at: i64,
) -> Old {
    let mut id = [0; SessionId::BYTES];
    id[SessionId::BYTES - 1] = number;
    let (id, secret) = (SessionId::from_bytes(id), [number; 32]);
    let cap = lifetime.absolute_expires_at();
    let expires_at = at(renewed_at).saturating_add(secs(1_800)).min(cap);
    let lifetime =
        Lifetime::restore(lifetime.created_at(), at(renewed_at), expires_at, cap).unwrap();
    let row = Session::new(id, SUBJECT, profile, SecretHash::of_secret(&secret), lifetime).unwrap();
    let mut parts = row.into_parts();
    parts.ordinal = ordinal;
    Old { row: Session::restore(parts).unwrap(), token: SessionToken::from_parts(id, secret) }
}

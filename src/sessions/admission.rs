//! Carries out a [`SessionLimit`] around the creation of a session.

use alloc::vec::Vec;

use super::bounds::Bound;
use super::context::Context;
use super::error::StartError;
use super::event::{Event, EventKind};
use crate::config::{SessionLimit, WhenFull};
use crate::record::{Session, SessionId};
use crate::store::{SessionStore, yield_now};
use crate::time::Timestamp;

/// After how many removals other tasks run.
const REMOVED_AT_ONCE: usize = 256;

/// One sign-in under a limit: [`make_room`](Self::make_room), create the session with
/// the ordinal that this gives, and [`settle`](Self::settle).
///
/// Rows count, whether or not their time is over: a renewal that is under way may
/// still come. Those that have ended are removed first, so that it finds no row.
///
/// Sign-ins that race see each other by listing again after the creation, and go by
/// one order, that of the ordinals, which no clock decides: a session that is there
/// before a sign-in looks has a lower ordinal than the one it starts.
pub(super) struct Admission<'a, S> {
    pub(super) store: &'a S,
    pub(super) context: &'a Context,
    pub(super) limit: SessionLimit,
    pub(super) bound: &'a Bound,
    pub(super) subject: &'a str,
    pub(super) profile: &'a str,
    pub(super) replacing: Option<SessionId>,
}

impl<S: SessionStore> Admission<'_, S> {
    /// The ordinal of the new session, one more than the greatest. Under
    /// [`WhenFull::Refuse`] it refuses where there is no room, and removes what has
    /// ended where that makes some.
    pub(super) async fn make_room(&self) -> Result<u64, StartError> {
        let listed = self.store.list(self.subject).await?;
        let ordinal = listed.iter().map(Session::ordinal).max().unwrap_or(0).saturating_add(1);
        let rows = self.counted(listed);
        let missing = (rows.len() + 1).saturating_sub(self.max());
        if missing == 0 || self.limit.when_full() != WhenFull::Refuse {
            return Ok(ordinal);
        }
        let now = self.context.now();
        let (mut ended, mut live): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| self.has_ended(row, now));
        if ended.len() < missing {
            live.sort_by_key(|row| (row.lifetime().created_at(), row.id()));
            let max_sessions = self.limit.max_sessions();
            return Err(StartError::TooMany { max_sessions, sessions: live });
        }
        let in_the_way = lowest(&mut ended, missing, by_ordinal);
        self.remove(in_the_way, now).await?;
        Ok(ordinal)
    }

    /// Makes the limit hold once `own` is created. After an error it must be withdrawn,
    /// and nothing that lives was ended for it.
    pub(super) async fn settle(&self, own: &Session) -> Result<(), StartError> {
        let mut rows = self.counted(self.store.list(self.subject).await?);
        if !rows.iter().any(|row| row.id() == own.id()) {
            return Err(StartError::Displaced);
        }
        let excess = rows.len().saturating_sub(self.max());
        if excess == 0 {
            return Ok(());
        }
        let now = self.context.now();
        let is_lower = |row: &Session| row.ordinal() < own.ordinal();
        let mut ended: Vec<_> =
            rows.extract_if(.., |row| is_lower(row) && self.has_ended(row, now)).collect();
        let in_the_way = lowest(&mut ended, excess, by_ordinal);
        let excess = excess - in_the_way.len();
        self.remove(in_the_way, now).await?;
        if excess == 0 {
            return Ok(());
        }
        let mut displaced = match self.limit.when_full() {
            WhenFull::Refuse => return Err(StartError::Raced),
            WhenFull::EndOldest => Vec::new(),
            WhenFull::EndLeastRecent => {
                let mut lower: Vec<_> = rows.extract_if(.., |row| is_lower(row)).collect();
                let least =
                    lowest(&mut lower, excess, |row| (row.lifetime().renewed_at(), row.id()));
                least.to_vec()
            }
        };
        let excess = excess - displaced.len();
        displaced.extend_from_slice(lowest(&mut rows, excess, by_ordinal));
        if displaced.iter().any(|row| row.id() == own.id()) {
            return Err(StartError::Displaced);
        }
        self.remove(&displaced, now).await
    }

    /// Removes sessions, which others may have been first to remove, and tells of each.
    async fn remove(&self, sessions: &[Session], now: Timestamp) -> Result<(), StartError> {
        for some in sessions.chunks(REMOVED_AT_ONCE) {
            for row in some {
                if self.store.remove(&row.id()).await? {
                    self.context.tell(|| match self.end_of(row) {
                        None => Event::of(row, now, EventKind::Ended { cause: "revoked" }),
                        Some(end) if end <= now => Event::of(row, end, EventKind::Expired),
                        Some(_) => Event::of(row, now, EventKind::Ended { cause: "limit" }),
                    });
                }
            }
            if some.len() == REMOVED_AT_ONCE {
                yield_now().await;
            }
        }
        Ok(())
    }

    /// The rows that count: those of the profile, but the one to be replaced. A profile
    /// that is no longer in the set counts as the default one, which judges it.
    fn counted(&self, mut listed: Vec<Session>) -> Vec<Session> {
        let policies = self.context.policies();
        let profile = policies.known(self.profile);
        listed.retain(|row| {
            Some(row.id()) != self.replacing && policies.known(row.profile()) == profile
        });
        listed
    }

    /// The first instant at which today's policy and bound refuse a session for good;
    /// `None` if it is revoked.
    fn end_of(&self, row: &Session) -> Option<Timestamp> {
        let policy = self.context.policy_under(Some(self.bound), row)?;
        Some(policy.status(row.lifetime(), row.lifetime().renewed_at()).idle_expires_at)
    }

    fn has_ended(&self, row: &Session, now: Timestamp) -> bool {
        self.end_of(row).is_none_or(|end| end <= now)
    }

    fn max(&self) -> usize {
        usize::try_from(self.limit.max_sessions().get()).unwrap_or(usize::MAX)
    }
}

fn by_ordinal(row: &Session) -> (u64, Timestamp, SessionId) {
    (row.ordinal(), row.lifetime().created_at(), row.id())
}

/// The `count` lowest of `rows`, or all of them, in no order.
fn lowest<K: Ord>(rows: &mut [Session], count: usize, key: fn(&Session) -> K) -> &[Session] {
    if count >= rows.len() {
        return rows;
    }
    rows.select_nth_unstable_by_key(count, key).0
}

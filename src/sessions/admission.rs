//! Carries out a [`SessionLimit`] around the creation of a session.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::mem;

use super::bounds::Bound;
use super::context::Context;
use super::error::StartError;
use super::event::{Event, EventKind};
use crate::config::{SessionLimit, WhenFull};
use crate::record::{Session, SessionId};
use crate::rule::Status;
use crate::store::{SessionStore, StoreError, yield_now};
use crate::time::Timestamp;

/// After how many removals other tasks run.
const REMOVED_AT_ONCE: usize = 256;
/// Other tasks run after so many rows that are only read.
pub(super) const SEEN_AT_ONCE: usize = 1_024;

/// One sign-in under a limit: [`make_room`](Self::make_room), create the session with
/// the ordinal that this gives, and [`settle`](Self::settle).
///
/// Rows count, whether or not their time is over: a renewal that is under way may
/// still come. Those that have ended are removed before others, so that it finds no
/// row.
///
/// Sign-ins that race see each other by listing again after the creation, and go by
/// one order, that of the ordinals, which no clock decides: a session that is there
/// before a sign-in looks has a lower ordinal than the one it starts.
pub(super) struct Admission<'a, S> {
    pub(super) store: &'a S,
    pub(super) context: &'a Context,
    pub(super) limit: SessionLimit,
    pub(super) bound: &'a Bound,
    /// The subject's, before the bound was asked.
    pub(super) listed: Vec<Session>,
    pub(super) subject: &'a str,
    pub(super) profile: &'a str,
    pub(super) replacing: Option<SessionId>,
}

impl<S: SessionStore> Admission<'_, S> {
    /// The ordinal of the new session, one more than the greatest. Under
    /// [`WhenFull::Refuse`] it refuses where there is no room, nor what has ended would
    /// make some.
    pub(super) async fn make_room(&self) -> Result<u64, StartError> {
        let may_refuse =
            self.limit.when_full() == WhenFull::Refuse && self.listed.len() >= self.max();
        let (mut greatest, mut live) = (0, BTreeMap::new());
        for (at, row) in self.listed.iter().enumerate() {
            greatest = row.ordinal().max(greatest);
            if may_refuse && self.counts(row) {
                let now = self.context.now();
                if self.status_of(row, now).is_some_and(|status| now < status.idle_expires_at) {
                    live.insert((row.lifetime().created_at(), row.id()), row.clone());
                }
            }
            pause_after(at, SEEN_AT_ONCE).await;
        }
        if live.len() >= self.max() {
            let max_sessions = self.limit.max_sessions();
            let sessions = live.into_values().collect();
            return Err(StartError::TooMany { max_sessions, sessions });
        }
        Ok(greatest.saturating_add(1))
    }

    /// Makes the limit hold once `own` is created. After an error it must be withdrawn.
    ///
    /// Whether `own` stands is decided before anything is ended for it.
    pub(super) async fn settle(mut self, own: &Session) -> Result<(), StartError> {
        let (mut rows, mut stands) = (Vec::new(), false);
        for (at, row) in self.store.list(self.subject).await?.into_iter().enumerate() {
            if self.counts(&row) {
                stands |= row.id() == own.id();
                rows.push(row);
            }
            pause_after(at, SEEN_AT_ONCE).await;
        }
        if !stands {
            return Err(StartError::Displaced);
        }
        let excess = rows.len().saturating_sub(self.max());
        if excess == 0 {
            release(rows).await;
            release(self.listed).await;
            return Ok(());
        }
        let now = self.context.now();
        let mut known: Option<BTreeSet<_>> = None;
        let mut is_known = |row: &Session| {
            let ids = || self.listed.iter().map(Session::id).collect();
            known.get_or_insert_with(ids).contains(&row.id())
        };
        let (mut ended, mut lower, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for (at, row) in rows.iter().enumerate() {
            if row.ordinal() >= own.ordinal() {
                others.push(row);
            } else {
                let has_ended = match self.status_of(row, now) {
                    Some(status) => status.idle_expires_at <= now,
                    // What came after the bound was asked may be of a later epoch than it knows.
                    None => is_known(row),
                };
                if has_ended { ended.push(row) } else { lower.push(row) }
            }
            pause_after(at, SEEN_AT_ONCE).await;
        }
        let mut in_the_way = lowest(ended, excess, by_ordinal).await;
        if in_the_way.len() < excess {
            let left = excess - in_the_way.len();
            in_the_way.extend(match self.limit.when_full() {
                WhenFull::Refuse => return Err(StartError::Raced),
                WhenFull::EndOldest => {
                    lower.append(&mut others);
                    lowest(lower, left, by_ordinal).await
                }
                WhenFull::EndLeastRecent => {
                    lowest(lower, left, |row| (row.lifetime().renewed_at(), row.id())).await
                }
            });
            in_the_way.extend(lowest(others, excess - in_the_way.len(), by_ordinal).await);
        }
        if in_the_way.iter().any(|row| row.id() == own.id()) {
            return Err(StartError::Displaced);
        }
        let in_the_way = in_the_way.into_iter().cloned().collect();
        // Before any session is ended: who hangs up meanwhile has lost nothing.
        release(rows).await;
        release(mem::take(&mut self.listed)).await;
        self.remove(in_the_way, now).await
    }

    /// Removes sessions, which others may have been first to remove, and tells of each.
    async fn remove(&self, sessions: Vec<Session>, now: Timestamp) -> Result<(), StartError> {
        for (at, row) in sessions.into_iter().enumerate() {
            if remove(self.store, &row.id()).await? {
                self.context.tell(|| match self.status_of(&row, now) {
                    None => Event::of(&row, now, EventKind::Ended { cause: "revoked" }),
                    Some(status) if status.idle_expires_at <= now => {
                        Event::of(&row, status.idle_expires_at, EventKind::expired(&status))
                    }
                    Some(_) => Event::of(&row, now, EventKind::Ended { cause: "limit" }),
                });
            }
            pause_after(at, REMOVED_AT_ONCE).await;
        }
        Ok(())
    }

    /// Whether a row counts: those of the profile do, but the one to be replaced. A profile
    /// that is no longer in the set counts as the default one, which judges it.
    fn counts(&self, row: &Session) -> bool {
        let policies = self.context.policies();
        Some(row.id()) != self.replacing
            && policies.known(row.profile()) == policies.known(self.profile)
    }

    /// Of a session under today's policy and bound; `None` if it is revoked.
    fn status_of(&self, row: &Session, now: Timestamp) -> Option<Status> {
        let policy = self.context.policy_under(Some(self.bound), row)?;
        Some(policy.status(row.lifetime(), now))
    }

    fn max(&self) -> usize {
        usize::try_from(self.limit.max_sessions().get()).unwrap_or(usize::MAX)
    }
}

/// After an error it is not known whether the session was removed: it is asked once
/// more, so that one failure ends nothing for a sign-in that then does not stand. It is
/// gone then, and told of, whoever removed it.
pub(super) async fn remove<S: SessionStore>(store: &S, id: &SessionId) -> Result<bool, StoreError> {
    match store.remove(id).await {
        Ok(removed) => Ok(removed),
        Err(_) => store.remove(id).await.map(|_| true),
    }
}

fn by_ordinal(row: &Session) -> (u64, Timestamp, SessionId) {
    (row.ordinal(), row.lifetime().created_at(), row.id())
}

/// The `count` lowest of `rows`, or all of them, in no order.
async fn lowest<K: Copy + Ord>(
    rows: Vec<&Session>,
    count: usize,
    key: impl Fn(&Session) -> K,
) -> Vec<&Session> {
    if count >= rows.len() {
        return rows;
    }
    // Keys are made once: records lie anywhere in memory, and a selection compares each often.
    let mut keyed = Vec::with_capacity(rows.len());
    for (at, row) in rows.into_iter().enumerate() {
        keyed.push((key(row), row));
        pause_after(at, SEEN_AT_ONCE).await;
    }
    keyed.select_nth_unstable_by_key(count, |(key, _)| *key);
    keyed.truncate(count);
    keyed.into_iter().map(|(_, row)| row).collect()
}

/// Frees rows some at a time: whoever holds the last clone of a record frees it.
async fn release(rows: Vec<Session>) {
    for (at, row) in rows.into_iter().enumerate() {
        drop(row);
        pause_after(at, SEEN_AT_ONCE).await;
    }
}

/// Lets other tasks run once every `some` rows; `at` counts from 0. A subject may have any number
/// of them.
pub(super) async fn pause_after(at: usize, some: usize) {
    if at % some == some - 1 {
        yield_now().await;
    }
}

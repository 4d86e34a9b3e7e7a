//! Carries out a [`SessionLimit`] around the creation of a session.

use alloc::vec::Vec;

use super::context::Context;
use super::error::StartError;
use super::event::{Event, EventKind};
use crate::config::{SessionLimit, WhenFull};
use crate::record::{Session, SessionId};
use crate::store::{SessionStore, StoreError};
use crate::time::Timestamp;

/// How often a sign-in that fits by age looks whether the others, which do not,
/// have withdrawn.
const SETTLING_READS: u32 = 4;

/// One sign-in under a limit: [`look`](Self::look), then read the clock, name the
/// session by [`Before::follow`], and [`admit`](Self::admit) it.
///
/// All sign-ins go by one order, `(created_at, id)`, and end what has
/// `max_sessions` later ones: so those are never ended, whoever races, and the
/// last to be created, which sees all, ends the others. By one clock the order is
/// that of creation, since the clock is read after the look and ids of one second
/// follow each other.
pub(super) struct Admission<'a, S> {
    pub(super) store: &'a S,
    pub(super) context: &'a Context,
    pub(super) subject: &'a str,
    pub(super) profile: &'a str,
}

/// The subject's live sessions before a sign-in, the oldest first.
pub(super) struct Before(Vec<Session>);

impl Before {
    /// `id`, or one that follows those of this second.
    pub(super) fn follow(&self, id: SessionId, now: Timestamp) -> SessionId {
        match self.0.iter().rfind(|held| held.lifetime().created_at() == now) {
            Some(newest) if newest.id() >= id => id.after(newest.id()),
            _ => id,
        }
    }
}

impl<S: SessionStore> Admission<'_, S> {
    /// Refuses a session for which there is no room. Writes nothing.
    pub(super) async fn look(&self, now: Timestamp) -> Result<Before, StartError> {
        let Some(&limit) = self.limit() else {
            return Ok(Before(Vec::new()));
        };
        let live = self.live(now).await?;
        if limit.when_full() == WhenFull::Refuse && live.len() >= max(limit) {
            return Err(refusal(limit));
        }
        Ok(Before(live))
    }

    /// Creates the session, with the limit held around it; after an error it is
    /// not to be handed out.
    pub(super) async fn admit(
        &self,
        before: Before,
        session: &Session,
        now: Timestamp,
    ) -> Result<(), StartError> {
        self.make_way(before, now).await?;
        self.store.create(session).await?;
        self.settle(session.id(), now).await
    }

    /// Where as many sessions as may stay are later than `now` (another server's
    /// clock is ahead), ends the oldest of these: they were there before.
    async fn make_way(&self, Before(before): Before, now: Timestamp) -> Result<(), StartError> {
        let Some(&limit) = self.limit() else {
            return Ok(());
        };
        let past = before.partition_point(|held| held.lifetime().created_at() <= now);
        let ahead = &before[past..];
        let excess = (ahead.len() + 1).saturating_sub(max(limit));
        self.end(&ahead[..excess], now).await
    }

    /// Makes the limit hold once the session is created; an error means that it
    /// has been removed.
    async fn settle(&self, id: SessionId, now: Timestamp) -> Result<(), StartError> {
        let Some(&limit) = self.limit() else {
            return Ok(());
        };
        let settled = match limit.when_full() {
            WhenFull::EndOldest => self.end_oldest(limit, id, now).await,
            WhenFull::Refuse => self.wait_for_room(limit, id, now).await,
        };
        if settled.is_err() {
            // If this fails too, the session expires unused: nobody has its
            // token.
            let _ = self.store.remove(&id).await;
        }
        settled
    }

    async fn end_oldest(
        &self,
        limit: SessionLimit,
        id: SessionId,
        now: Timestamp,
    ) -> Result<(), StartError> {
        let live = self.live(now).await?;
        let excess = live.len().saturating_sub(max(limit));
        let (own, others): (Vec<_>, Vec<_>) =
            live.into_iter().take(excess).partition(|held| held.id() == id);
        self.end(&others, now).await?;
        if own.is_empty() { Ok(()) } else { Err(StartError::Displaced) }
    }

    /// A sign-in goes ahead only if after its creation the limit holds, so that
    /// it never holds for too few: of sessions that are too many, the last to be
    /// created has seen the others. Those that do not fit by age withdraw, and
    /// the others look again.
    async fn wait_for_room(
        &self,
        limit: SessionLimit,
        id: SessionId,
        now: Timestamp,
    ) -> Result<(), StartError> {
        for _ in 0..SETTLING_READS {
            let live = self.live(now).await?;
            if live.len() <= max(limit) {
                return Ok(());
            }
            if !live.iter().take(max(limit)).any(|held| held.id() == id) {
                break;
            }
        }
        Err(refusal(limit))
    }

    async fn end(&self, sessions: &[Session], now: Timestamp) -> Result<(), StartError> {
        for held in sessions {
            // Another sign-in, which tells of it, may have been first.
            if self.store.remove(&held.id()).await? {
                self.context.tell(|| Event::of(held, now, EventKind::Ended));
            }
        }
        Ok(())
    }

    /// The subject's live sessions under the profile, the oldest first. A profile
    /// that is no longer in the set counts as the default one, which judges it.
    async fn live(&self, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let mut sessions = self.store.list(self.subject).await?;
        let policies = self.context.policies();
        let profile = policies.known(self.profile);
        sessions.retain(|held| {
            let policy = policies.policy_for(held.profile());
            policies.known(held.profile()) == profile
                && policy.peek(held.lifetime(), now).is_served()
        });
        sessions.sort_by_key(|held| (held.lifetime().created_at(), held.id()));
        Ok(sessions)
    }

    fn limit(&self) -> Option<&SessionLimit> {
        self.context.policies().limit(self.profile)
    }
}

fn max(limit: SessionLimit) -> usize {
    usize::try_from(limit.max_sessions().get()).unwrap_or(usize::MAX)
}

fn refusal(limit: SessionLimit) -> StartError {
    StartError::TooManySessions { max_sessions: limit.max_sessions() }
}

//! Carries out a [`SessionLimit`] around the creation of a session.

use alloc::vec::Vec;
use core::num::NonZeroU32;

use crate::{
    Event, EventKind, Observer, Policies, Session, SessionId, SessionLimit, StoreError,
    SubjectStore, Timestamp, WhenFull,
};

/// How often a sign-in that fits by age looks whether the others, which do not,
/// have withdrawn.
const SETTLING_READS: u32 = 4;

/// One sign-in under a limit: [`make_room`](Self::make_room), create the session,
/// [`settle`](Self::settle).
///
/// Making room beforehand is what a sign-in does that races none: all that is
/// there is older than it, whatever the clocks say. Settling afterwards is for
/// those that race: all that were created see each other then, and go by the
/// same order, `(created_at, id)`.
pub(crate) struct Admission<'a, S, O> {
    pub(crate) store: &'a S,
    pub(crate) policies: &'a Policies,
    pub(crate) observer: &'a O,
    pub(crate) session: &'a Session,
    pub(crate) now: Timestamp,
}

impl<S: SubjectStore, O: Observer> Admission<'_, S, O> {
    /// Leaves room for the session, or refuses it.
    pub(crate) async fn make_room(&self) -> Result<(), AdmissionError> {
        let Some(&limit) = self.limit() else {
            return Ok(());
        };
        let live = self.live().await?;
        let excess = (live.len() + 1).saturating_sub(max(limit));
        match limit.when_full() {
            WhenFull::Refuse if excess > 0 => Err(refusal(limit)),
            WhenFull::Refuse => Ok(()),
            WhenFull::EndOldest => self.end(live.iter().take(excess)).await,
        }
    }

    /// Makes the limit hold among sessions that were created concurrently; an
    /// error means that the session is not to be handed out and has been removed.
    pub(crate) async fn settle(&self) -> Result<(), AdmissionError> {
        let Some(&limit) = self.limit() else {
            return Ok(());
        };
        let id = self.session.id();
        let settled = match limit.when_full() {
            WhenFull::EndOldest => self.end_older(limit, id).await,
            WhenFull::Refuse => self.wait_for_room(limit, id).await,
        };
        if settled.is_err() {
            // If this fails too, the session expires unused: nobody has its
            // token.
            let _ = self.store.remove(&id).await;
        }
        settled
    }

    /// The last sign-in to create sees all others, so after it the limit holds;
    /// and each ends only sessions that `max_sessions` later ones displace, so
    /// that no two end each other.
    async fn end_older(&self, limit: SessionLimit, id: SessionId) -> Result<(), AdmissionError> {
        let live = self.live().await?;
        let excess = live.len().saturating_sub(max(limit));
        self.end(live.iter().take(excess)).await?;
        if live.iter().take(excess).any(|session| session.id() == id) {
            Err(AdmissionError::Displaced)
        } else {
            Ok(())
        }
    }

    /// A sign-in goes ahead only if after its creation the limit holds, so that
    /// it never holds for too few: of sessions that are too many, the last to be
    /// created has seen the others. Those that do not fit by age withdraw, and
    /// the others look again.
    async fn wait_for_room(
        &self,
        limit: SessionLimit,
        id: SessionId,
    ) -> Result<(), AdmissionError> {
        for _ in 0..SETTLING_READS {
            let live = self.live().await?;
            if live.len() <= max(limit) {
                return Ok(());
            }
            if !live.iter().take(max(limit)).any(|session| session.id() == id) {
                break;
            }
        }
        Err(refusal(limit))
    }

    async fn end(
        &self,
        sessions: impl Iterator<Item = &Session> + Send,
    ) -> Result<(), AdmissionError> {
        for session in sessions {
            // Another sign-in, which tells of it, may have been first.
            let others = session.id() != self.session.id();
            if self.store.remove(&session.id()).await? && others {
                self.observer.observe(&Event::of(session, self.now, EventKind::Ended));
            }
        }
        Ok(())
    }

    /// The subject's live sessions under the profile, the oldest first. A profile
    /// that is no longer in the set counts as the default one, which judges it.
    async fn live(&self) -> Result<Vec<Session>, StoreError> {
        let mut sessions = self.store.list(self.session.subject()).await?;
        let profile = self.policies.known(self.session.profile());
        sessions.retain(|session| {
            let policy = self.policies.judge(session.profile());
            self.policies.known(session.profile()) == profile
                && policy.peek(session.lifetime(), self.now).is_served()
        });
        sessions.sort_by_key(|session| (session.lifetime().created_at(), session.id()));
        Ok(sessions)
    }

    fn limit(&self) -> Option<&SessionLimit> {
        self.policies.limit(self.session.profile())
    }
}

fn max(limit: SessionLimit) -> usize {
    usize::try_from(limit.max_sessions().get()).unwrap_or(usize::MAX)
}

fn refusal(limit: SessionLimit) -> AdmissionError {
    AdmissionError::TooMany { max_sessions: limit.max_sessions() }
}

/// Why a sign-in does not come in under a limit.
#[derive(Debug)]
pub(crate) enum AdmissionError {
    Displaced,
    Store(StoreError),
    TooMany { max_sessions: NonZeroU32 },
}

impl From<StoreError> for AdmissionError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

use alloc::vec::Vec;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::codec::{Claims, Family};
use super::step::{Serve, Step, step};
use super::{FIRST_GENERATION, HybridSessions};
use crate::record::Session;
use crate::rule::{RejectReason, SessionPolicy};
use crate::sessions::{AuthenticateError, Event, EventKind, RenewalOutcome, TokenError};
use crate::store::{SessionStore, Update};
use crate::time::Timestamp;

/// Which token of the row's generation to answer with.
#[derive(Clone, Copy)]
pub(super) enum Answer {
    /// The one that was lost, or has not arrived yet.
    Again,
    /// The next generation's.
    Next,
    Nothing,
}

/// What has become of a request that is served.
pub(super) struct Turn {
    /// The row as it is now.
    pub(super) row: Session,
    pub(super) answer: Answer,
    pub(super) renewal: RenewalOutcome,
    pub(super) event: Option<EventKind>,
    /// When it was judged; `None` if it was written since.
    pub(super) judged_at: Option<Timestamp>,
}

impl<S, A> HybridSessions<S, A>
where
    S: SessionStore,
    A: DeserializeOwned + Serialize + Send + Sync,
{
    pub(crate) fn never_waits(&self) -> bool {
        self.rows.never_waits()
    }

    /// The token alone: whose signature, of which kind, and whether its cap lies ahead.
    pub(super) fn verify<'b>(
        &self,
        token: &str,
        buffer: &'b mut Vec<u8>,
    ) -> Result<Claims<'b, A>, AuthenticateError> {
        let context = &self.rows.context;
        let now = context.now();
        let claims: Claims<'_, A> = self.codec.verify(token, now, buffer).inspect_err(|error| {
            let kind = EventKind::rejected(error);
            context.tell(|| Event::anonymous(now, kind).unproven());
        })?;
        let since = claims.lifetime.absolute_expires_at();
        let error = if claims.generation < FIRST_GENERATION {
            TokenError::Strategy.into()
        } else if now >= since {
            AuthenticateError::Rejected { reason: RejectReason::AbsoluteCap, since }
        } else {
            return Ok(claims);
        };
        self.refused(&claims, &error);
        Err(error)
    }

    /// The row that a token names, and what judges it in this request.
    pub(super) async fn found(
        &self,
        presented: &Claims<'_, A>,
    ) -> Result<(Session, SessionPolicy), AuthenticateError> {
        let row = self.load(presented).await?;
        let policy = match self.rows.context.unbounded(&row) {
            Some(policy) => *policy,
            None => self.rows.context.judging(&row).await?,
        };
        Ok((row, policy))
    }

    /// What is to be done with a token, without doing it.
    pub(super) async fn look(
        &self,
        presented: &Claims<'_, A>,
    ) -> Result<(Session, SessionPolicy, Timestamp), AuthenticateError> {
        let (row, policy) = self.found(presented).await?;
        let now = self.rows.context.now();
        match self.step(presented, &row, now, &policy) {
            Step::Reject { reason, since } => Err(AuthenticateError::Rejected { reason, since }),
            Step::Reuse => Err(AuthenticateError::Reused),
            Step::Serve(_) => Ok((row, policy, now)),
        }
    }

    /// Does what the row that was found says of a token. Where a write did not come first, or
    /// it is not known whether it was made, the row is loaded again, judged again, and written
    /// once more if that is due.
    pub(super) async fn turn(
        &self,
        presented: &Claims<'_, A>,
        mut row: Session,
        policy: &SessionPolicy,
    ) -> Result<Turn, AuthenticateError> {
        let mut renewal = RenewalOutcome::NotDue;
        for attempt in 0..2 {
            let now = self.rows.context.now();
            let Serve { write, answer } = match self.step(presented, &row, now, policy) {
                Step::Reject { reason, since } => {
                    return Err(AuthenticateError::Rejected { reason, since });
                }
                Step::Reuse if attempt == 0 => {
                    return Err(self.reuse(presented, &row, now).await?);
                }
                // It was none when the request came in, so it ends nothing.
                Step::Reuse => return Err(AuthenticateError::Unknown),
                Step::Serve(serve) => serve,
            };
            let answer = match answer {
                None => Answer::Nothing,
                Some(generation) if generation == row.generation() => Answer::Again,
                Some(_) => Answer::Next,
            };
            let Some(write) = write else {
                let judged_at = Some(now);
                return Ok(Turn { row, answer, renewal, event: None, judged_at });
            };
            let update = Update::new(&row, now, &write.lifetime)
                .with_generation(write.generation, write.confirmed_at);
            let updated = update.apply(&row).ok_or(AuthenticateError::Unknown)?;
            let written = self.store().update(&update).await;
            let is_written = matches!(written, Ok(true));
            let reloaded =
                if is_written { Ok(updated.clone()) } else { self.load(presented).await };
            if is_written || written.is_err() && reloaded.as_ref().is_ok_and(|row| *row == updated)
            {
                let is_renewed = updated.lifetime() != row.lifetime();
                let expires_at = updated.lifetime().expires_at();
                // What is issued anew is told of once it is.
                let event = (is_renewed && !matches!(answer, Answer::Next))
                    .then_some(EventKind::Renewed { expires_at });
                let renewal =
                    if is_renewed { RenewalOutcome::Renewed } else { RenewalOutcome::NotDue };
                return Ok(Turn { row: updated, answer, renewal, event, judged_at: None });
            }
            renewal = match written {
                Err(error) => RenewalOutcome::deferred(error),
                Ok(_) => RenewalOutcome::Superseded,
            };
            match (reloaded, &renewal) {
                (Ok(reloaded), _) => row = reloaded,
                // It was valid when it was loaded, and is served as it was.
                (Err(AuthenticateError::Store(_)), RenewalOutcome::Deferred(_)) => break,
                (Err(error), _) => return Err(error),
            }
        }
        let now = self.rows.context.now();
        let answer = match self.step(presented, &row, now, policy) {
            Step::Reject { reason, since } => {
                return Err(AuthenticateError::Rejected { reason, since });
            }
            Step::Reuse => return Err(AuthenticateError::Unknown),
            Step::Serve(Serve { answer, .. }) if answer == Some(row.generation()) => Answer::Again,
            // A further generation was not written.
            Step::Serve(_) => Answer::Nothing,
        };
        let is_deferred = matches!(renewal, RenewalOutcome::Deferred(_));
        let event = is_deferred.then_some(EventKind::RenewalDeferred);
        Ok(Turn { row, answer, renewal, event, judged_at: Some(now) })
    }

    /// Ends the session of a superseded token; the answer to it.
    async fn reuse(
        &self,
        presented: &Claims<'_, A>,
        row: &Session,
        now: Timestamp,
    ) -> Result<AuthenticateError, AuthenticateError> {
        let ended = self.store().remove(&row.id()).await;
        if let Ok(false) = ended {
            // Others were first: it has ended.
            return Ok(AuthenticateError::Unknown);
        }
        let (presented, current) = (presented.generation, row.generation());
        let kind = EventKind::ReuseDetected { presented, current };
        self.rows.context.tell(|| Event::of(row, now, kind));
        ended?;
        Ok(AuthenticateError::Reused)
    }

    pub(super) fn step(
        &self,
        presented: &Claims<'_, A>,
        row: &Session,
        now: Timestamp,
        policy: &SessionPolicy,
    ) -> Step {
        step(row, presented.generation, now, self.grace, policy)
    }

    /// The row that the token names, by a token of its family.
    pub(super) async fn load(
        &self,
        presented: &Claims<'_, A>,
    ) -> Result<Session, AuthenticateError> {
        let row = self.store().load(&presented.id).await?.ok_or(AuthenticateError::Unknown)?;
        let named = row.generation() >= FIRST_GENERATION
            && presented.family == Some(Family::of(&row))
            && row.subject() == presented.subject
            && row.lifetime().created_at() == presented.lifetime.created_at();
        if named { Ok(row) } else { Err(AuthenticateError::Unknown) }
    }

    pub(super) fn refused(&self, presented: &Claims<'_, A>, error: &AuthenticateError) {
        let context = &self.rows.context;
        let kind = EventKind::rejected(error);
        context.tell(|| presented.event(context.now(), kind));
    }
}

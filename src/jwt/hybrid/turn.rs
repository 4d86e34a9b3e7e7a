use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::codec::{Claims, Family};
use super::step::{Serve, Step, step};
use super::{FIRST_GENERATION, HybridSessions};
use crate::record::Session;
use crate::rule::Decision;
use crate::sessions::{AuthenticateError, Event, EventKind, RenewalOutcome, TokenError};
use crate::store::{SessionStore, Update};
use crate::time::Timestamp;

/// What has become of a request that is served.
pub(super) struct Turn {
    /// The row as it is now.
    pub(super) row: Session,
    /// Whether to answer with a token of the row's generation.
    pub(super) answers: bool,
    pub(super) renewal: RenewalOutcome,
    pub(super) event: Option<EventKind>,
}

impl<S, A> HybridSessions<S, A>
where
    S: SessionStore,
    A: DeserializeOwned + Serialize + Send + Sync,
{
    /// The token alone: whose signature, of which strategy, and its own `exp`.
    pub(super) fn verify(&self, token: &str) -> Result<Claims<A>, AuthenticateError> {
        let context = &self.rows.context;
        let now = context.now();
        let claims: Claims<A> = self.codec.verify(token, now).inspect_err(|error| {
            let kind = EventKind::rejected(error);
            context.tell(|| Event::anonymous(now, kind).unproven());
        })?;
        let session = &claims.session;
        let error = match self.rows.policy_of(session).peek(session.lifetime(), now) {
            _ if session.generation() < FIRST_GENERATION => TokenError::Strategy.into(),
            Decision::Reject { reason, since } => AuthenticateError::Rejected { reason, since },
            Decision::Keep { .. } | Decision::Renew { .. } => return Ok(claims),
        };
        let kind = EventKind::rejected(&error);
        context.tell(|| Event::of(session, now, kind));
        Err(error)
    }

    /// What the row says of a token, without doing it.
    pub(super) async fn look(
        &self,
        presented: &Claims<A>,
    ) -> Result<(Session, Timestamp), AuthenticateError> {
        let row = self.load(presented).await?;
        let now = self.rows.context.now();
        match self.step(presented, &row, now) {
            Step::Reject { reason, since } => Err(AuthenticateError::Rejected { reason, since }),
            Step::Reuse => Err(AuthenticateError::Reused),
            Step::Serve(_) => Ok((row, now)),
        }
    }

    /// Does what the row says of a token. Where a write did not come first, or it is not
    /// known whether it was made, the row is loaded again, judged again, and written once
    /// more if that is due.
    pub(super) async fn turn(&self, presented: &Claims<A>) -> Result<Turn, AuthenticateError> {
        let mut row = self.load(presented).await?;
        let mut renewal = RenewalOutcome::NotDue;
        for attempt in 0..2 {
            let now = self.rows.context.now();
            let Serve { write, answer } = match self.step(presented, &row, now) {
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
            let answers = answer.is_some();
            let Some(write) = write else {
                return Ok(Turn { row, answers, renewal, event: None });
            };
            let update = Update::new(&row, now, &write.lifetime)
                .with_generation(write.generation, write.confirmed_at);
            let updated = update.apply(&row).ok_or(AuthenticateError::Unknown)?;
            let written = self.store().update(&update).await;
            let is_won = matches!(written, Ok(true));
            let reloaded = if is_won { Ok(updated.clone()) } else { self.load(presented).await };
            if is_won || written.is_err() && reloaded.as_ref().is_ok_and(|row| *row == updated) {
                let event = renewal_event(&row, &updated);
                let renewal = event.map_or(RenewalOutcome::NotDue, |_| RenewalOutcome::Renewed);
                return Ok(Turn { row: updated, answers, renewal, event });
            }
            renewal = match written {
                Ok(_) => RenewalOutcome::Superseded,
                Err(error) => RenewalOutcome::deferred(error),
            };
            match (reloaded, &renewal) {
                (Ok(reloaded), _) => row = reloaded,
                // It was valid when it was loaded, and is served as it was.
                (Err(AuthenticateError::Store(_)), RenewalOutcome::Deferred(_)) => break,
                (Err(error), _) => return Err(error),
            }
        }
        let answer = match self.step(presented, &row, self.rows.context.now()) {
            Step::Reject { reason, since } => {
                return Err(AuthenticateError::Rejected { reason, since });
            }
            Step::Reuse => return Err(AuthenticateError::Unknown),
            Step::Serve(Serve { answer, .. }) => answer,
        };
        let answers = answers_unwritten(answer, &row, presented);
        let is_deferred = matches!(renewal, RenewalOutcome::Deferred(_));
        let event = is_deferred.then_some(EventKind::RenewalDeferred);
        Ok(Turn { row, answers, renewal, event })
    }

    /// Ends the session of a superseded token; the answer to it.
    async fn reuse(
        &self,
        presented: &Claims<A>,
        row: &Session,
        now: Timestamp,
    ) -> Result<AuthenticateError, AuthenticateError> {
        let ended = self.store().remove(&row.id()).await;
        if let Ok(false) = ended {
            // Others were first: it has ended.
            return Ok(AuthenticateError::Unknown);
        }
        let (presented, current) = (presented.session.generation(), row.generation());
        let kind = EventKind::ReuseDetected { presented, current };
        self.rows.context.tell(|| Event::of(row, now, kind));
        ended?;
        Ok(AuthenticateError::Reused)
    }

    fn step(&self, presented: &Claims<A>, row: &Session, now: Timestamp) -> Step {
        step(row, presented.session.generation(), now, self.grace, self.rows.policy_of(row))
    }

    /// The row that the token names, by a token of its family.
    async fn load(&self, presented: &Claims<A>) -> Result<Session, AuthenticateError> {
        let session = &presented.session;
        let row = self.store().load(&session.id()).await?.ok_or(AuthenticateError::Unknown)?;
        let named = row.generation() >= FIRST_GENERATION
            && presented.family == Some(Family::of(&row))
            && row.subject() == session.subject()
            && row.lifetime().created_at() == session.lifetime().created_at();
        if named { Ok(row) } else { Err(AuthenticateError::Unknown) }
    }

    pub(super) fn refused(&self, presented: &Claims<A>, error: &AuthenticateError) {
        let context = &self.rows.context;
        let kind = EventKind::rejected(error);
        context.tell(|| Event::of(&presented.session, context.now(), kind));
    }
}

/// Which answer stands although nothing was written: only the current generation
/// for its lost predecessor. The presented one again would be no extension, and
/// its answer could arrive after that of a rotation which this write was to put
/// off by `update_age`.
fn answers_unwritten<A>(answer: Option<u64>, row: &Session, presented: &Claims<A>) -> bool {
    answer.is_some_and(|answer| {
        answer == row.generation() && answer != presented.session.generation()
    })
}

/// `None` if the write only confirmed a generation.
fn renewal_event(before: &Session, after: &Session) -> Option<EventKind> {
    if after.generation() != before.generation() {
        Some(EventKind::Rotated { generation: after.generation() })
    } else if after.lifetime() != before.lifetime() {
        Some(EventKind::Renewed { expires_at: after.lifetime().expires_at() })
    } else {
        None
    }
}

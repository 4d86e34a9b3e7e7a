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

    /// What the row says of a token: serve it, or why not. Ends the session if
    /// the token was superseded.
    pub(super) async fn look(
        &self,
        presented: &Claims<A>,
    ) -> Result<(Session, Timestamp, Serve), AuthenticateError> {
        let (row, now, step) = self.load(presented).await?;
        match step {
            Step::Reject { reason, since } => Err(AuthenticateError::Rejected { reason, since }),
            Step::Reuse => {
                let ended = self.store().remove(&row.id()).await;
                if let Ok(false) = ended {
                    // Others were first: it has ended.
                    return Err(AuthenticateError::Unknown);
                }
                let (presented, current) = (presented.session.generation(), row.generation());
                let kind = EventKind::ReuseDetected { presented, current };
                self.rows.context.tell(|| Event::of(&row, now, kind));
                ended?;
                Err(AuthenticateError::Reused)
            }
            Step::Serve(serve) => Ok((row, now, serve)),
        }
    }

    pub(super) async fn turn(&self, presented: &Claims<A>) -> Result<Turn, AuthenticateError> {
        let (row, now, Serve { write, answer }) = self.look(presented).await?;
        let Some(write) = write else {
            let answers = answer.is_some();
            return Ok(Turn { row, answers, renewal: RenewalOutcome::NotDue, event: None });
        };
        let update = Update::new(&row, now, &write.lifetime)
            .with_generation(write.generation, write.confirmed_at);
        match self.store().update(&update).await {
            Ok(true) => {
                let updated = update.apply(&row).ok_or(AuthenticateError::Unknown)?;
                let event = renewal_event(&row, &updated);
                let renewal = event.map_or(RenewalOutcome::NotDue, |_| RenewalOutcome::Renewed);
                Ok(Turn { row: updated, answers: answer.is_some(), renewal, event })
            }
            Ok(false) => self.turn_after_lost_race(presented).await,
            Err(error) => {
                let answers = answers_unwritten(answer, &row, presented);
                let renewal = RenewalOutcome::deferred(error);
                Ok(Turn { row, answers, renewal, event: Some(EventKind::RenewalDeferred) })
            }
        }
    }

    /// Decides again and writes nothing: another request has written, or ended
    /// the session. What would be reuse now was none when the request came in,
    /// so it ends nothing.
    async fn turn_after_lost_race(&self, presented: &Claims<A>) -> Result<Turn, AuthenticateError> {
        let (row, _, step) = self.load(presented).await?;
        match step {
            Step::Reject { reason, since } => Err(AuthenticateError::Rejected { reason, since }),
            Step::Reuse => Err(AuthenticateError::Unknown),
            Step::Serve(Serve { answer, .. }) => {
                let answers = answers_unwritten(answer, &row, presented);
                Ok(Turn { row, answers, renewal: RenewalOutcome::Superseded, event: None })
            }
        }
    }

    /// The row that the token names, and what becomes of the token now.
    async fn load(
        &self,
        presented: &Claims<A>,
    ) -> Result<(Session, Timestamp, Step), AuthenticateError> {
        let row =
            self.store().load(&presented.session.id()).await?.ok_or(AuthenticateError::Unknown)?;
        let named = row.generation() >= FIRST_GENERATION
            && presented.family == Some(Family::of(&row))
            && row.subject() == presented.session.subject()
            && row.lifetime().created_at() == presented.session.lifetime().created_at();
        if !named {
            return Err(AuthenticateError::Unknown);
        }
        let now = self.rows.context.now();
        let policy = self.rows.policy_of(&row);
        let step = step(&row, presented.session.generation(), now, self.grace, policy);
        Ok((row, now, step))
    }

    pub(super) fn refused(&self, presented: &Claims<A>, error: &AuthenticateError) {
        // Reuse has been told of already.
        if !matches!(error, AuthenticateError::Reused) {
            let context = &self.rows.context;
            let kind = EventKind::rejected(error);
            context.tell(|| Event::of(&presented.session, context.now(), kind));
        }
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

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{FIRST_GENERATION, HybridSessions};
use crate::jwt::step::{Serve, Step, step};
use crate::jwt::{Claims, IssueError, JwtError, TokenRenewal};
use crate::{
    Clock, Decision, Event, EventKind, Observer, Renewal, Session, SessionStore, Timestamp,
};

/// What has become of a request that is served.
pub(super) struct Turn {
    /// The row as it is now.
    pub(super) row: Session,
    /// Which generation to answer with.
    pub(super) answer: Option<u64>,
    pub(super) renewal: TokenRenewal,
    pub(super) event: Option<EventKind>,
}

impl<S, A, C, O> HybridSessions<S, A, C, O>
where
    S: SessionStore,
    A: DeserializeOwned + Serialize + Send + Sync,
    C: Clock,
    O: Observer,
{
    /// The token alone: whose signature, of which strategy, and its own `exp`.
    pub(super) fn verify(&self, token: &str) -> Result<Claims<A>, JwtError> {
        let now = self.clock.now();
        let rejected = |error: &JwtError| EventKind::Rejected { reason: error.as_str() };
        let claims: Claims<A> = self.codec.verify(token, now).inspect_err(|error| {
            self.observer.observe(&Event::anonymous(now, rejected(error)));
        })?;
        let policy = self.policies.judge(&claims.profile);
        let error = match policy.peek(&claims.lifetime, now) {
            _ if claims.generation < FIRST_GENERATION => JwtError::Strategy,
            Decision::Reject { reason, since } => JwtError::Rejected { reason, since },
            Decision::Keep { .. } | Decision::Renew { .. } => return Ok(claims),
        };
        self.observer.observe(&claims.event(now, rejected(&error)));
        Err(error)
    }

    /// What the row says of a token: serve it, or why not. Ends the session if
    /// the token was superseded.
    pub(super) async fn look(
        &self,
        claims: &Claims<A>,
    ) -> Result<(Session, Timestamp, Serve), JwtError> {
        let (row, now, step) = self.load(claims).await?;
        match step {
            Step::Reject { reason, since } => Err(JwtError::Rejected { reason, since }),
            Step::Reuse => {
                let ended = self.store.remove(&row.id()).await;
                if let Ok(false) = ended {
                    // Others were first: it has ended, or goes on under another id.
                    return Err(JwtError::Unknown);
                }
                let (presented, current) = (claims.generation, row.generation());
                let kind = EventKind::ReuseDetected { presented, current };
                self.observer.observe(&Event::of(&row, now, kind));
                ended?;
                Err(JwtError::Reused)
            }
            Step::Serve(serve) => Ok((row, now, serve)),
        }
    }

    pub(super) async fn turn(&self, claims: &Claims<A>) -> Result<Turn, JwtError> {
        let (row, now, Serve { write, answer }) = self.look(claims).await?;
        let Some(write) = write else {
            return Ok(Turn { row, answer, renewal: TokenRenewal::NotDue, event: None });
        };
        let renewal = Renewal::new(&row, now, &write.lifetime)
            .with_generation(write.generation, write.confirmed_at);
        match self.store.renew(&renewal).await {
            Ok(true) => {
                let renewed = row.renewed(&renewal).ok_or(JwtError::Unknown)?;
                let event = renewal_event(&row, &renewed);
                let renewal = event.map_or(TokenRenewal::NotDue, |_| TokenRenewal::Renewed);
                Ok(Turn { row: renewed, answer, renewal, event })
            }
            Ok(false) => self.turn_after_lost_race(claims).await,
            Err(error) => {
                let answer = unwritten(answer, &row, claims);
                let renewal = TokenRenewal::Deferred(IssueError::Store(error));
                let event = Some(EventKind::RenewalDeferred);
                Ok(Turn { row, answer, renewal, event })
            }
        }
    }

    /// Decides again and writes nothing: another request has written, or ended
    /// the session. What would be reuse now was none when the request came in,
    /// so it ends nothing.
    async fn turn_after_lost_race(&self, claims: &Claims<A>) -> Result<Turn, JwtError> {
        let (row, _, step) = self.load(claims).await?;
        match step {
            Step::Reject { reason, since } => Err(JwtError::Rejected { reason, since }),
            Step::Reuse => Err(JwtError::Unknown),
            Step::Serve(Serve { answer, .. }) => {
                let answer = unwritten(answer, &row, claims);
                Ok(Turn { row, answer, renewal: TokenRenewal::Superseded, event: None })
            }
        }
    }

    /// The row that the claims name, and what becomes of the token now.
    async fn load(&self, claims: &Claims<A>) -> Result<(Session, Timestamp, Step), JwtError> {
        let row = self.store.load(&claims.id).await?.ok_or(JwtError::Unknown)?;
        let named = row.generation() >= FIRST_GENERATION
            && row.subject() == claims.subject()
            && row.lifetime().created_at() == claims.lifetime.created_at();
        if !named {
            return Err(JwtError::Unknown);
        }
        let now = self.clock.now();
        let step = step(&row, claims.generation, now, self.grace, self.policy_of(&row));
        Ok((row, now, step))
    }

    pub(super) fn refused(&self, claims: &Claims<A>, error: &JwtError) {
        // Reuse has been told of already.
        if !matches!(error, JwtError::Reused) {
            let kind = EventKind::Rejected { reason: error.as_str() };
            self.observer.observe(&claims.event(self.clock.now(), kind));
        }
    }
}

/// Which answer stands although nothing was written: only the current generation
/// for its lost predecessor. The presented one again would be no extension, and
/// its answer could arrive after that of a rotation which this write was to put
/// off by `update_age`.
fn unwritten<A>(answer: Option<u64>, row: &Session, claims: &Claims<A>) -> Option<u64> {
    answer.filter(|answer| *answer == row.generation() && *answer != claims.generation)
}

/// `None` if the write only confirmed a generation.
fn renewal_event(before: &Session, after: &Session) -> Option<EventKind> {
    if after.generation() != before.generation() {
        let (generation, predecessor) = (after.generation(), after.id());
        Some(EventKind::Rotated { generation, predecessor })
    } else if after.lifetime() != before.lifetime() {
        Some(EventKind::Renewed { expires_at: after.lifetime().expires_at() })
    } else {
        None
    }
}

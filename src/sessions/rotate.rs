//! Another secret for the same row.

use super::error::RotateError;
use super::event::{Event, EventKind};
use super::outcome::Started;
use super::rows::Rows;
use super::token_error::IssueError;
use crate::record::{SecretHash, Session, SessionToken};
use crate::rule::{Decision, SessionPolicy};
use crate::store::{SessionStore, Update};
use crate::time::Timestamp;

/// How often a rotation is decided again where other writes come first.
const TRIES: u32 = 8;

impl<S: SessionStore> Rows<S> {
    /// Another secret for the same row, where it still has that of `session`. `issue`
    /// makes the client's token, given an opaque one.
    pub(crate) async fn rotate<A: Send + Sync>(
        &self,
        session: &Session,
        claims: A,
        generation: u64,
        issue: impl Fn(&Session, &A, SessionToken, Timestamp) -> Result<SessionToken, IssueError>
        + Send
        + Sync,
    ) -> Result<Started<A>, RotateError> {
        if (session.generation() == 0) != (generation == 0) {
            // Of the other kind: it has no token of this one that could be replaced.
            return Err(RotateError::Unknown);
        }
        let (opaque, secret) = SessionToken::generate(session.id()).map_err(RotateError::random)?;
        let policy = self.context.policy_of(session).await?.ok_or(RotateError::Revoked)?;
        let mut row = session.clone();
        let mut failed = None;
        for tries in 0..TRIES {
            let now = self.context.now();
            match rotation(&row, &policy, secret, generation, now) {
                Ok(update) => {
                    let rotated = update.apply(&row).ok_or(RotateError::Unknown)?;
                    let token = issue(&rotated, &claims, opaque.clone(), now)?;
                    let answer = self.store().update(&update).await;
                    if let Ok(true) = answer {
                        return Ok(self.rotated(rotated, &policy, token, claims, now));
                    }
                    // Another write was first, or it is not known whether this one was made.
                    failed = answer.err();
                }
                // It may have been renewed since it was loaded.
                Err(RotateError::Rejected { .. }) if tries == 0 => {}
                Err(error) => return Err(error),
            }
            let reloaded = match self.store().load(&session.id()).await {
                Ok(reloaded) => reloaded.ok_or(RotateError::Unknown)?,
                Err(error) => return Err(failed.unwrap_or(error).into()),
            };
            if *reloaded.secret() == secret {
                let token = issue(&reloaded, &claims, opaque, now)?;
                return Ok(self.rotated(reloaded, &policy, token, claims, now));
            }
            if reloaded.secret() != session.secret() {
                return Err(RotateError::Unknown);
            }
            row = reloaded;
        }
        Err(failed.map_or(RotateError::Raced, RotateError::Store))
    }

    fn rotated<A>(
        &self,
        row: Session,
        policy: &SessionPolicy,
        token: SessionToken,
        claims: A,
        now: Timestamp,
    ) -> Started<A> {
        let kind = EventKind::Rotated { generation: row.generation() };
        self.context.tell(|| Event::of(&row, now, kind));
        Started { token, status: policy.status(row.lifetime(), now), session: row, claims }
    }
}

fn rotation(
    row: &Session,
    policy: &SessionPolicy,
    secret: SecretHash,
    generation: u64,
    now: Timestamp,
) -> Result<Update, RotateError> {
    let lifetime = match policy.evaluate(row.lifetime(), now) {
        Decision::Keep { .. } => *row.lifetime(),
        Decision::Reject { reason, since } => {
            return Err(RotateError::Rejected { reason, since });
        }
        Decision::Renew { lifetime } => lifetime,
    };
    // The family of a hybrid session's tokens starts with one that is taken for
    // presented.
    Ok(Update::new(row, now, &lifetime).with_secret(secret).with_generation(generation, Some(now)))
}

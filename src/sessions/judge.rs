//! What becomes of a request with an opaque token.

use super::error::AuthenticateError;
use super::event::{Event, EventKind};
use super::opaque::Sessions;
use super::outcome::{Authenticated, RenewalOutcome};
use super::token_error::TokenError;
use crate::record::{NoClaims, PresentedToken, Session};
use crate::rule::Decision;
use crate::store::{SessionStore, Update};
use crate::time::Timestamp;

impl<S: SessionStore> Sessions<S> {
    pub(super) async fn judge(
        &self,
        token: &PresentedToken<'_>,
    ) -> Result<Authenticated, AuthenticateError> {
        let session = self.load(token).await?;
        let now = self.rows.context.now();
        let policy = self.rows.policy_of(&session);
        let lifetime = match policy.evaluate(session.lifetime(), now) {
            Decision::Keep { .. } => return self.served(session, now, RenewalOutcome::NotDue),
            Decision::Reject { reason, since } => {
                return Err(AuthenticateError::Rejected { reason, since });
            }
            Decision::Renew { lifetime } => lifetime,
        };
        if lifetime.expires_at() <= policy.status(session.lifetime(), now).idle_expires_at {
            return self.served(session, now, RenewalOutcome::NoGain);
        }
        let update = Update::new(&session, now, &lifetime);
        let answer = self.store().update(&update).await;
        // The store may have taken its time, and an error most of all.
        let now = self.rows.context.now();
        match answer {
            Ok(true) => {
                // Always `Some`: the store said that the guard held.
                let renewed = update.apply(&session).ok_or(AuthenticateError::Unknown)?;
                self.served(renewed, now, RenewalOutcome::Renewed)
            }
            Ok(false) => {
                let reloaded = self.load(token).await?;
                self.served(reloaded, self.rows.context.now(), RenewalOutcome::Superseded)
            }
            Err(error) => self.served(session, now, RenewalOutcome::deferred(error)),
        }
    }

    pub(super) async fn load(
        &self,
        token: &PresentedToken<'_>,
    ) -> Result<Session, AuthenticateError> {
        let session = self.store().load(&token.id).await?.ok_or(AuthenticateError::Unknown)?;
        if *session.secret() == token.secret_hash() {
            Ok(session)
        } else {
            Err(AuthenticateError::WrongSecret)
        }
    }

    pub(super) fn parse<'a>(
        &self,
        token: &'a str,
    ) -> Result<PresentedToken<'a>, AuthenticateError> {
        PresentedToken::parse(token).map_err(|_| {
            let error = AuthenticateError::Token(TokenError::Malformed);
            let context = &self.rows.context;
            let kind = EventKind::rejected(&error);
            context.tell(|| Event::anonymous(context.now(), kind));
            error
        })
    }

    pub(super) fn refused(&self, token: &PresentedToken<'_>, error: &AuthenticateError) {
        let context = &self.rows.context;
        let kind = EventKind::rejected(error);
        context.tell(|| Event::anonymous(context.now(), kind).with_session(token.id));
    }

    pub(super) fn served(
        &self,
        session: Session,
        now: Timestamp,
        renewal: RenewalOutcome,
    ) -> Result<Authenticated, AuthenticateError> {
        let policy = self.rows.policy_of(&session);
        if let Decision::Reject { reason, since } = policy.peek(session.lifetime(), now) {
            return Err(AuthenticateError::Rejected { reason, since });
        }
        let status = policy.status(session.lifetime(), now);
        Ok(Authenticated { session, claims: NoClaims {}, status, token: None, renewal })
    }
}

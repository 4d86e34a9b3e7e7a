//! What becomes of a request with an opaque token.

use super::error::AuthenticateError;
use super::event::{Event, EventKind};
use super::opaque::Sessions;
use super::outcome::{Authenticated, RenewalOutcome};
use super::token_error::TokenError;
use crate::record::{NoClaims, PresentedToken, Session, SessionToken};
use crate::rule::{Decision, SessionPolicy};
use crate::store::{SessionStore, StoreError, Update};
use crate::time::Timestamp;

impl<S: SessionStore> Sessions<S> {
    pub(crate) fn never_waits(&self) -> bool {
        self.rows.never_waits()
    }

    /// Judges a request. Where a write did not come first, or it is not known whether it was
    /// made, the session is loaded again, judged again, and written once more if that is due.
    pub(super) async fn judge(&self, text: &str) -> Result<Authenticated, AuthenticateError> {
        let token = self.parse(text)?;
        let mut session = self.opened(&token, self.store().load(&token.id).await)?;
        let bounded;
        let policy = if let Some(policy) = self.rows.context.unbounded(&session) {
            policy
        } else {
            bounded = self.policy_of(&session).await?;
            &bounded
        };
        let mut now = self.rows.context.now();
        let mut outcome = RenewalOutcome::NotDue;
        for _ in 0..2 {
            let lifetime = match policy.evaluate(session.lifetime(), now) {
                Decision::Keep { .. } if matches!(outcome, RenewalOutcome::NotDue) => {
                    return Ok(with_status(session, policy, now, outcome));
                }
                Decision::Keep { .. } => break,
                Decision::Reject { reason, since } => {
                    let error = AuthenticateError::Rejected { reason, since };
                    return Err(self.refused(&session, error));
                }
                Decision::Renew { lifetime } => lifetime,
            };
            let update = Update::new(&session, now, &lifetime);
            outcome = match self.store().update(&update).await {
                Ok(true) => RenewalOutcome::Renewed,
                Ok(false) => RenewalOutcome::Superseded,
                Err(error) => RenewalOutcome::deferred(error),
            };
            if let RenewalOutcome::Renewed = outcome {
                // The store may have taken its time.
                now = self.rows.context.now();
                session = update.apply_to(session).ok_or(AuthenticateError::Unknown)?;
                break;
            }
            let found = self.store().load(&token.id).await;
            now = self.rows.context.now();
            match found {
                Ok(Some(reloaded)) if opens(&token, &reloaded) => {
                    let is_ours = matches!(outcome, RenewalOutcome::Deferred(_))
                        && update.apply(&session).as_ref() == Some(&reloaded);
                    session = reloaded;
                    if is_ours {
                        outcome = RenewalOutcome::Renewed;
                        break;
                    }
                }
                // It was valid when it was loaded, and is served as it was.
                Err(_) if matches!(outcome, RenewalOutcome::Deferred(_)) => break,
                unopened => return Err(self.unopened(&token, unopened)),
            }
        }
        let mut served = self.served(session, policy, now, outcome)?;
        self.tell_of_renewal(&mut served, text);
        Ok(served)
    }

    /// Tells of what was due, and says what to send.
    fn tell_of_renewal(&self, served: &mut Authenticated, text: &str) {
        let kind = match &served.renewal {
            RenewalOutcome::Deferred(_) => EventKind::RenewalDeferred,
            RenewalOutcome::Renewed => {
                if served.status.outlives_cookies(served.session.lifetime()) {
                    served.token = Some(SessionToken::of_text(text));
                }
                EventKind::Renewed { expires_at: served.session.lifetime().expires_at() }
            }
            RenewalOutcome::NotDue | RenewalOutcome::Superseded => return,
        };
        self.rows.context.tell(|| Event::of(&served.session, served.status.now, kind));
    }

    /// The session that was found, if the token opens it; the observer is told if not.
    #[inline]
    pub(super) fn opened(
        &self,
        token: &PresentedToken<'_>,
        found: Result<Option<Session>, StoreError>,
    ) -> Result<Session, AuthenticateError> {
        match found {
            Ok(Some(session)) if opens(token, &session) => Ok(session),
            unopened => Err(self.unopened(token, unopened)),
        }
    }

    #[cold]
    fn unopened(
        &self,
        token: &PresentedToken<'_>,
        found: Result<Option<Session>, StoreError>,
    ) -> AuthenticateError {
        let (error, session) = match found {
            Ok(Some(session)) => (AuthenticateError::WrongSecret, Some(session)),
            Ok(None) => (AuthenticateError::Unknown, None),
            Err(error) => (error.into(), None),
        };
        let context = &self.rows.context;
        let kind = EventKind::rejected(&error);
        context.tell(|| match &session {
            Some(session) => Event::of(session, context.now(), kind).unproven(),
            None => Event::anonymous(context.now(), kind).with_session(token.id).unproven(),
        });
        error
    }

    /// What judges the session in this request.
    pub(super) async fn policy_of(
        &self,
        session: &Session,
    ) -> Result<SessionPolicy, AuthenticateError> {
        let policy = self.rows.context.judging(session).await;
        policy.map_err(|error| self.refused(session, error))
    }

    pub(super) fn parse<'a>(
        &self,
        token: &'a str,
    ) -> Result<PresentedToken<'a>, AuthenticateError> {
        PresentedToken::parse(token).map_err(|_| {
            let error = AuthenticateError::Token(TokenError::Malformed);
            let context = &self.rows.context;
            let kind = EventKind::rejected(&error);
            context.tell(|| Event::anonymous(context.now(), kind).unproven());
            error
        })
    }

    pub(super) fn served(
        &self,
        session: Session,
        policy: &SessionPolicy,
        now: Timestamp,
        renewal: RenewalOutcome,
    ) -> Result<Authenticated, AuthenticateError> {
        if let Decision::Reject { reason, since } = policy.peek(session.lifetime(), now) {
            return Err(self.refused(&session, AuthenticateError::Rejected { reason, since }));
        }
        Ok(with_status(session, policy, now, renewal))
    }

    fn refused(&self, session: &Session, error: AuthenticateError) -> AuthenticateError {
        let context = &self.rows.context;
        let kind = EventKind::rejected(&error);
        context.tell(|| Event::of(session, context.now(), kind));
        error
    }
}

#[inline]
fn with_status(
    session: Session,
    policy: &SessionPolicy,
    now: Timestamp,
    renewal: RenewalOutcome,
) -> Authenticated {
    let status = policy.status(session.lifetime(), now);
    Authenticated { session, claims: NoClaims {}, status, token: None, renewal }
}

#[inline]
fn opens(token: &PresentedToken<'_>, session: &Session) -> bool {
    *session.secret() == token.secret_hash()
}

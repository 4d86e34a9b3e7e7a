//! What becomes of a request with an opaque token.

use super::error::AuthenticateError;
use super::event::{Event, EventKind};
use super::opaque::Sessions;
use super::outcome::{Authenticated, RenewalOutcome};
use super::token_error::TokenError;
use crate::record::{NoClaims, PresentedToken, Session, SessionToken};
use crate::rule::{Decision, SessionPolicy};
use crate::store::{SessionStore, Update};
use crate::time::Timestamp;

/// Why a token opens nothing, and the row that it names, if there is one.
type Unopened = (AuthenticateError, Option<Session>);

impl<S: SessionStore> Sessions<S> {
    /// Judges a request, tells of what was due, and says what to send.
    pub(super) async fn answer(&self, token: &str) -> Result<Authenticated, AuthenticateError> {
        let presented = self.parse(token)?;
        let mut served = self.judge(&presented).await?;
        let kind = match &served.renewal {
            RenewalOutcome::Deferred(_) => EventKind::RenewalDeferred,
            RenewalOutcome::Renewed => {
                if served.status.outlives_cookies(served.session.lifetime()) {
                    served.token = Some(SessionToken::of_text(token));
                }
                EventKind::Renewed { expires_at: served.session.lifetime().expires_at() }
            }
            RenewalOutcome::NotDue | RenewalOutcome::Superseded => return Ok(served),
        };
        self.rows.context.tell(|| Event::of(&served.session, served.status.now, kind));
        Ok(served)
    }

    /// Where a write did not come first, or it is not known whether it was made, the
    /// session is loaded again, judged again, and written once more if that is due.
    async fn judge(&self, token: &PresentedToken<'_>) -> Result<Authenticated, AuthenticateError> {
        let mut session = self.load(token).await?;
        let policy = match self.rows.context.unbounded(&session) {
            Some(policy) => policy,
            None => self.policy_of(&session).await?,
        };
        let mut outcome = RenewalOutcome::NotDue;
        for _ in 0..2 {
            let now = self.rows.context.now();
            let lifetime = match policy.evaluate(session.lifetime(), now) {
                Decision::Keep { .. } => return self.served(session, &policy, now, outcome),
                Decision::Reject { reason, since } => {
                    let error = AuthenticateError::Rejected { reason, since };
                    return Err(self.refused(&session, error));
                }
                Decision::Renew { lifetime } => lifetime,
            };
            let update = Update::new(&session, now, &lifetime);
            outcome = match self.store().update(&update).await {
                Ok(true) => {
                    let renewed = update.apply(&session).ok_or(AuthenticateError::Unknown)?;
                    // The store may have taken its time.
                    let now = self.rows.context.now();
                    return self.served(renewed, &policy, now, RenewalOutcome::Renewed);
                }
                Ok(false) => RenewalOutcome::Superseded,
                Err(error) => RenewalOutcome::deferred(error),
            };
            match (self.find(token).await, &outcome) {
                (Ok(reloaded), RenewalOutcome::Deferred(_)) => {
                    if update.apply(&session).as_ref() == Some(&reloaded) {
                        let now = self.rows.context.now();
                        return self.served(reloaded, &policy, now, RenewalOutcome::Renewed);
                    }
                    session = reloaded;
                }
                (Ok(reloaded), _) => session = reloaded,
                // It was valid when it was loaded, and is served as it was.
                (Err((AuthenticateError::Store(_), _)), RenewalOutcome::Deferred(_)) => break,
                (Err(unopened), _) => return Err(self.unopened(token, unopened)),
            }
        }
        self.served(session, &policy, self.rows.context.now(), outcome)
    }

    /// The session, if the token opens it; the observer is told if not.
    pub(super) async fn load(
        &self,
        token: &PresentedToken<'_>,
    ) -> Result<Session, AuthenticateError> {
        self.find(token).await.map_err(|unopened| self.unopened(token, unopened))
    }

    async fn find(&self, token: &PresentedToken<'_>) -> Result<Session, Unopened> {
        match self.store().load(&token.id).await {
            Ok(Some(session)) if *session.secret() == token.secret_hash() => Ok(session),
            Ok(Some(session)) => Err((AuthenticateError::WrongSecret, Some(session))),
            Ok(None) => Err((AuthenticateError::Unknown, None)),
            Err(error) => Err((error.into(), None)),
        }
    }

    fn unopened(&self, token: &PresentedToken<'_>, unopened: Unopened) -> AuthenticateError {
        let (error, session) = unopened;
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
        let status = policy.status(session.lifetime(), now);
        Ok(Authenticated { session, claims: NoClaims {}, status, token: None, renewal })
    }

    fn refused(&self, session: &Session, error: AuthenticateError) -> AuthenticateError {
        let context = &self.rows.context;
        let kind = EventKind::rejected(&error);
        context.tell(|| Event::of(session, context.now(), kind));
        error
    }
}

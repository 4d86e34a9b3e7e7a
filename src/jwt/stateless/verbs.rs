use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::codec::{Claims, no_secret};
use super::JwtSessions;
use super::valid_after::stamped_after;
use crate::record::{Session, SignIn, random_id};
use crate::rule::Decision;
use crate::sessions::{
    AuthenticateError, Authenticated, Event, EventKind, RenewalOutcome, StartError, Started,
    TokenError, start_until,
};
use crate::store::StoreError;
use crate::time::Timestamp;

impl<A: DeserializeOwned + Serialize + Send + Sync> JwtSessions<A> {
    /// Starts a session: of a subject under the default policy, or as a [`SignIn`]
    /// says.
    ///
    /// To be called after each sign-in and re-authentication: only a new session
    /// has a new cap (NIST SP 800-63B-4 section 5.2). To replace a session after a
    /// change of privilege, start another [`until`](SignIn::until) its cap.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the subject is not 1 to 1024 bytes without NUL, no policy
    /// has the name of the profile, the ceiling is reached, the application's claims are no object or have a
    /// reserved name, the token would be longer than 8 KiB, there is no randomness,
    /// the ring only verifies, `valid_after` cannot be told, or the policy has a
    /// [limit](crate::SessionLimit), which stateless tokens cannot be held to.
    pub async fn start(
        &self,
        sign_in: impl Into<SignIn<A>> + Send,
    ) -> Result<Started<A>, StartError> {
        let sign_in = sign_in.into();
        let policy = self.context.policy_of(&sign_in)?;
        let SignIn { subject, profile, ceiling, claims, .. } = sign_in;
        if self.policies().limit(&profile).is_some() {
            return Err(StartError::LimitNotEnforceable { profile: (&*profile).into() });
        }
        let now = self.context.now();
        let lifetime = start_until(policy, now, ceiling)?;
        let valid_after = self.valid_after(&subject).await?;
        let lifetime = stamped_after(lifetime, valid_after)?;
        // The answer may have taken its time, which the session does not get back.
        let now = self.context.now();
        let id = random_id().map_err(StartError::random)?;
        let session = Session::new(id, subject, profile, no_secret(id), lifetime)?;
        let token = self.codec.issue(&session, &claims, now)?;
        self.context.tell(|| {
            let kind = EventKind::Started {
                absolute_expires_at: lifetime.absolute_expires_at(),
                expires_at: lifetime.expires_at(),
            };
            Event::of(&session, now, kind)
        });
        Ok(Started { token, status: policy.status(&lifetime, now), session, claims })
    }

    /// Judges a request by its token, and issues another if that is due.
    ///
    /// # Errors
    ///
    /// [`AuthenticateError`] if the token is not ours, a limit is reached, the
    /// subject's tokens are revoked, or `valid_after` cannot be told. An error of the
    /// *re-issue* is not one: see [`RenewalOutcome::Deferred`].
    pub async fn authenticate(&self, token: &str) -> Result<Authenticated<A>, AuthenticateError> {
        let (claims, now, decision) = self.judge(token).await?;
        let mut served = self.served(claims, now);
        let Decision::Renew { lifetime } = decision else {
            return Ok(served);
        };
        let renewed = Session { lifetime, ..served.session.clone() };
        let kind = match self.codec.issue(&renewed, &served.claims, now) {
            Ok(token) => {
                served.token = Some(token);
                served.renewal = RenewalOutcome::Renewed;
                served.status = self.policy_of(&renewed).status(&lifetime, now);
                served.session = renewed;
                EventKind::Reissued { expires_at: lifetime.expires_at() }
            }
            Err(error) => {
                served.renewal = RenewalOutcome::deferred(error);
                EventKind::RenewalDeferred
            }
        };
        self.context.tell(|| Event::of(&served.session, now, kind));
        Ok(served)
    }

    /// [`authenticate`](Self::authenticate) for traffic that is not the user's,
    /// such as polling and "how long have I left?": the same answer, but it never
    /// issues a token.
    ///
    /// # Errors
    ///
    /// As for [`authenticate`](Self::authenticate).
    pub async fn peek(&self, token: &str) -> Result<Authenticated<A>, AuthenticateError> {
        let (claims, now, _) = self.judge(token).await?;
        Ok(self.served(claims, now))
    }

    /// Tells the observer of a refusal, with the session once its token is known
    /// to be ours.
    async fn judge(
        &self,
        token: &str,
    ) -> Result<(Claims<A>, Timestamp, Decision), AuthenticateError> {
        let now = self.context.now();
        let claims: Claims<A> = self.codec.verify(token, now).inspect_err(|error| {
            self.context.tell(|| Event::anonymous(now, EventKind::rejected(error)).unproven());
        })?;
        let session = &claims.session;
        let (now, decision) = self.limits(session, now).await.inspect_err(|error| {
            self.context
                .tell(|| Event::of(session, self.context.now(), EventKind::rejected(error)));
        })?;
        Ok((claims, now, decision))
    }

    /// What was decided at `now`, once it is sure that nothing has been revoked, and
    /// that moment, when the token is still good.
    async fn limits(
        &self,
        session: &Session,
        now: Timestamp,
    ) -> Result<(Timestamp, Decision), AuthenticateError> {
        if session.generation() != 0 {
            return Err(TokenError::Strategy.into());
        }
        let policy = self.policy_of(session);
        // A re-issue counts from before the question, so that a change which its
        // answer has missed revokes it.
        let decision = policy.evaluate(session.lifetime(), now);
        if let Decision::Reject { reason, since } = decision {
            return Err(AuthenticateError::Rejected { reason, since });
        }
        match self.valid_after(session.subject()).await? {
            Some(valid_after) if session.lifetime().renewed_at() <= valid_after => {
                return Err(AuthenticateError::Revoked { valid_after });
            }
            _ => {}
        }
        // The answer may have taken its time.
        let now = self.context.now();
        match policy.peek(session.lifetime(), now) {
            Decision::Reject { reason, since } => {
                Err(AuthenticateError::Rejected { reason, since })
            }
            Decision::Keep { .. } | Decision::Renew { .. } => Ok((now, decision)),
        }
    }

    async fn valid_after(&self, subject: &str) -> Result<Option<Timestamp>, StoreError> {
        match &self.valid_after {
            Some(valid_after) => valid_after.valid_after(subject).await,
            None => Ok(None),
        }
    }

    fn served(&self, claims: Claims<A>, now: Timestamp) -> Authenticated<A> {
        let Claims { session, application: claims, .. } = claims;
        let status = self.policy_of(&session).status(session.lifetime(), now);
        Authenticated { session, claims, status, token: None, renewal: RenewalOutcome::NotDue }
    }
}

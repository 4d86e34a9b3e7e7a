use alloc::vec::Vec;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::codec::{Claims, no_secret};
use super::JwtSessions;
use crate::record::{Session, SignIn, random_id};
use crate::rule::{Decision, SessionPolicy, Status};
use crate::sessions::{
    AuthenticateError, Authenticated, Event, EventKind, RenewalOutcome, StartError, Started,
    TokenError, start_until,
};
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
    /// has the name of the profile, the ceiling is reached, the epoch is missing or not
    /// today's, the subject is to have no session or its bound cannot be told, the
    /// application's claims are no object or have a reserved name, the token would be too
    /// long, there is no randomness, the ring only verifies, or the policy has a
    /// [limit](crate::SessionLimit), which stateless tokens cannot be held to.
    pub async fn start(
        &self,
        sign_in: impl Into<SignIn<A>> + Send,
    ) -> Result<Started<A>, StartError> {
        let sign_in = sign_in.into();
        let (policy, _) = self.context.admit(&sign_in).await?;
        let SignIn { subject, profile, ceiling, epoch, claims, .. } = sign_in;
        if self.policies().limit(&profile).is_some() {
            return Err(StartError::LimitNotEnforceable { profile: (&*profile).into() });
        }
        let now = self.context.now();
        let lifetime = start_until(&policy, now, ceiling)?;
        let id = random_id().map_err(StartError::random)?;
        let session = Session::new(id, subject, profile, no_secret(id), lifetime)?;
        let session = session.with(|_, more| more.epoch = epoch);
        let token = self.codec.issue(&session, &claims, now)?;
        self.context.tell(|| Event::of(&session, now, EventKind::started(&lifetime)));
        Ok(Started { token, status: policy.status(&lifetime, now), session, claims })
    }

    /// Judges a request by its token, and issues another if that is due.
    ///
    /// # Errors
    ///
    /// [`AuthenticateError`] if the token is not ours, a limit is reached, the
    /// session is revoked, or its bound cannot be told. An error of the *re-issue* is
    /// not one: see [`RenewalOutcome::Deferred`].
    pub async fn authenticate(&self, token: &str) -> Result<Authenticated<A>, AuthenticateError> {
        let Judged { mut served, policy, now } = self.judge(token).await?;
        let Decision::Renew { lifetime } = policy.evaluate(served.session.lifetime(), now) else {
            return Ok(served);
        };
        let renewed = served.session.clone().with(|fields, _| fields.lifetime = lifetime);
        let kind = match self.codec.issue(&renewed, &served.claims, now) {
            Ok(token) => {
                served.token = Some(token);
                served.renewal = RenewalOutcome::Renewed;
                served.status = policy.status(&lifetime, now);
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
        Ok(self.judge(token).await?.served)
    }

    pub(crate) async fn status_of(&self, session: &Session) -> Result<Status, AuthenticateError> {
        let (policy, now) = self.limits(session, self.context.now()).await?;
        Ok(policy.status(session.lifetime(), now))
    }

    /// Tells the observer of a refusal, with the session once its token is known
    /// to be ours.
    async fn judge(&self, token: &str) -> Result<Judged<A>, AuthenticateError> {
        let now = self.context.now();
        let mut buffer = Vec::new();
        let claims: Claims<'_, A> =
            self.codec.verify(token, now, &mut buffer).inspect_err(|error| {
                self.context.tell(|| Event::anonymous(now, EventKind::rejected(error)).unproven());
            })?;
        let (session, claims) = claims.into_session();
        let (policy, now) = self.limits(&session, now).await.inspect_err(|error| {
            self.context
                .tell(|| Event::of(&session, self.context.now(), EventKind::rejected(error)));
        })?;
        let status = policy.status(session.lifetime(), now);
        let renewal = RenewalOutcome::NotDue;
        let served = Authenticated { session, claims, status, token: None, renewal };
        Ok(Judged { served, policy, now })
    }

    /// What judges the token in this request, and the instant at which it is served.
    async fn limits(
        &self,
        session: &Session,
        now: Timestamp,
    ) -> Result<(SessionPolicy, Timestamp), AuthenticateError> {
        if session.generation() != 0 {
            return Err(TokenError::Strategy.into());
        }
        // Whose time is over by the profile's policy, nothing is asked about.
        served_at(self.policies().policy_for(session.profile()), session, now)?;
        let policy = self.context.policy_of(session).await?.ok_or(AuthenticateError::Revoked)?;
        // The answer may have taken its time.
        let now = self.context.now();
        served_at(&policy, session, now)?;
        Ok((policy, now))
    }
}

/// A token that is served.
struct Judged<A> {
    served: Authenticated<A>,
    policy: SessionPolicy,
    now: Timestamp,
}

fn served_at(
    policy: &SessionPolicy,
    session: &Session,
    now: Timestamp,
) -> Result<(), AuthenticateError> {
    match policy.peek(session.lifetime(), now) {
        Decision::Reject { reason, since } => Err(AuthenticateError::Rejected { reason, since }),
        Decision::Keep { .. } | Decision::Renew { .. } => Ok(()),
    }
}

use alloc::sync::Arc;
use core::fmt;
use core::marker::PhantomData;

use chrono::TimeDelta;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codec::{Claims, Codec, no_secret};
use super::keys::KeyRing;
use super::valid_after::{Erased, ValidAfter};
use crate::config::Policies;
use crate::record::{NoClaims, Session, SignIn, random_id};
use crate::rule::{Decision, Lifetime, SessionPolicy};
use crate::sessions::{
    AuthenticateError, Authenticated, Context, Event, EventKind, Observer, RenewalOutcome,
    StartError, Started, TokenError,
};
use crate::store::StoreError;
use crate::time::{Clock, Timestamp};

/// Sessions without a store: the signed token is the record.
///
/// A token is verified, judged by [`SessionPolicy::evaluate`] and, when
/// `update_age` has passed, issued anew with the same `sid`, `auth_time` and
/// `cap` and another `iat`, `exp` and `jti`. No request is served at or after its
/// `cap`, and no re-issue moves it.
///
/// A working-day policy (`max_age` equal to `absolute_cap`) re-issues on schedule
/// too, although `exp` cannot move: the new token is signed by today's key, and a
/// stolen copy can be told by its older `iat`.
///
/// | what a stateless token cannot do | what there is instead |
/// | --- | --- |
/// | be ended on its own: a cookie can be cleared, a copy of it is good until its `exp` | [`ValidAfter`] ends all of a subject's; [`HybridSessions`](super::HybridSessions) end one at once |
/// | have only one successor: a superseded token is good until its own `exp` | hybrid sessions detect reuse |
///
/// # Example
///
/// ```
/// # #[cfg(feature = "jwt")] {
/// use session_policy::SessionPolicy;
/// use session_policy::jwt::{Algorithm, JwtSessions, KeyRing, SigningKey};
///
/// # pollster::block_on(async {
/// # let secret = [7; 32];
/// let ring = KeyRing::new(SigningKey::secret("2026-03", Algorithm::Hs256, secret)?)?;
/// let sessions = JwtSessions::new(ring, SessionPolicy::WORKING_DAY)
///     .with_issuer("https://login.example")
///     .with_audience("shop");
///
/// let started = sessions.start("user-42").await?;
/// let cookie = started.token.expose();
///
/// let served = sessions.authenticate(cookie).await?;
/// assert_eq!(served.session.subject(), "user-42");
/// assert!(served.token.is_none()); // No re-issue is due yet.
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// # }
/// ```
///
/// [`SessionPolicy::evaluate`]: crate::SessionPolicy::evaluate
pub struct JwtSessions<A = NoClaims> {
    context: Context,
    codec: Arc<Codec>,
    valid_after: Option<Arc<dyn Erased>>,
    application: PhantomData<fn() -> A>,
}

impl JwtSessions {
    /// Sessions signed with `ring` under one policy or a set of [`Policies`], by
    /// the system's clock.
    #[must_use]
    pub fn new(ring: KeyRing, policies: impl Into<Policies>) -> Self {
        Self {
            context: Context::new(policies.into()),
            codec: Arc::new(Codec::new(ring)),
            valid_after: None,
            application: PhantomData,
        }
    }
}

impl<A> JwtSessions<A> {
    /// The same sessions, whose tokens also carry the claims of `B`: a type that
    /// serialises as an object, none of whose names is one of
    /// [ours](crate::jwt#claims) or `nbf`.
    ///
    /// Verification gives it the members of the payload that are not ours.
    #[must_use]
    pub fn with_claims<B>(self) -> JwtSessions<B> {
        let Self { context, codec, valid_after, application: _ } = self;
        JwtSessions { context, codec, valid_after, application: PhantomData }
    }

    /// Issues tokens with this `iss`, and refuses those without exactly it (RFC
    /// 8725 section 3.8).
    #[must_use]
    pub fn with_issuer(mut self, issuer: impl Into<Arc<str>>) -> Self {
        Arc::make_mut(&mut self.codec).issuer = Some(issuer.into());
        self
    }

    /// Issues tokens with this `aud`, and refuses those that do not have exactly
    /// it, alone or in a list (RFC 8725 section 3.9). Without it, a token that
    /// has an audience is refused.
    #[must_use]
    pub fn with_audience(mut self, audience: impl Into<Arc<str>>) -> Self {
        Arc::make_mut(&mut self.codec).audience = Some(audience.into());
        self
    }

    /// The same sessions, revoked by `valid_after`.
    #[must_use]
    pub fn with_valid_after(self, valid_after: impl ValidAfter + 'static) -> Self {
        Self { valid_after: Some(Arc::new(valid_after)), ..self }
    }

    /// The same sessions by another clock.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock + 'static) -> Self {
        Self { context: self.context.with_clock(clock), ..self }
    }

    /// The same sessions, with every step of their lives told to `observer`.
    #[must_use]
    pub fn with_observer(self, observer: impl Observer + 'static) -> Self {
        Self { context: self.context.with_observer(observer), ..self }
    }

    /// The policies in force.
    #[must_use]
    pub fn policies(&self) -> &Policies {
        self.context.policies()
    }

    /// The keys.
    #[must_use]
    pub fn key_ring(&self) -> &KeyRing {
        &self.codec.ring
    }

    fn policy_of(&self, session: &Session) -> &SessionPolicy {
        self.policies().policy_for(session.profile())
    }
}

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
    /// has the name of the profile, the application's claims are no object or have a
    /// reserved name, the token would be longer than 8 KiB, there is no randomness,
    /// the ring only verifies, `valid_after` cannot be told, or the policy has a
    /// [limit](crate::SessionLimit), which stateless tokens cannot be held to.
    pub async fn start(
        &self,
        sign_in: impl Into<SignIn<A>> + Send,
    ) -> Result<Started<A>, StartError> {
        let sign_in = sign_in.into();
        let policy = self.context.policy_of(&sign_in)?;
        let SignIn { subject, profile, ceiling, claims } = sign_in;
        if self.policies().limit(&profile).is_some() {
            return Err(StartError::LimitNotEnforceable { profile: (&*profile).into() });
        }
        let now = self.context.now();
        let lifetime = policy.start_until(now, ceiling);
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
        let rejected = |error: &AuthenticateError| EventKind::Rejected { reason: error.as_str() };
        let claims: Claims<A> = self.codec.verify(token, now).inspect_err(|error| {
            self.context.tell(|| Event::anonymous(now, rejected(error)));
        })?;
        let session = &claims.session;
        let (now, decision) = self.limits(session, now).await.inspect_err(|error| {
            self.context.tell(|| Event::of(session, self.context.now(), rejected(error)));
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
        let Claims { session, application: claims } = claims;
        let status = self.policy_of(&session).status(session.lifetime(), now);
        Authenticated { session, claims, status, token: None, renewal: RenewalOutcome::NotDue }
    }
}

/// The same sessions.
impl<A> Clone for JwtSessions<A> {
    fn clone(&self) -> Self {
        let Self { context, codec, valid_after, application } = self;
        Self {
            context: context.clone(),
            codec: Arc::clone(codec),
            valid_after: valid_after.clone(),
            application: *application,
        }
    }
}

impl<A> fmt::Debug for JwtSessions<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("JwtSessions");
        debug.field("codec", &self.codec).field("policies", self.policies());
        debug.finish_non_exhaustive()
    }
}

/// A new lifetime whose `renewed_at` is after what is revoked. Nothing counts
/// from the later stamp: `expires_at` and the cap stay.
fn stamped_after(
    lifetime: Lifetime,
    valid_after: Option<Timestamp>,
) -> Result<Lifetime, StartError> {
    let Some(valid_after) = valid_after else {
        return Ok(lifetime);
    };
    let first = valid_after.saturating_add(TimeDelta::seconds(1));
    if first <= lifetime.renewed_at() {
        return Ok(lifetime);
    }
    if first > lifetime.expires_at() || first == valid_after {
        return Err(StartError::Revoked { valid_after });
    }
    Ok(Lifetime::ordered(
        lifetime.created_at(),
        first,
        lifetime.expires_at(),
        lifetime.absolute_expires_at(),
    ))
}

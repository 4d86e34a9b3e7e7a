use alloc::sync::Arc;
use core::fmt;
use core::marker::PhantomData;

use chrono::TimeDelta;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codec::{Codec, Draft};
use super::{
    Authenticated, Claims, IssueError, Issued, JwtError, KeyRing, NoClaims, Started, TokenRenewal,
    ValidAfter,
};
use crate::session::check_names;
use crate::token::random_id;
use crate::{
    Clock, Cookie, Decision, Event, EventKind, Lifetime, Observer, Policies, SystemClock, Timestamp,
};

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
/// | be ended on its own: [`end`](Self::end) only clears the cookie | [`ValidAfter`] ends all of a subject's; [`HybridSessions`](super::HybridSessions) end one at once |
/// | have only one successor: a superseded token is good until its own `exp` | hybrid sessions detect reuse |
///
/// # Example
///
/// ```
/// # #[cfg(feature = "jwt")] {
/// use session_policy::SessionPolicy;
/// use session_policy::jwt::{Algorithm, JwtSessions, KeyRing, NoClaims, SigningKey};
///
/// # pollster::block_on(async {
/// # let secret = [7; 32];
/// let ring = KeyRing::new(SigningKey::secret("2026-03", Algorithm::Hs256, secret)?)?;
/// let sessions = JwtSessions::new(ring, SessionPolicy::WORKING_DAY)
///     .with_issuer("https://login.example")
///     .with_audience("shop");
///
/// let started = sessions.start("user-42", NoClaims {}).await?;
/// let cookie = started.issued.token.expose();
///
/// let served = sessions.authenticate(cookie).await?;
/// assert_eq!(served.claims.subject(), "user-42");
/// assert_eq!(served.issued, None); // No re-issue is due yet.
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// # }
/// ```
///
/// [`SessionPolicy::evaluate`]: crate::SessionPolicy::evaluate
pub struct JwtSessions<A = NoClaims, V = (), C = SystemClock, O = ()> {
    codec: Codec,
    policies: Policies,
    valid_after: V,
    clock: C,
    observer: O,
    application: PhantomData<fn() -> A>,
}

impl JwtSessions {
    /// Sessions signed with `ring` under one policy or a set of [`Policies`], by
    /// the system's clock.
    #[must_use]
    pub fn new(ring: KeyRing, policies: impl Into<Policies>) -> Self {
        Self {
            codec: Codec::new(ring),
            policies: policies.into(),
            valid_after: (),
            clock: SystemClock,
            observer: (),
            application: PhantomData,
        }
    }
}

impl<A, V, C, O> JwtSessions<A, V, C, O> {
    /// The same sessions, whose tokens also carry the claims of `B`: a type that
    /// serialises as an object, none of whose names is one of
    /// [ours](Claims) or `nbf`.
    ///
    /// Verification gives it the members of the payload that are not ours.
    #[must_use]
    pub fn with_claims<B>(self) -> JwtSessions<B, V, C, O> {
        let Self { codec, policies, valid_after, clock, observer, .. } = self;
        JwtSessions { codec, policies, valid_after, clock, observer, application: PhantomData }
    }

    /// Issues tokens with this `iss`, and refuses those without exactly it (RFC
    /// 8725 section 3.8).
    #[must_use]
    pub fn with_issuer(mut self, issuer: impl Into<Arc<str>>) -> Self {
        self.codec.issuer = Some(issuer.into());
        self
    }

    /// Issues tokens with this `aud`, and refuses those that do not have exactly
    /// it, alone or in a list (RFC 8725 section 3.9). Without it, a token that
    /// has an audience is refused.
    #[must_use]
    pub fn with_audience(mut self, audience: impl Into<Arc<str>>) -> Self {
        self.codec.audience = Some(audience.into());
        self
    }

    /// The same sessions, revoked by `valid_after`.
    #[must_use]
    pub fn with_valid_after<W>(self, valid_after: W) -> JwtSessions<A, W, C, O> {
        let Self { codec, policies, clock, observer, application, .. } = self;
        JwtSessions { codec, policies, valid_after, clock, observer, application }
    }

    /// The same sessions by another clock.
    #[must_use]
    pub fn with_clock<D>(self, clock: D) -> JwtSessions<A, V, D, O> {
        let Self { codec, policies, valid_after, observer, application, .. } = self;
        JwtSessions { codec, policies, valid_after, clock, observer, application }
    }

    /// The same sessions, with every step of their lives told to `observer`.
    #[must_use]
    pub fn with_observer<P>(self, observer: P) -> JwtSessions<A, V, C, P> {
        let Self { codec, policies, valid_after, clock, application, .. } = self;
        JwtSessions { codec, policies, valid_after, clock, observer, application }
    }

    /// The policies in force.
    #[must_use]
    pub const fn policies(&self) -> &Policies {
        &self.policies
    }

    /// The keys.
    #[must_use]
    pub const fn key_ring(&self) -> &KeyRing {
        &self.codec.ring
    }
}

impl<A, V, C, O> JwtSessions<A, V, C, O>
where
    A: DeserializeOwned + Serialize + Send + Sync,
    V: ValidAfter,
    C: Clock,
    O: Observer,
{
    /// Starts a session of `subject` under the default policy.
    ///
    /// To be called after each sign-in and re-authentication: only a new session
    /// has a new cap (NIST SP 800-63B-4 section 5.2).
    ///
    /// # Errors
    ///
    /// [`IssueError`] if `subject` is not 1 to 1024 bytes without NUL, the
    /// application's claims are no object or have a reserved name, the token
    /// would be longer than 8 KiB, there is no randomness, the ring only
    /// verifies, `valid_after` cannot be told, or the policy has a
    /// [limit](crate::SessionLimit), which stateless tokens cannot be held to.
    pub async fn start(&self, subject: &str, application: A) -> Result<Started<A>, IssueError> {
        self.start_with(subject, Policies::DEFAULT, application).await
    }

    /// Starts a session under a named profile, such as "remember-me" or "admin".
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start), and if no policy has the name `profile`.
    pub async fn start_with(
        &self,
        subject: &str,
        profile: &str,
        application: A,
    ) -> Result<Started<A>, IssueError> {
        self.start_until(subject, profile, application, Timestamp::MAX).await
    }

    /// Starts a session whose cap is at most `ceiling`: the end of an upstream
    /// provider's session, or the cap of the session that this one replaces after
    /// a change of privilege.
    ///
    /// # Errors
    ///
    /// As for [`start_with`](Self::start_with).
    pub async fn start_until(
        &self,
        subject: &str,
        profile: &str,
        application: A,
        ceiling: impl Into<Timestamp> + Send,
    ) -> Result<Started<A>, IssueError> {
        let policy = self
            .policies
            .get(profile)
            .ok_or_else(|| IssueError::UnknownProfile { profile: profile.into() })?;
        if self.policies.limit(profile).is_some() {
            return Err(IssueError::LimitNotEnforceable { profile: profile.into() });
        }
        check_names(subject, profile)?;
        let now = self.clock.now();
        let lifetime = policy.start_until(now, ceiling);
        let valid_after = self.valid_after.valid_after(subject).await?;
        let lifetime = stamped_after(lifetime, valid_after)?;
        // The answer may have taken its time, which the session does not get back.
        let now = self.clock.now();
        let (subject, profile) = (subject.into(), profile.into());
        let (id, generation, token_id) = (random_id()?, 0, Arc::default());
        let mut claims =
            Claims { id, subject, profile, lifetime, generation, token_id, application };
        let issued = self.issue(&mut claims, now)?;
        let kind = EventKind::Started {
            absolute_expires_at: lifetime.absolute_expires_at(),
            expires_at: lifetime.expires_at(),
        };
        self.observer.observe(&claims.event(now, kind));
        Ok(Started { issued, status: policy.status(&lifetime, now), claims })
    }

    /// Judges a request by its token, and issues another if that is due.
    ///
    /// # Errors
    ///
    /// [`JwtError`] if the token is not ours, a limit is reached, the subject's
    /// tokens are revoked, or `valid_after` cannot be told. An error of the
    /// *re-issue* is not one: see [`TokenRenewal::Deferred`].
    pub async fn authenticate(&self, token: &str) -> Result<Authenticated<A>, JwtError> {
        let (mut claims, now, decision) = self.judge(token).await?;
        let (issued, renewal) = match decision {
            Decision::Renew { lifetime } => {
                let before = core::mem::replace(&mut claims.lifetime, lifetime);
                match self.issue(&mut claims, now) {
                    Ok(issued) => (Some(issued), TokenRenewal::Renewed),
                    Err(error) => {
                        claims.lifetime = before;
                        (None, TokenRenewal::Deferred(error))
                    }
                }
            }
            Decision::Keep { .. } | Decision::Reject { .. } => (None, TokenRenewal::NotDue),
        };
        let kind = match renewal {
            TokenRenewal::Renewed => {
                Some(EventKind::Reissued { expires_at: claims.lifetime.expires_at() })
            }
            TokenRenewal::Deferred(_) => Some(EventKind::RenewalDeferred),
            TokenRenewal::NotDue | TokenRenewal::Superseded => None,
        };
        if let Some(kind) = kind {
            self.observer.observe(&claims.event(now, kind));
        }
        Ok(self.served(claims, now, issued, renewal))
    }

    /// [`authenticate`](Self::authenticate) for traffic that is not the user's,
    /// such as polling and "how long have I left?": the same answer, but it never
    /// issues a token.
    ///
    /// # Errors
    ///
    /// As for [`authenticate`](Self::authenticate).
    pub async fn peek(&self, token: &str) -> Result<Authenticated<A>, JwtError> {
        let (claims, now, _) = self.judge(token).await?;
        Ok(self.served(claims, now, None, TokenRenewal::NotDue))
    }

    /// Ends a session as far as its client goes along: says what to send, and
    /// tells the observer.
    ///
    /// A copy of the token is good until its `exp`. To end that too, move the
    /// subject's [`ValidAfter`].
    pub fn end(&self, claims: &Claims<A>) -> Cookie {
        self.observer.observe(&claims.event(self.clock.now(), EventKind::Ended));
        Cookie::Clear
    }

    /// Tells the observer of a refusal, with the session once its token is known
    /// to be ours.
    async fn judge(&self, token: &str) -> Result<(Claims<A>, Timestamp, Decision), JwtError> {
        let now = self.clock.now();
        let rejected = |error: &JwtError| EventKind::Rejected { reason: error.as_str() };
        let claims: Claims<A> = self.codec.verify(token, now).inspect_err(|error| {
            self.observer.observe(&Event::anonymous(now, rejected(error)));
        })?;
        let (now, decision) = self.limits(&claims, now).await.inspect_err(|error| {
            self.observer.observe(&claims.event(self.clock.now(), rejected(error)));
        })?;
        Ok((claims, now, decision))
    }

    /// What was decided at `now`, once it is sure that nothing has been revoked, and
    /// that moment, when the token is still good.
    async fn limits(
        &self,
        claims: &Claims<A>,
        now: Timestamp,
    ) -> Result<(Timestamp, Decision), JwtError> {
        if claims.generation != 0 {
            return Err(JwtError::Strategy);
        }
        let policy = self.policies.judge(&claims.profile);
        // A re-issue counts from before the question, so that a change which its
        // answer has missed revokes it.
        let decision = policy.evaluate(&claims.lifetime, now);
        if let Decision::Reject { reason, since } = decision {
            return Err(JwtError::Rejected { reason, since });
        }
        match self.valid_after.valid_after(&claims.subject).await? {
            Some(valid_after) if claims.lifetime.renewed_at() <= valid_after => {
                return Err(JwtError::Revoked { valid_after });
            }
            _ => {}
        }
        // The answer may have taken its time.
        let now = self.clock.now();
        match policy.peek(&claims.lifetime, now) {
            Decision::Reject { reason, since } => Err(JwtError::Rejected { reason, since }),
            Decision::Keep { .. } | Decision::Renew { .. } => Ok((now, decision)),
        }
    }

    /// A token of `claims`, which then have its `jti`.
    fn issue(&self, claims: &mut Claims<A>, now: Timestamp) -> Result<Issued, IssueError> {
        let signed = self.codec.issue(&claims.draft(), now)?;
        claims.token_id = signed.token_id;
        Ok(Issued { token: signed.token, max_age: claims.lifetime.cookie_max_age(now) })
    }

    fn served(
        &self,
        claims: Claims<A>,
        now: Timestamp,
        issued: Option<Issued>,
        renewal: TokenRenewal,
    ) -> Authenticated<A> {
        let status = self.policies.judge(&claims.profile).status(&claims.lifetime, now);
        Authenticated { claims, status, issued, renewal }
    }
}

impl<A, V, C, O> fmt::Debug for JwtSessions<A, V, C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("JwtSessions");
        debug.field("codec", &self.codec).field("policies", &self.policies);
        debug.finish_non_exhaustive()
    }
}

impl<A> Claims<A> {
    pub(super) fn draft(&self) -> Draft<'_, A> {
        Draft {
            id: self.id,
            subject: &self.subject,
            profile: &self.profile,
            lifetime: &self.lifetime,
            generation: self.generation,
            application: &self.application,
        }
    }

    pub(super) fn event(&self, at: Timestamp, kind: EventKind) -> Event<'_> {
        Event {
            at,
            session: Some(self.id),
            subject: Some(&self.subject),
            profile: Some(&self.profile),
            kind,
        }
    }
}

/// A new lifetime whose `renewed_at` is after what is revoked. Nothing counts
/// from the later stamp: `expires_at` and the cap stay.
fn stamped_after(
    lifetime: Lifetime,
    valid_after: Option<Timestamp>,
) -> Result<Lifetime, IssueError> {
    let Some(valid_after) = valid_after else {
        return Ok(lifetime);
    };
    let first = valid_after.saturating_add(TimeDelta::seconds(1));
    if first <= lifetime.renewed_at() {
        return Ok(lifetime);
    }
    if first > lifetime.expires_at() || first == valid_after {
        return Err(IssueError::Revoked { valid_after });
    }
    Ok(Lifetime::ordered(
        lifetime.created_at(),
        first,
        lifetime.expires_at(),
        lifetime.absolute_expires_at(),
    ))
}

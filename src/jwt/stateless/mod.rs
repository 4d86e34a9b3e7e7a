mod verbs;

use alloc::sync::Arc;
use core::fmt;
use core::marker::PhantomData;

use super::codec::Codec;
use super::keys::{KeyRing, Kind};
use crate::config::Policies;
use crate::record::NoClaims;
use crate::sessions::{Bounds, Context, Observer};
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
/// | be ended on its own: a cookie can be cleared, a copy of it is good until its `exp` | [`Bounds`] with an epoch end all of a subject's; [`HybridSessions`](crate::jwt::HybridSessions) end one at once |
/// | have only one successor: a superseded token is good until its own `exp` | hybrid sessions detect reuse |
///
/// A sign-out clears the cookie, and is the application's to log: no verb ends a
/// stateless session.
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
#[doc = include_str!("example.md")]
///
/// [`SessionPolicy::evaluate`]: crate::SessionPolicy::evaluate
pub struct JwtSessions<A = NoClaims> {
    context: Context,
    codec: Arc<Codec>,
    application: PhantomData<fn() -> A>,
}

impl JwtSessions {
    /// Sessions signed with `ring` under one policy or a set of [`Policies`], by
    /// the system's clock.
    #[must_use]
    pub fn new(ring: KeyRing, policies: impl Into<Policies>) -> Self {
        Self {
            context: Context::new(policies.into()),
            codec: Arc::new(Codec::new(ring, Kind::Stateless)),
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
        let Self { context, codec, application: _ } = self;
        JwtSessions { context, codec, application: PhantomData }
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

    /// Issues no token that is longer: `start` is then an error, and so is a renewal's
    /// [`Deferred`](crate::RenewalOutcome::Deferred).
    pub(crate) fn fit(&mut self, longest: usize) {
        let codec = Arc::make_mut(&mut self.codec);
        codec.longest = codec.longest.min(longest);
    }

    pub(crate) fn never_waits(&self) -> bool {
        !self.context.is_bounded()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.context.now()
    }

    /// The same sessions, each judged also by what `bounds` says of its subject right now: an
    /// epoch revokes all of a subject's tokens (OWASP ASVS 5.0 7.4.1); see
    /// [`Sessions::with_bounds`](crate::Sessions::with_bounds).
    #[must_use]
    pub fn with_bounds(self, bounds: impl Bounds + 'static) -> Self {
        Self { context: self.context.with_bounds(bounds), ..self }
    }

    /// The same sessions by `clock` in place of the [`SystemClock`](crate::SystemClock), as in
    /// tests. A second call replaces the first.
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
}

/// The same sessions.
impl<A> Clone for JwtSessions<A> {
    fn clone(&self) -> Self {
        let Self { context, codec, application } = self;
        Self { context: context.clone(), codec: Arc::clone(codec), application: *application }
    }
}

impl<A> fmt::Debug for JwtSessions<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("JwtSessions");
        debug.field("codec", &self.codec).field("policies", self.policies());
        debug.finish_non_exhaustive()
    }
}

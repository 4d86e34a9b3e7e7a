mod turn;
mod verbs;

use alloc::sync::Arc;
use core::fmt;
use core::marker::PhantomData;

use chrono::TimeDelta;

#[cfg(doc)]
use super::JwtError;
use super::codec::Codec;
use super::grace::Grace;
use super::{GraceError, KeyRing, NoClaims};
#[cfg(doc)]
use crate::SessionStore;
use crate::{Policies, Session, SessionPolicy, SystemClock};

/// A stateless token has generation 0, as has the row of an opaque one.
const FIRST_GENERATION: u64 = 1;

/// Sessions over a store, behind a signed token: the token names the session and
/// its generation, and the row decides, on every request.
///
/// Ending a session takes effect at once, and a stolen token shows itself: every
/// renewal answers with the next generation, and whoever presents a superseded
/// one ends the session ([`JwtError::Reused`]; RFC 9700 section 4.14.2, OWASP
/// ASVS 5.0 10.4.5).
///
/// # Rotation
///
/// The row keeps the generation g and `confirmed_at`, when a token of g was first
/// presented. A request presents generation k:
///
/// ```text
/// k == g,    due and confirmed_at + grace <= now -> extend, g + 1, answer with g + 1
/// k == g,    otherwise                           -> confirm; if due, extend and answer with g again
/// k == g - 1 and not confirmed                   -> the answer was lost: answer with g again (extend if due)
/// k == g - 1 and now < confirmed_at + grace      -> serve (extend if due), answer with nothing
/// anything else                                  -> reuse: end the session, report it
/// ```
///
/// "Due" and "extend" are the renewal of [`SessionPolicy::evaluate`]. So of many
/// parallel requests one rotates; a lost answer is forgiven with the *same*
/// generation; and an honest client whose requests and answers take less than
/// the grace (less a second, since instants are whole, and less what the clocks
/// of the servers differ by) is never logged out by them.
///
/// An extension that does not rotate is answered once. If that answer is lost, or
/// overtaken by the one before, the client's token keeps its former `exp` until
/// the next renewal is due, which takes one `update_age` from the idle time that
/// it can count on.
///
/// | setting | unit | bound |
/// | --- | --- | --- |
/// | grace | whole seconds | 1 s to the least `update_age` of all policies; 30 s if not set |
///
/// A request costs one [`load`](SessionStore::load), and one
/// [`renew`](SessionStore::renew) when a renewal is due or a generation is
/// confirmed. One that loses a race loads once more, decides again and writes
/// nothing.
///
/// The token's own `exp` is honoured too, without asking the store (RFC 7519
/// section 4.1.4).
///
/// # Example
///
/// ```
/// # #[cfg(all(feature = "jwt", feature = "memory"))] {
/// use session_policy::jwt::{Algorithm, HybridSessions, KeyRing, NoClaims, SigningKey};
/// use session_policy::{MemoryStore, SessionPolicy};
///
/// # pollster::block_on(async {
/// # let secret = [7; 32];
/// let ring = KeyRing::new(SigningKey::secret("2026-03", Algorithm::Hs256, secret)?)?;
/// let sessions = HybridSessions::new(MemoryStore::new(), ring, SessionPolicy::WORKING_DAY)?;
///
/// let started = sessions.start("user-42", NoClaims {}).await?;
/// let cookie = started.issued.token.expose();
/// let served = sessions.authenticate(cookie).await?;
///
/// sessions.end(&served.claims.id()).await?;
/// assert!(sessions.authenticate(cookie).await.is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// # }
/// ```
pub struct HybridSessions<S, A = NoClaims, C = SystemClock, O = ()> {
    store: S,
    codec: Codec,
    policies: Policies,
    grace: Grace,
    clock: C,
    observer: O,
    application: PhantomData<fn() -> A>,
}

impl<S> HybridSessions<S> {
    /// The grace of [`new`](Self::new): 30 seconds.
    pub const DEFAULT_GRACE: TimeDelta = Grace::DEFAULT;

    /// Sessions in `store`, signed with `ring`, under one policy or a set of
    /// [`Policies`], by the system's clock and with a grace of 30 s.
    ///
    /// # Errors
    ///
    /// [`GraceError`] if `update_age` of a policy is shorter than that.
    pub fn new(store: S, ring: KeyRing, policies: impl Into<Policies>) -> Result<Self, GraceError> {
        Self::with_grace(store, ring, policies, Self::DEFAULT_GRACE)
    }

    /// [`new`](Self::new) with another grace: longer than a request takes, or its
    /// answer, plus what the clocks of the servers differ by; and no longer than
    /// that, since within it a stolen token goes unnoticed.
    ///
    /// # Errors
    ///
    /// [`GraceError`] if `grace` is not whole seconds from 1 s to the least
    /// `update_age` of all policies.
    ///
    /// ```
    /// # #[cfg(all(feature = "jwt", feature = "memory"))] {
    /// # use chrono::TimeDelta;
    /// # use session_policy::jwt::{Algorithm, HybridSessions, KeyRing, SigningKey};
    /// # use session_policy::{MemoryStore, SessionPolicy};
    /// # let ring = KeyRing::new(SigningKey::secret("1", Algorithm::Hs256, [7; 32])?)?;
    /// let (store, grace) = (MemoryStore::new(), TimeDelta::minutes(20));
    /// let error = HybridSessions::with_grace(store, ring, SessionPolicy::WORKING_DAY, grace);
    /// assert_eq!(
    ///     error.unwrap_err().to_string(),
    ///     "grace `20m` is longer than update_age `15m` of profile `default`",
    /// );
    /// # }
    /// # Ok::<(), session_policy::jwt::KeyError>(())
    /// ```
    pub fn with_grace(
        store: S,
        ring: KeyRing,
        policies: impl Into<Policies>,
        grace: TimeDelta,
    ) -> Result<Self, GraceError> {
        let policies = policies.into();
        Ok(Self {
            grace: Grace::new(grace, &policies)?,
            store,
            codec: Codec::new(ring),
            policies,
            clock: SystemClock,
            observer: (),
            application: PhantomData,
        })
    }
}

impl<S, A, C, O> HybridSessions<S, A, C, O> {
    /// The same sessions, whose tokens also carry the claims of `B`; see
    /// [`JwtSessions::with_claims`](super::JwtSessions::with_claims). A new token
    /// has those of the one that was presented.
    #[must_use]
    pub fn with_claims<B>(self) -> HybridSessions<S, B, C, O> {
        let Self { store, codec, policies, grace, clock, observer, .. } = self;
        HybridSessions { store, codec, policies, grace, clock, observer, application: PhantomData }
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

    /// The same sessions by another clock.
    #[must_use]
    pub fn with_clock<D>(self, clock: D) -> HybridSessions<S, A, D, O> {
        let Self { store, codec, policies, grace, observer, application, .. } = self;
        HybridSessions { store, codec, policies, grace, clock, observer, application }
    }

    /// The same sessions, with every step of their lives told to `observer`.
    #[must_use]
    pub fn with_observer<P>(self, observer: P) -> HybridSessions<S, A, C, P> {
        let Self { store, codec, policies, grace, clock, application, .. } = self;
        HybridSessions { store, codec, policies, grace, clock, observer, application }
    }

    /// The policies in force.
    #[must_use]
    pub const fn policies(&self) -> &Policies {
        &self.policies
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// The keys.
    #[must_use]
    pub const fn key_ring(&self) -> &KeyRing {
        &self.codec.ring
    }

    fn policy_of(&self, session: &Session) -> &SessionPolicy {
        self.policies.judge(session.profile())
    }
}

impl<S, A, C, O> fmt::Debug for HybridSessions<S, A, C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("HybridSessions");
        debug.field("codec", &self.codec).field("policies", &self.policies);
        debug.field("grace", &self.grace.get()).finish_non_exhaustive()
    }
}

mod grace;
mod step;
mod turn;
mod verbs;

use alloc::sync::Arc;
use core::fmt;
use core::marker::PhantomData;

use chrono::TimeDelta;

use self::grace::Grace;
pub use self::grace::GraceError;
use super::codec::Codec;
use super::keys::{KeyRing, Kind};
use crate::config::Policies;
use crate::record::NoClaims;
use crate::sessions::{Bounds, Context, Observer, Rows};
use crate::time::{Clock, Timestamp};

/// A stateless token has generation 0, as has the row of an opaque one.
const FIRST_GENERATION: u64 = 1;

/// Sessions over a store, behind a signed token: the token names the session and
/// its generation, and the row decides, on every request.
///
/// Ending a session takes effect at once, and a stolen token shows itself: a renewal
/// answers with the next generation, and whoever presents a superseded one ends the
/// session ([`AuthenticateError::Reused`]; RFC 9700 section 4.14.2, OWASP ASVS 5.0
/// 10.4.5).
///
/// # The token
///
/// Its `exp` is the cap: it names the session, and the row alone says whether it lives. So
/// an extension sends nothing, and a lost answer costs nothing. Another service learns from
/// it who signed in and when (`sub`, `auth_time`), but not whether the session still lives.
/// For tokens that others verify without the row, use [`JwtSessions`](super::JwtSessions).
/// Its `typ` is `session+jwt` (RFC 8725 section 3.11), and no other is accepted. `fam` is
/// the first 8 bytes of the hash of the row's secret: a [rotation](Self::rotate) writes
/// another secret, and so starts another family of tokens at its first generation.
///
/// # Generations
///
/// The row keeps the generation g and `confirmed_at`, when a token of g was first
/// presented. A request presents generation k:
///
/// ```text
/// another family                                 -> refused (Unknown); never reuse, ends nothing
/// k == g,    due and confirmed_at + grace <= now -> extend, g + 1, confirmed_at = none, answer with g + 1
/// k == g,    otherwise                           -> confirm if not confirmed; extend if due; answer with nothing
/// k == g - 1 and not confirmed                   -> the answer was lost: answer with g again (extend if due)
/// k == g - 1 and now < confirmed_at + grace      -> serve (extend if due), answer with nothing
/// anything else                                  -> reuse: end the session, report it
/// ```
///
/// "Due" and "extend" are the renewal of [`SessionPolicy::evaluate`]. So of many
/// parallel requests one re-issues; a lost answer is forgiven with the *same*
/// generation ([`EventKind::Forgiven`]); and an honest client whose requests and answers
/// take less than the grace less the skew is never signed out by them. Where
/// `update_age` is within the grace of a confirmation, every second renewal re-issues.
///
/// | setting | unit | bound |
/// | --- | --- | --- |
/// | grace | whole seconds, at least 1 s | the greatest `clock_skew` to the least `update_age` of all policies; if not set, that skew and 30 s, at most that `update_age` |
///
/// # What remains
///
/// * A thief in lockstep, who presents each token before its owner does and answers
///   first each time, cannot be told from the owner by generations. A run of
///   [`EventKind::Forgiven`] is the trace.
/// * If the answer to a rotation is lost, or overtaken by the answer of a re-issue
///   under way, the client holds a dead token, and the user signs in again.
///
/// A request costs one [`load`](crate::store::SessionStore::load), and one
/// [`update`](crate::store::SessionStore::update) when a renewal is due or a generation
/// is confirmed. One that loses a race loads and decides again, and writes once more if
/// that is due.
///
/// [`EventKind::Forgiven`]: crate::EventKind::Forgiven
///
/// # Example
///
/// ```
/// # #[cfg(all(feature = "jwt", feature = "memory"))] {
/// use session_policy::jwt::{Algorithm, HybridSessions, KeyRing, SigningKey};
/// use session_policy::{MemoryStore, SessionPolicy};
///
/// # pollster::block_on(async {
/// # let secret = [7; 32];
/// let ring = KeyRing::new(SigningKey::secret("2026-03", Algorithm::Hs256, secret)?)?;
/// let sessions = HybridSessions::new(MemoryStore::new(), ring, SessionPolicy::WORKING_DAY)?;
///
/// let started = sessions.start("user-42").await?;
/// let cookie = started.token.expose();
/// let served = sessions.authenticate(cookie).await?;
///
/// sessions.end(&served.session.id()).await?;
/// assert!(sessions.authenticate(cookie).await.is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// # }
/// ```
///
#[doc = include_str!("example.md")]
///
/// [`AuthenticateError::Reused`]: crate::AuthenticateError::Reused
/// [`SessionPolicy::evaluate`]: crate::SessionPolicy::evaluate
pub struct HybridSessions<S, A = NoClaims> {
    rows: Rows<S>,
    codec: Arc<Codec>,
    grace: Grace,
    application: PhantomData<fn() -> A>,
}

impl<S> HybridSessions<S> {
    /// Sessions in `store`, signed with `ring`, under one policy or a set of
    /// [`Policies`], by the system's clock, with the grace of the table
    /// [above](Self#generations).
    ///
    /// # Errors
    ///
    /// [`GraceError`] if no grace fits: a policy's `update_age` is shorter than 1 s or
    /// than a `clock_skew`.
    pub fn new(store: S, ring: KeyRing, policies: impl Into<Policies>) -> Result<Self, GraceError> {
        let policies = policies.into();
        let grace = Grace::of(&policies)?;
        Ok(Self::build(store, ring, policies, grace))
    }

    /// [`new`](Self::new) with another grace: just longer than a request and its answer take, plus
    /// the difference of the servers' clocks: within it a stolen token goes unnoticed.
    ///
    /// # Errors
    ///
    /// [`GraceError`] if `grace` is not whole seconds from 1 s, from the greatest
    /// `clock_skew` to the least `update_age` of all policies.
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
        let grace = Grace::new(grace, &policies)?;
        Ok(Self::build(store, ring, policies, grace))
    }

    fn build(store: S, ring: KeyRing, policies: Policies, grace: Grace) -> Self {
        Self {
            rows: Rows::new(store, Context::new(policies)),
            codec: Arc::new(Codec::new(ring, Kind::Hybrid)),
            grace,
            application: PhantomData,
        }
    }
}

impl<S, A> HybridSessions<S, A> {
    /// The same sessions, whose tokens also carry the claims of `B`; see
    /// [`JwtSessions::with_claims`](super::JwtSessions::with_claims). A new token
    /// has those of the one that was presented.
    #[must_use]
    pub fn with_claims<B>(self) -> HybridSessions<S, B> {
        let Self { rows, codec, grace, application: _ } = self;
        HybridSessions { rows, codec, grace, application: PhantomData }
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

    pub(crate) fn now(&self) -> Timestamp {
        self.rows.context.now()
    }

    /// The same sessions by `clock` in place of the [`SystemClock`](crate::SystemClock), as in
    /// tests. A second call replaces the first.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock + 'static) -> Self {
        Self { rows: self.rows.with_context(|context| context.with_clock(clock)), ..self }
    }

    /// The same sessions, with every step of their lives told to `observer`.
    #[must_use]
    pub fn with_observer(self, observer: impl Observer + 'static) -> Self {
        Self { rows: self.rows.with_context(|context| context.with_observer(observer)), ..self }
    }

    /// The same sessions, each judged also by what `bounds` says of its subject right now; see
    /// [`Sessions::with_bounds`](crate::Sessions::with_bounds).
    #[must_use]
    pub fn with_bounds(self, bounds: impl Bounds + 'static) -> Self {
        Self { rows: self.rows.with_context(|context| context.with_bounds(bounds)), ..self }
    }

    /// The same sessions, of which a sweep keeps those that have ended for `retention`;
    /// see [`Sessions::with_retention`](crate::Sessions::with_retention).
    #[must_use]
    pub fn with_retention(self, retention: TimeDelta) -> Self {
        Self { rows: self.rows.with_retention(retention), ..self }
    }

    /// The policies in force.
    #[must_use]
    pub fn policies(&self) -> &Policies {
        self.rows.context.policies()
    }

    /// The store given to `new`. What is written through it directly is judged by no policy
    /// and told to no observer.
    #[must_use]
    pub fn store(&self) -> &S {
        self.rows.store()
    }

    /// The keys.
    #[must_use]
    pub fn key_ring(&self) -> &KeyRing {
        &self.codec.ring
    }
}

/// The same sessions: it clones no store.
impl<S, A> Clone for HybridSessions<S, A> {
    fn clone(&self) -> Self {
        let Self { rows, codec, grace, application } = self;
        Self {
            rows: rows.clone(),
            codec: Arc::clone(codec),
            grace: *grace,
            application: *application,
        }
    }
}

impl<S, A> fmt::Debug for HybridSessions<S, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("HybridSessions");
        debug.field("codec", &self.codec).field("policies", self.policies());
        debug.field("grace", &self.grace.get()).finish_non_exhaustive()
    }
}

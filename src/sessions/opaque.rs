//! The verbs. What becomes of a request is in `judge.rs`, what opaque and hybrid
//! sessions share in `rows.rs`.

use alloc::vec::Vec;
use core::fmt;

use chrono::TimeDelta;

use super::bounds::Bounds;
use super::context::Context;
use super::error::{AuthenticateError, RotateError, StartError};
use super::event::Observer;
use super::outcome::{Authenticated, RenewalOutcome, Started};
use super::rows::Rows;
use crate::config::Policies;
use crate::record::{NoClaims, Session, SessionId, SignIn};
use crate::rule::Status;
use crate::store::{ScanStore, SessionStore, StoreError};
use crate::time::{Clock, Timestamp};

/// An opaque token has none.
const GENERATION: u64 = 0;

/// Sessions over a store, opened by opaque tokens.
///
/// It asks the clock, loads the record, has [`SessionPolicy::evaluate`] decide,
/// writes the renewal if one is due, and says what to send to the client. It does
/// no I/O but the store's. A clone is the same sessions.
///
/// A request costs one [`load`](SessionStore::load), and one
/// [`update`](SessionStore::update) when a renewal is due. A request that loses a race
/// loads once more.
///
#[doc = include_str!("examples/sessions.md")]
///
/// [`SessionPolicy::evaluate`]: crate::SessionPolicy::evaluate
pub struct Sessions<S> {
    pub(super) rows: Rows<S>,
}

impl<S> Sessions<S> {
    /// Sessions in `store` under one policy or a set of [`Policies`], by the
    /// system's clock.
    #[must_use]
    pub fn new(store: S, policies: impl Into<Policies>) -> Self {
        Self { rows: Rows::new(store, Context::new(policies.into())) }
    }

    /// The same sessions by `clock` in place of the [`SystemClock`](crate::SystemClock), as in
    /// tests. A second call replaces the first; clones that were made before keep their clock.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock + 'static) -> Self {
        self.with_context(|context| context.with_clock(clock))
    }

    /// The same sessions, with every step of their lives told to `observer`.
    #[must_use]
    pub fn with_observer(self, observer: impl Observer + 'static) -> Self {
        self.with_context(|context| context.with_observer(observer))
    }

    /// The same sessions, each judged also by what `bounds` says of its subject right now. It
    /// is asked at each sign-in and each request. `None` of it is
    /// [`Revoked`](crate::AuthenticateError::Revoked), and an error is
    /// [`Store`](crate::AuthenticateError::Store): nobody is let in. A second call replaces the
    /// first.
    #[must_use]
    pub fn with_bounds(self, bounds: impl Bounds + 'static) -> Self {
        self.with_context(|context| context.with_bounds(bounds))
    }

    /// The same sessions, of which [`sweep`](Self::sweep) keeps those that have ended
    /// for `retention`, in whole seconds: 1 day if not set, and none if negative.
    ///
    /// So a user who comes back is told why the session ended, and a server whose clock
    /// is ahead by less than the retention deletes nobody's live session.
    #[must_use]
    pub fn with_retention(self, retention: TimeDelta) -> Self {
        Self { rows: self.rows.with_retention(retention) }
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

    pub(crate) fn now(&self) -> Timestamp {
        self.rows.context.now()
    }

    fn with_context(self, change: impl FnOnce(Context) -> Context) -> Self {
        Self { rows: self.rows.with_context(change) }
    }
}

impl<S: SessionStore> Sessions<S> {
    /// Starts a session: of a subject under the default policy, or as a [`SignIn`]
    /// says.
    ///
    /// To be called after each sign-in and re-authentication: only a new session
    /// has a new cap (NIST SP 800-63B-4 section 5.2), and a fresh token stops
    /// session fixation (OWASP ASVS 5.0 7.2.4).
    ///
    /// If the policy has a [limit](crate::SessionLimit), the subject's sessions are listed
    /// before and after the creation. Where sign-ins race:
    ///
    /// * [`WhenFull::EndOldest`] leaves the latest ones, exactly as many as the limit allows
    ///   (one fewer where the sign-ins disagree whether a session has ended).
    /// * [`WhenFull::EndLeastRecent`] leaves at most as many, and at least one.
    /// * [`WhenFull::Refuse`] never leaves more. If they race for the last place, perhaps none
    ///   comes in; each is then told [`StartError::Raced`], and may try again.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the subject is not 1 to 1024 bytes without NUL, no policy
    /// has the name of the profile, the ceiling is reached, the epoch is missing or not
    /// today's, the subject is to have no session or its bound cannot be told, there is no
    /// randomness, the store does not take the session, the subject has as many sessions
    /// as it may or sign-ins raced, or the session to be replaced cannot be ended.
    ///
    /// [`WhenFull::EndLeastRecent`]: crate::WhenFull::EndLeastRecent
    /// [`WhenFull::EndOldest`]: crate::WhenFull::EndOldest
    /// [`WhenFull::Refuse`]: crate::WhenFull::Refuse
    pub async fn start(&self, sign_in: impl Into<SignIn> + Send) -> Result<Started, StartError> {
        self.rows.start(sign_in.into(), GENERATION, |_, _, token, _| Ok(token)).await
    }

    /// Judges a request by its token, and renews the session if that is due.
    ///
    /// # Errors
    ///
    /// [`AuthenticateError`] if the text is no token, there is no such session, the
    /// secret is wrong, a limit of time is reached, the session is revoked, or the store or
    /// the bound cannot be told. An error of the *renewal* is not one: see
    /// [`RenewalOutcome::Deferred`].
    pub async fn authenticate(&self, token: &str) -> Result<Authenticated, AuthenticateError> {
        self.judge(token).await
    }

    /// [`authenticate`](Self::authenticate) for traffic that is not the user's,
    /// such as polling and "how long have I left?": the same answer, but it never
    /// renews.
    ///
    /// # Errors
    ///
    /// As for [`authenticate`](Self::authenticate).
    pub async fn peek(&self, token: &str) -> Result<Authenticated, AuthenticateError> {
        let token = self.parse(token)?;
        let session = self.opened(&token, self.store().load(&token.id).await)?;
        let policy = self.policy_of(&session).await?;
        self.served(session, &policy, self.rows.context.now(), RenewalOutcome::NotDue)
    }

    pub(crate) async fn status_of(&self, session: &Session) -> Result<Status, AuthenticateError> {
        self.rows.status_of(session).await
    }

    /// The session that a token opens, whether or not it is served.
    pub(crate) async fn proven(&self, token: &str) -> Result<Session, AuthenticateError> {
        let token = self.parse(token)?;
        self.opened(&token, self.store().load(&token.id).await)
    }

    /// Gives a session another secret: the same session, under the same id and cap,
    /// and the old token opens nothing any more.
    ///
    /// To be called on any change of privilege (OWASP Session Management Cheat Sheet,
    /// "Renew the Session ID After Any Privilege Level Change": what must change is the
    /// token). It is one guarded write, where the stored session still has the secret of
    /// `session`, so a handler with an old secret does not oust whoever holds the new one,
    /// and a rotation undoes no sign-out. If the store fails and it is unknown whether it
    /// wrote, the session is loaded and, if need be, the write tried again.
    ///
    /// A request under way with the old token is refused, and its client tries once
    /// more with the new one. If the answer with the new token is lost, the user signs
    /// in again.
    ///
    /// The id stays. Bind what has to change, such as an anti-forgery token of the
    /// application's, to [`Session::secret`], which changes at a rotation and nowhere else.
    ///
    /// # Errors
    ///
    /// [`RotateError`] if the session has ended, was rotated by another request, is of
    /// another kind, is revoked or has reached a limit of time, there is no randomness, other writes
    /// came first each time, or the store cannot write.
    pub async fn rotate(&self, session: &Session) -> Result<Started, RotateError> {
        self.rows.rotate(session, NoClaims {}, GENERATION, |_, _, token, _| Ok(token)).await
    }

    /// Ends a session. Returns whether there was one. Idempotent.
    ///
    /// No request that begins after it has returned is served by the session, by any
    /// token that it ever had. Send the client a cookie that clears. The id is public, so
    /// make sure that whoever asks may end it: authenticate first, and for another device
    /// of the same user look it up in [`list`](Self::list).
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot write: the session lives on, and the
    /// user must be told.
    pub async fn end(&self, id: &SessionId) -> Result<bool, StoreError> {
        self.rows.end(id).await
    }

    /// Ends all sessions of a subject. Returns the number ended.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot write.
    pub async fn end_all(&self, subject: &str) -> Result<u64, StoreError> {
        self.rows.end_all(subject, None).await
    }

    /// Ends the subject's other sessions, as after a password change (OWASP ASVS
    /// 5.0 7.4.3). Returns the number ended.
    ///
    /// A sign-in under way, which has checked the old password and not yet started its
    /// session, is not among them: let the [epoch](crate::SignIn::epoch) of the subject
    /// change with the password.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot write.
    pub async fn end_others(&self, session: &Session) -> Result<u64, StoreError> {
        self.rows.end_all(session.subject(), Some(&session.id())).await
    }

    /// The live sessions of a subject, the oldest first: a page of devices. Of each,
    /// `lifetime().renewed_at()` is the last counted activity, to within `update_age`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot tell.
    pub async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        self.rows.list(subject).await
    }

    /// Removes at most `limit` (from 1) sessions that expired at least the
    /// [retention](Self::with_retention) ago. Returns the number removed; fewer than
    /// `limit` means that none is left, except those that are being written at that moment.
    ///
    /// Sweeping only frees space: an expired session is refused whether or not it
    /// has been swept. A loop around it should go on after an error.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot write.
    pub async fn sweep(&self, limit: u32) -> Result<u64, StoreError> {
        self.rows.sweep(limit).await
    }
}

impl<S: ScanStore> Sessions<S> {
    /// Goes through the whole store, some `batch` (from 1) sessions at a time, and removes those
    /// that today's policy ended longer ago than the [retention](Self::with_retention).
    /// Returns the number removed.
    ///
    /// For after a policy was tightened: the records say when they end under the policy
    /// that wrote them, and [`sweep`](Self::sweep) goes by the records. Nobody is let in
    /// by them either way. Revoked sessions are removed once they were unused for as long.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot tell or write. What was removed until then
    /// stays removed; start over.
    pub async fn sweep_by_policy(&self, batch: u32) -> Result<u64, StoreError> {
        self.rows.sweep_by_policy(batch).await
    }
}

/// The same sessions: it clones no store.
impl<S> Clone for Sessions<S> {
    fn clone(&self) -> Self {
        Self { rows: self.rows.clone() }
    }
}

impl<S> fmt::Debug for Sessions<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("policies", self.policies()).finish_non_exhaustive()
    }
}

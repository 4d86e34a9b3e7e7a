use alloc::boxed::Box;
use core::error::Error;

use chrono::TimeDelta;

use crate::record::{NoClaims, Session, SessionToken};
use crate::rule::Status;

/// A new session and the token that opens it, from `start` and `rotate`.
///
/// Send the token as a cookie whose `Max-Age` is
/// [`status.cookie_max_age()`](Status::cookie_max_age), or hand it to a client that
/// sends it after `Bearer`.
#[derive(Debug)]
#[non_exhaustive]
#[must_use = "the client must be sent the token"]
pub struct Started<A = NoClaims> {
    /// What the client is to hold, once [exposed](SessionToken::expose).
    pub token: SessionToken,
    /// The session, as it is stored or as its token says.
    pub session: Session,
    /// The application's own claims, as the token has them.
    pub claims: A,
    /// How long the session has.
    pub status: Status,
}

/// A session that is served, from `authenticate` and `peek`.
#[derive(Debug)]
#[non_exhaustive]
pub struct Authenticated<A = NoClaims> {
    /// The session, as it is stored now or as its current token says.
    pub session: Session,
    /// The application's own claims, as the presented token has them.
    pub claims: A,
    /// How long the session has, with the instant at which that was judged.
    pub status: Status,
    /// What to send to the client, if anything: a token to hold from now on, with
    /// [`status.cookie_max_age()`](Status::cookie_max_age) where it is a cookie.
    pub token: Option<SessionToken>,
    /// What became of the renewal.
    pub renewal: RenewalOutcome,
}

impl<A> Authenticated<A> {
    /// Whether the sign-in is less than `within` ago (RFC 9470), counted in whole seconds.
    /// Never if `within` is 0 s or less. Only a sign-in makes a session fresh: to
    /// re-authenticate, start one [in the place](crate::SignIn::replacing) of this.
    ///
    /// ```
    /// # #[cfg(feature = "memory")] {
    /// # use chrono::TimeDelta;
    /// # use session_policy::{MemoryStore, SessionPolicy, Sessions};
    /// # pollster::block_on(async {
    /// # let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY);
    /// # let started = sessions.start("user-42").await?;
    /// let served = sessions.authenticate(started.token.expose()).await?;
    /// assert!(served.is_fresh(TimeDelta::minutes(5)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// # }
    /// ```
    #[must_use]
    pub fn is_fresh(&self, within: TimeDelta) -> bool {
        let age = self.status.now.since(self.session.lifetime().created_at());
        within > TimeDelta::zero() && age < within
    }
}

/// What became of a renewal.
#[derive(Debug)]
pub enum RenewalOutcome {
    /// It was due, or a hybrid token had to be confirmed, and that failed, for this
    /// reason: a [`StoreError`](crate::store::StoreError), or a `jwt::IssueError` where no
    /// token could be signed. The session is valid and served, and the next request
    /// tries again.
    Deferred(Box<dyn Error + Send + Sync>),
    /// It was not due.
    NotDue,
    /// It was carried out.
    Renewed,
    /// It was due, but another request had written first; the session was
    /// loaded again and is valid.
    Superseded,
}

impl RenewalOutcome {
    pub(crate) fn deferred(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Deferred(Box::new(error))
    }
}

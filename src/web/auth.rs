//! What a handler has of a request.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;

use chrono::TimeDelta;

use super::answer::Answer;
use super::carrier::Credentials;
use super::exchange::Exchange;
use super::reason::Reason;
use super::refused::{Refused, RequestHead};
use super::shared::Unsent;
use super::view::{Active, Peeked};
use crate::record::{NoClaims, Session, SignIn};
use crate::sessions::{Authenticated, RenewalOutcome, Started};

/// The verbs of a request. They also leave the right header for the answer; of several, the
/// last one does.
///
/// | verb | does | the answer |
/// | --- | --- | --- |
/// | [`sign_in`](Self::sign_in) | starts a session in the place of the one that the client holds | sets the cookie |
/// | [`sign_out`](Self::sign_out) | ends the session that the client holds | clears the cookie that it came with |
/// | [`rotate`](Self::rotate) | gives the session another secret | sets the cookie |
/// | [`active`](Self::active), [`peeked`](Self::peeked) | tell the session | sets it where a token was issued anew |
/// | [`list`](Self::list), [`end`](Self::end), [`end_others`](Self::end_others) | are about all sessions of the same user | nothing |
///
/// A [`Refused`] is an error for `?` in a handler, and a response.
#[doc = include_str!("examples/auth.md")]
#[derive(Clone)]
pub struct Auth<A: Send + Sync + 'static = NoClaims> {
    exchange: Exchange<A>,
    credentials: Credentials,
    request: Option<Arc<RequestHead>>,
}

impl<A: Clone + Send + Sync + 'static> Exchange<A> {
    /// The verbs, given the request's headers `Cookie` and `Authorization`.
    #[must_use]
    pub fn auth<'a>(
        &self,
        cookies: impl IntoIterator<Item = &'a [u8]>,
        authorization: impl IntoIterator<Item = &'a [u8]>,
    ) -> Auth<A> {
        let credentials = self.presented(cookies, authorization).into();
        Auth { exchange: self.clone(), credentials, request: None }
    }
}

impl<A: Clone + Send + Sync + 'static> Auth<A> {
    /// The same verbs. Their refusals name this request.
    #[must_use]
    pub fn of(self, request: RequestHead) -> Self {
        Self { request: Some(Arc::new(request)), ..self }
    }

    /// The session of the request, which counts as activity.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the request has no session, its time is over, or the store is away.
    pub async fn active(&self) -> Result<Active<A>, Refused> {
        self.ask(true).await.map(Active::new)
    }

    /// The session of the request, which is not extended.
    ///
    /// # Errors
    ///
    /// As for [`active`](Self::active).
    pub async fn peeked(&self) -> Result<Peeked<A>, Refused> {
        self.ask(false).await.map(Peeked::new)
    }

    /// The session of the request, which counts as activity, if its sign-in is less than
    /// `within` ago (RFC 9470), in whole seconds; with 0 s or less it is refused.
    ///
    /// # Errors
    ///
    /// As for [`active`](Self::active), or [`Refused`] as [`Reason::NotFresh`].
    pub async fn fresh(&self, within: TimeDelta) -> Result<Active<A>, Refused> {
        let fresh = self.exchange.fresh_of(&self.credentials.presented(), within).await;
        fresh.map_err(|refused| self.told(refused))
    }

    /// Starts a session and returns it, with its [`token`](Authenticated::token). It takes the
    /// place of the sessions that the client's cookies or bearer token open, and of the one that
    /// is to be [replaced](SignIn::replacing): the client forgets their tokens, so nobody could
    /// sign them out.
    ///
    /// # Errors
    ///
    /// [`Refused`] as of [`StartError`](crate::StartError): the subject has as many sessions
    /// as it may, sign-ins raced, the password has changed since, the sign-in cannot be a
    /// session's, or the store is away; and if the answer was sent already. No new session is
    /// left. The one that the client held lives on, unless the store failed while several
    /// were being ended.
    pub async fn sign_in(
        &self,
        sign_in: impl Into<SignIn<A>> + Send,
    ) -> Result<Active<A>, Refused> {
        self.open(false)?;
        let held = self.exchange.held(&self.credentials.presented()).await;
        let held = held.map_err(|reason| self.refused(reason))?;
        self.start(sign_in.into(), held).await
    }

    /// [`sign_in`](Self::sign_in) for a client without cookies, such as a mobile application:
    /// none is set, and the handler sends the token. With a carrier of a bearer alone, it is the
    /// same as `sign_in`. A session that a bearer token of the
    /// request opens is replaced. Those of its cookies are left alone, so a page can hand out
    /// a token for a command line; to hand a bearer a second one, start it by the sessions.
    ///
    /// # Errors
    ///
    /// As for [`sign_in`](Self::sign_in), or if the carrier takes no [`Bearer`].
    ///
    /// [`Bearer`]: super::Bearer
    pub async fn sign_in_bearer(
        &self,
        sign_in: impl Into<SignIn<A>> + Send,
    ) -> Result<Active<A>, Refused> {
        if !self.exchange.shared().carrier.takes_bearer() {
            return Err(self.refused(Reason::Misuse("the carrier takes no bearer tokens")));
        }
        if self.credentials.is_bearer {
            return self.sign_in(sign_in).await;
        }
        let auth = Self { credentials: Credentials::of_bearer(), ..self.clone() };
        auth.open(false)?;
        auth.start(sign_in.into(), Vec::new()).await
    }

    async fn start(
        &self,
        mut sign_in: SignIn<A>,
        mut held: Vec<Session>,
    ) -> Result<Active<A>, Refused> {
        if let Some(replaced) = sign_in.replacing.take() {
            held.retain(|session| session.id() != replaced.id());
            held.push(replaced);
        }
        // Of several, one that would count beside the new session.
        let counts = |session: &Session| {
            session.subject() == &*sign_in.subject && session.profile() == &*sign_in.profile
        };
        let place = held.iter().rposition(counts).or(held.len().checked_sub(1));
        sign_in.replacing = place.map(|place| held.remove(place));
        let shared = Arc::clone(self.exchange.shared());
        let (unsent, started) = self
            .to_its_end(async move {
                let started = shared.sessions.start(sign_in).await?;
                let unsent = Unsent::new(&shared, started.session.id());
                if let Some(rows) = shared.sessions.rows() {
                    for other in held {
                        if let Err(error) = rows.end(&other.id()).await {
                            // If that fails, too, it expires unused.
                            let _ = rows.end(&started.session.id()).await;
                            return Err(error.into());
                        }
                    }
                }
                Ok((unsent, started))
            })
            .await?;
        self.begin(unsent, started).await
    }

    /// Ends the session of the request, if there is one, and clears the cookie that it came
    /// with. Of several cookies of the name, all that open a session. Without a cookie, as
    /// another site can have it sent, nothing ends, and that is no error.
    ///
    /// A stateless session has no record to end: its cookie is cleared, and a copy of its
    /// token is good until its `exp`. So the late answer to another request, which issues its
    /// token anew, can bring the cookie back.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the store is away, or the task that carries it out was dropped: the
    /// session lives on, the cookie stays, and the user must be told. Also if the answer was
    /// sent already, as in a WebSocket: there the `end` of the sessions is called.
    pub async fn sign_out(&self) -> Result<(), Refused> {
        self.open(true)?;
        let (exchange, credentials) = (self.exchange.clone(), self.credentials.clone());
        self.to_its_end(async move {
            let held = exchange.held(&credentials.presented()).await?;
            if let Some(rows) = exchange.shared().sessions.rows() {
                for session in held {
                    rows.end(&session.id()).await?;
                }
            }
            Ok(())
        })
        .await?;
        let set_cookie = self.exchange.shared().carrier.clears(&self.credentials.presented());
        self.leave(Answer::Clear { set_cookie }, Err(self.refused(Reason::NoSession)))
    }

    pub(super) fn exchange(&self) -> &Exchange<A> {
        &self.exchange
    }

    pub(super) fn refused(&self, reason: impl Into<Reason>) -> Refused {
        self.told(Refused::new(reason.into(), self.credentials.is_bearer))
    }

    fn told(&self, refused: Refused) -> Refused {
        match &self.request {
            Some(request) => refused.of(Arc::clone(request)),
            None => refused,
        }
    }

    pub(super) async fn ask(&self, counts: bool) -> Result<Arc<Authenticated<A>>, Refused> {
        let asked = self.exchange.ask(&self.credentials.presented(), counts).await;
        asked.map_err(|refused| self.told(refused))
    }

    pub(super) fn open(&self, ends: bool) -> Result<(), Refused> {
        let opened = self.exchange.open(ends, self.credentials.is_bearer);
        opened.map_err(|refused| self.told(refused))
    }

    fn leave(
        &self,
        answer: Answer<A>,
        session: Result<Arc<Authenticated<A>>, Refused>,
    ) -> Result<(), Refused> {
        let left = self.exchange.leave(answer, session, self.credentials.is_bearer);
        left.map_err(|refused| self.told(refused))
    }

    /// Runs a verb to its end where there is somebody to run it.
    pub(super) async fn to_its_end<T: Send + 'static>(
        &self,
        verb: impl Future<Output = Result<T, Reason>> + Send + 'static,
    ) -> Result<T, Refused> {
        let done = self.exchange.shared().to_its_end(verb).await;
        done.map_err(|reason| self.refused(reason))
    }

    /// Leaves the token of a new or rotated session for the answer.
    pub(super) async fn begin(
        &self,
        unsent: Unsent<A>,
        started: Started<A>,
    ) -> Result<Active<A>, Refused> {
        let Started { token, session, claims, status } = started;
        let set_cookie =
            self.exchange.set_cookie(&token, &session, &status, self.credentials.is_bearer);
        let (token, renewal) = (Some(token), RenewalOutcome::NotDue);
        let served = Arc::new(Authenticated { session, claims, status, token, renewal });
        let left = self.leave(Answer::Begun { unsent, set_cookie }, Ok(Arc::clone(&served)));
        let shared = self.exchange.shared();
        if let (Err(_), None, Some(rows)) = (&left, &shared.spawn, shared.sessions.rows()) {
            // Too late to send its token, and nobody else ends it. If that fails, too, it
            // expires unused.
            let _ = rows.end(&served.session.id()).await;
        }
        left.map(|()| Active::new(served))
    }
}

impl<A: Send + Sync + 'static> fmt::Debug for Auth<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").field("request", &self.request).finish_non_exhaustive()
    }
}

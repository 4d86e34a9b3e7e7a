//! What a handler has of a request.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::ops::Deref;

use super::carrier::Credentials;
use super::exchange::{Answer, Exchange};
use super::handover::handover;
use super::refused::{Reason, Refused, RequestHead};
use super::shared::Unsent;
use super::strategy::DriveRows;
use crate::record::{NoClaims, Session, SessionId, SignIn};
use crate::sessions::{Authenticated, RenewalOutcome, Started};

macro_rules! view {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<A = NoClaims>(Arc<Authenticated<A>>);

        impl<A> $name<A> {
            pub(super) fn new(served: Arc<Authenticated<A>>) -> Self {
                Self(served)
            }
        }

        impl<A> Clone for $name<A> {
            fn clone(&self) -> Self {
                Self(Arc::clone(&self.0))
            }
        }

        impl<A> Deref for $name<A> {
            type Target = Authenticated<A>;

            fn deref(&self) -> &Authenticated<A> {
                &self.0
            }
        }
    };
}

view! {
    /// The session of a request that counts as activity. It derefs to [`Authenticated`].
    Active
}
view! {
    /// The session of a request that does not count as activity, such as polling, a
    /// countdown or an event stream. It derefs to [`Authenticated`].
    Peeked
}

/// The verbs of a request. They also leave the right header for the answer; of several, the
/// last one does.
///
/// | verb | does | the answer |
/// | --- | --- | --- |
/// | [`sign_in`](Self::sign_in) | starts a session in the place of the one that the client holds | sets the cookie |
/// | [`sign_out`](Self::sign_out) | ends the session that the client holds | clears the cookie |
/// | [`rotate`](Self::rotate) | gives the session another secret | sets the cookie |
/// | [`active`](Self::active), [`peeked`](Self::peeked) | tell the session | sets it where a token was issued anew |
/// | [`list`](Self::list), [`end`](Self::end), [`end_others`](Self::end_others) | are about all sessions of the same user | nothing |
///
/// A [`Refused`] is an error for `?` in a handler, and a response.
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
    /// The same verbs, whose refusals tell of this request.
    #[must_use]
    pub fn of(self, request: RequestHead) -> Self {
        Self { request: Some(Arc::new(request)), ..self }
    }

    /// The same verbs for a client without cookies: none is set, and the handler sends the
    /// token, which is the [`token`](Authenticated::token) of the result. A request with an
    /// `Authorization` header is one of these already; a mobile client that signs in has none
    /// yet.
    #[must_use]
    pub fn for_bearer(mut self) -> Self {
        self.credentials.is_bearer = true;
        self
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

    /// Starts a session and tells it, in the place of those that the client's cookies open, or of the one
    /// that is to be [replaced](SignIn::replacing): its cookie would be overwritten, and
    /// nobody could sign it out.
    ///
    /// # Errors
    ///
    /// [`Refused`] as of [`StartError`](crate::StartError): the subject has as many sessions
    /// as it may, sign-ins raced, the password has changed since, the sign-in cannot be a
    /// session's, or the store is away. Nothing is left signed in.
    pub async fn sign_in(
        &self,
        sign_in: impl Into<SignIn<A>> + Send,
    ) -> Result<Active<A>, Refused> {
        self.open()?;
        let mut sign_in = sign_in.into();
        let mut held = self.held().await?;
        match &sign_in.replacing {
            Some(replaced) => held.retain(|session| session.id() != replaced.id()),
            None => sign_in.replacing = held.pop(),
        }
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
        Ok(self.begin(unsent, started))
    }

    /// Ends the session of the request, if there is one, and clears the cookie. Of several
    /// cookies of the name, all that open a session.
    ///
    /// A stateless session has no record to end: its cookie is cleared, and a copy of its
    /// token is good until its `exp`.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the store is away: the session lives on, the cookie stays, and the user
    /// must be told.
    pub async fn sign_out(&self) -> Result<(), Refused> {
        self.open()?;
        let held = self.held().await?;
        let shared = self.exchange.shared();
        if let Some(rows) = shared.sessions.rows() {
            for session in held {
                rows.end(&session.id()).await.map_err(|error| self.refused(error))?;
            }
        }
        let cookie = shared.carrier.cookie(self.credentials.is_bearer);
        let set_cookie = cookie.map(super::cookie::Cookie::clear);
        self.exchange.leave(Answer::Clear { set_cookie }, Err(self.refused(Reason::NoSession)));
        Ok(())
    }

    /// Gives the session of the request another secret, for a change of privilege; see
    /// [`Sessions::rotate`](crate::Sessions::rotate).
    ///
    /// # Errors
    ///
    /// [`Refused`] as of [`RotateError`](crate::RotateError), or if the sessions are
    /// stateless.
    pub async fn rotate(&self) -> Result<Active<A>, Refused> {
        let served = self.ask(true).await?;
        self.rotate_to(served.claims.clone()).await
    }

    /// [`rotate`](Self::rotate), with other claims in the token of a hybrid session.
    ///
    /// # Errors
    ///
    /// As for [`rotate`](Self::rotate).
    pub async fn rotate_to(&self, claims: A) -> Result<Active<A>, Refused> {
        self.open()?;
        self.rows()?;
        let session = self.ask(true).await?.session.clone();
        let shared = Arc::clone(self.exchange.shared());
        let (unsent, started) = self
            .to_its_end(async move {
                let rows = shared.sessions.rows().ok_or(Reason::Misuse(STATELESS))?;
                let started = rows.rotate(&session, claims).await?;
                Ok((Unsent::new(&shared, started.session.id()), started))
            })
            .await?;
        Ok(self.begin(unsent, started))
    }

    /// The live sessions of the user, the oldest first: a page of devices.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the request has no session, the sessions are stateless, or the store
    /// is away.
    pub async fn list(&self) -> Result<Vec<Session>, Refused> {
        let served = self.ask(false).await?;
        let list = self.rows()?.list(served.session.subject()).await;
        list.map_err(|error| self.refused(error))
    }

    /// Ends a session of the same user; whether there was one. Of the request's own it is
    /// [`sign_out`](Self::sign_out).
    ///
    /// # Errors
    ///
    /// As for [`list`](Self::list).
    pub async fn end(&self, id: &SessionId) -> Result<bool, Refused> {
        let served = self.ask(true).await?;
        if served.session.id() == *id {
            self.rows()?;
            return self.sign_out().await.map(|()| true);
        }
        if !self.list().await?.iter().any(|session| session.id() == *id) {
            return Ok(false);
        }
        self.rows()?.end(id).await.map_err(|error| self.refused(error))
    }

    /// Ends the user's other sessions. Returns the number ended.
    ///
    /// # Errors
    ///
    /// As for [`list`](Self::list).
    pub async fn end_others(&self) -> Result<u64, Refused> {
        let served = self.ask(true).await?;
        let ended = self.rows()?.end_others(&served.session).await;
        ended.map_err(|error| self.refused(error))
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

    async fn ask(&self, counts: bool) -> Result<Arc<Authenticated<A>>, Refused> {
        let asked = self.exchange.ask(&self.credentials.presented(), counts).await;
        asked.map_err(|refused| self.told(refused))
    }

    async fn held(&self) -> Result<Vec<Session>, Refused> {
        let held = self.exchange.held(&self.credentials.presented()).await;
        held.map_err(|refused| self.told(refused))
    }

    fn open(&self) -> Result<(), Refused> {
        self.exchange.open(self.credentials.is_bearer).map_err(|refused| self.told(refused))
    }

    fn rows(&self) -> Result<&dyn DriveRows<A>, Refused> {
        let rows = self.exchange.shared().sessions.rows();
        rows.ok_or_else(|| self.refused(Reason::Misuse(STATELESS)))
    }

    /// Runs a verb to its end, also if the handler is dropped meanwhile, where there is
    /// somebody to run it.
    async fn to_its_end<T: Send + 'static>(
        &self,
        verb: impl Future<Output = Result<T, Reason>> + Send + 'static,
    ) -> Result<T, Refused> {
        let done = match &self.exchange.shared().spawn {
            None => verb.await,
            Some(spawn) => {
                let (giver, taker) = handover();
                spawn(alloc::boxed::Box::pin(async move { giver.give(verb.await) }));
                taker.await.unwrap_or_else(|| Err(Reason::Failed("the task was aborted".into())))
            }
        };
        done.map_err(|reason| self.refused(reason))
    }

    /// Leaves the token of a new or rotated session for the answer.
    fn begin(&self, unsent: Unsent<A>, started: Started<A>) -> Active<A> {
        let Started { token, session, claims, status } = started;
        let set_cookie =
            self.exchange.set_cookie(&token, &session, &status, self.credentials.is_bearer);
        let (token, renewal) = (Some(token), RenewalOutcome::NotDue);
        let served = Arc::new(Authenticated { session, claims, status, token, renewal });
        self.exchange.leave(Answer::Begun { unsent, set_cookie }, Ok(Arc::clone(&served)));
        Active::new(served)
    }
}

const STATELESS: &str = "stateless sessions have no such verb";

impl<A: Send + Sync + 'static> fmt::Debug for Auth<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").field("request", &self.request).finish_non_exhaustive()
    }
}

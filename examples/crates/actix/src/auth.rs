use std::fmt;
use std::future::{Ready, ready};
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use chrono::TimeDelta;
use session_policy::web;
use session_policy::{NoClaims, Session, SessionId, SignIn};

use crate::argument::{Active, Peeked};
use crate::refused::Refused;
use crate::request::{authorization, cookies, exchange, head};

/// The verbs of a request: sign in, sign out, rotate, list, end. They are those of
/// [`web::Auth`], to which it derefs, with an error that actix-web answers.
///
/// ```
/// use actix_web::web::{Form, Redirect};
/// use session_policy::SignIn;
/// use session_policy_actix::Auth;
///
/// #[derive(serde::Deserialize)]
/// struct Credentials {
///     name: String,
///     password: String,
/// }
///
/// async fn sign_in(auth: Auth, form: Form<Credentials>) -> actix_web::Result<Redirect> {
///     if form.password != "correct horse" {
///         return Ok(Redirect::to("/sign-in").see_other());
///     }
///     auth.sign_in(SignIn::of(&*form.name)).await?;
///     Ok(Redirect::to("/me").see_other())
/// }
/// # let _ = sign_in;
/// ```
///
/// # Connections that stay open
///
/// [`ended`](web::Auth::ended) waits until the session has ended. This event stream ends
/// within 30 s of a sign-out, and at the session's deadline to the second:
///
/// ```
/// use actix_web::web::Bytes;
/// use actix_web::{Error, HttpResponse, rt};
/// use chrono::TimeDelta;
/// use futures_util::{Stream, StreamExt};
/// use session_policy_actix::{Auth, Refused};
///
/// # fn news() -> impl Stream<Item = Bytes> { futures_util::stream::pending() }
/// async fn events(auth: Auth) -> Result<HttpResponse, Refused> {
///     auth.peeked().await?;
///     let ended = async move { auth.ended(TimeDelta::seconds(30), rt::time::sleep).await };
///     let events = news().map(Ok::<_, Error>).take_until(Box::pin(ended));
///     Ok(HttpResponse::Ok().content_type("text/event-stream").streaming(events))
/// }
/// # let _ = events;
/// ```
///
/// With actix-ws, the task that reads a `WebSocket` waits for its next message or for
/// `ended`, whichever comes first, and closes the `WebSocket` after the latter.
#[derive(Clone)]
pub struct Auth<A: Send + Sync + 'static = NoClaims>(web::Auth<A>);

impl<A: Clone + Send + Sync + 'static> Auth<A> {
    /// See [`web::Auth::active`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn active(&self) -> Result<Active<A>, Refused> {
        Ok(Active(self.0.active().await?))
    }

    /// See [`web::Auth::peeked`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn peeked(&self) -> Result<Peeked<A>, Refused> {
        Ok(Peeked(self.0.peeked().await?))
    }

    /// See [`web::Auth::sign_in`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn sign_in(
        &self,
        sign_in: impl Into<SignIn<A>> + Send,
    ) -> Result<Active<A>, Refused> {
        Ok(Active(self.0.sign_in(sign_in).await?))
    }

    /// See [`web::Auth::sign_in_bearer`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn sign_in_bearer(
        &self,
        sign_in: impl Into<SignIn<A>> + Send,
    ) -> Result<Active<A>, Refused> {
        Ok(Active(self.0.sign_in_bearer(sign_in).await?))
    }

    /// See [`web::Auth::fresh`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn fresh(&self, within: TimeDelta) -> Result<Active<A>, Refused> {
        Ok(Active(self.0.fresh(within).await?))
    }

    /// See [`web::Auth::sign_out`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn sign_out(&self) -> Result<(), Refused> {
        Ok(self.0.sign_out().await?)
    }

    /// See [`web::Auth::rotate`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn rotate(&self) -> Result<Active<A>, Refused> {
        Ok(Active(self.0.rotate().await?))
    }

    /// See [`web::Auth::rotate_to`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn rotate_to(&self, claims: A) -> Result<Active<A>, Refused> {
        Ok(Active(self.0.rotate_to(claims).await?))
    }

    /// See [`web::Auth::list`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn list(&self) -> Result<Vec<Session>, Refused> {
        Ok(self.0.list().await?)
    }

    /// See [`web::Auth::end`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn end(&self, id: &SessionId) -> Result<bool, Refused> {
        Ok(self.0.end(id).await?)
    }

    /// See [`web::Auth::end_others`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn end_others(&self) -> Result<u64, Refused> {
        Ok(self.0.end_others().await?)
    }
}

impl<A: Send + Sync + 'static> Deref for Auth<A> {
    type Target = web::Auth<A>;

    fn deref(&self) -> &web::Auth<A> {
        &self.0
    }
}

impl<A: Send + Sync + 'static> fmt::Debug for Auth<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<A: Clone + Send + Sync + 'static> FromRequest for Auth<A> {
    type Error = Refused;
    type Future = Ready<Result<Self, Refused>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(match exchange(request) {
            Ok(exchange) => {
                let headers = request.headers();
                let auth = exchange.auth(cookies(headers), authorization(headers));
                Ok(Self(auth.of(head(request))))
            }
            Err(refused) => Err(Refused::of(refused, request)),
        })
    }
}

//! Arguments of handlers.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use chrono::TimeDelta;
use session_policy::NoClaims;
use session_policy::web;

use crate::refused::Refused;
use crate::request::{authorization, cookies, exchange};

type Waits<T> = Pin<Box<dyn Future<Output = Result<T, Refused>>>>;

/// What asks for the session of a request.
pub trait Asks: Sized {
    /// `None` if something has to be waited for.
    fn at_once(request: &HttpRequest) -> Option<Result<Self, Refused>>;
    fn waits(request: HttpRequest) -> Waits<Self>;
}

/// An argument. It is asked when it is polled, in its turn, and boxes nothing where nothing has
/// to be waited for.
#[expect(missing_debug_implementations, reason = "a future has none to show")]
pub struct Extracted<T> {
    request: HttpRequest,
    waits: Option<Waits<T>>,
}

impl<T> Extracted<T> {
    fn of(request: &HttpRequest) -> Self {
        Self { request: request.clone(), waits: None }
    }
}

impl<T: Asks> Future for Extracted<T> {
    type Output = Result<T, Refused>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { request, waits } = self.get_mut();
        if waits.is_none()
            && let Some(done) = T::at_once(request)
        {
            return Poll::Ready(done);
        }
        waits.get_or_insert_with(|| T::waits(request.clone())).as_mut().poll(context)
    }
}

macro_rules! argument {
    ($(#[$doc:meta])* $name:ident, $ask:ident, $at_once:ident) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<A = NoClaims>(pub(crate) web::$name<A>);

        impl<A: Clone + Send + Sync + 'static> Asks for $name<A> {
            fn at_once(request: &HttpRequest) -> Option<Result<Self, Refused>> {
                let headers = request.headers();
                let exchange = exchange::<A>(request).ok()?;
                let asked = exchange.$at_once(cookies(headers), authorization(headers))?;
                Some(asked.map(Self).map_err(|refused| Refused::of(refused, request)))
            }

            fn waits(request: HttpRequest) -> Waits<Self> {
                Box::pin(async move {
                    let asked = match exchange(&request) {
                        Ok(exchange) => {
                            let headers = request.headers();
                            exchange.$ask(cookies(headers), authorization(headers)).await
                        }
                        Err(refused) => Err(refused),
                    };
                    asked.map(Self).map_err(|refused| Refused::of(refused, &request))
                })
            }
        }

        impl<A> Clone for $name<A> {
            fn clone(&self) -> Self {
                Self(self.0.clone())
            }
        }

        impl<A> Deref for $name<A> {
            type Target = web::$name<A>;

            fn deref(&self) -> &web::$name<A> {
                &self.0
            }
        }

        impl<A: Clone + Send + Sync + 'static> FromRequest for $name<A> {
            type Error = Refused;
            type Future = Extracted<Self>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                Extracted::of(request)
            }
        }

        impl<A: Clone + Send + Sync + 'static> FromRequest for Maybe<$name<A>> {
            type Error = Refused;
            type Future = Extracted<Self>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                Extracted::of(request)
            }
        }
    };
}

argument! {
    /// The session of a request that counts as activity. It derefs to [`web::Active`], and
    /// so to [`Authenticated`](session_policy::Authenticated).
    ///
    /// actix-web reads a handler's arguments side by side, so a body that cannot be read may
    /// be answered before this refuses. Where a session comes first, wrap the route in
    /// [`require`](crate::require()).
    ///
    /// ```
    /// use session_policy_actix::Active;
    ///
    /// async fn me(active: Active) -> String {
    ///     active.session.subject().to_owned()
    /// }
    /// # let _ = me;
    /// ```
    Active, active, active_at_once
}

argument! {
    /// The session of a request that does not count as activity, such as polling, a
    /// countdown or an event stream. It derefs to [`web::Peeked`], and so to
    /// [`Authenticated`](session_policy::Authenticated).
    ///
    /// ```
    /// use session_policy_actix::Peeked;
    ///
    /// async fn seconds_left(peeked: Peeked) -> String {
    ///     let status = &peeked.status;
    ///     status.idle_expires_at.since(status.now).num_seconds().to_string()
    /// }
    /// # let _ = seconds_left;
    /// ```
    Peeked, peeked, peeked_at_once
}

/// [`Active`] or [`Peeked`] for a page that is also shown without: `None` without a
/// session, or with one whose time is over. It derefs to the [`Option`].
///
/// Not `Option<Active>`, which is actix-web's own: it is `None` whatever the reason, also
/// while the store is away, so that a user who is signed in looks signed out.
///
/// ```
/// use session_policy_actix::{Active, Maybe};
///
/// async fn home(Maybe(active): Maybe<Active>) -> String {
///     match active {
///         Some(active) => format!("Hello, {}", active.session.subject()),
///         None => "Hello".to_owned(),
///     }
/// }
/// # let _ = home;
/// ```
#[derive(Clone, Debug)]
pub struct Maybe<T>(
    /// The session, if there is one.
    pub Option<T>,
);

impl<T> Maybe<T> {
    fn of(asked: Result<T, Refused>) -> Result<Self, Refused> {
        match asked {
            Ok(served) => Ok(Self(Some(served))),
            Err(refused) if refused.is_signed_out() => Ok(Self(None)),
            Err(refused) => Err(refused),
        }
    }
}

impl<T: Asks + 'static> Asks for Maybe<T> {
    fn at_once(request: &HttpRequest) -> Option<Result<Self, Refused>> {
        T::at_once(request).map(Self::of)
    }

    fn waits(request: HttpRequest) -> Waits<Self> {
        Box::pin(async { Self::of(T::waits(request).await) })
    }
}

impl<T> Deref for Maybe<T> {
    type Target = Option<T>;

    fn deref(&self) -> &Option<T> {
        &self.0
    }
}

/// [`Active`], and the sign-in is less than `SECS` seconds ago (RFC 9470): for changing a
/// password, or for paying. With 0 it refuses every request. With a body beside it, see
/// [`Active`].
///
/// ```
/// use session_policy_actix::Fresh;
///
/// async fn pay(fresh: Fresh<900>) -> String {
///     fresh.session.subject().to_owned()
/// }
/// # let _ = pay;
/// ```
#[derive(Debug)]
pub struct Fresh<const SECS: u32, A = NoClaims>(Active<A>);

impl<const SECS: u32, A> Clone for Fresh<SECS, A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<const SECS: u32, A> Deref for Fresh<SECS, A> {
    type Target = Active<A>;

    fn deref(&self) -> &Active<A> {
        &self.0
    }
}

impl<const SECS: u32, A: Clone + Send + Sync + 'static> FromRequest for Fresh<SECS, A> {
    type Error = Refused;
    type Future = Waits<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let asked = match exchange(&request) {
                Ok(exchange) => {
                    let (headers, within) = (request.headers(), TimeDelta::seconds(SECS.into()));
                    exchange.fresh(cookies(headers), authorization(headers), within).await
                }
                Err(refused) => Err(refused),
            };
            let active = asked.map_err(|refused| Refused::of(refused, &request))?;
            Ok(Self(Active(active)))
        })
    }
}

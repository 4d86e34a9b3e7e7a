use std::fmt;
use std::future::{Future, Ready, ready};
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;

use actix_web::Error;
use actix_web::body::EitherBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use session_policy::NoClaims;

use crate::refused::Refused;
use crate::request::{authorization, cookies, exchange};

/// A scope or a resource that nobody enters without a session: it refuses before the
/// handler runs and the body is read, and counts as activity. The
/// [`SessionMiddleware`](crate::SessionMiddleware) goes around it.
///
/// Within a scope that requires a session, what is no route is refused, too.
///
/// ```
/// use actix_web::web;
/// use session_policy_actix::require;
///
/// async fn report() -> &'static str {
///     "all is well"
/// }
///
/// let private = web::scope("/private").route("/report", web::get().to(report)).wrap(require());
/// # drop(private);
/// ```
#[must_use]
pub fn require() -> Require {
    Require(PhantomData)
}

/// The middleware of [`require`].
///
/// ```
/// use actix_web::web;
/// use session_policy_actix::{Require, require};
///
/// #[derive(Clone)]
/// struct Roles(u32);
///
/// let require: Require<Roles> = require().with_claims();
/// let private = web::scope("/private").wrap(require);
/// # drop(private);
/// ```
pub struct Require<A = NoClaims>(PhantomData<fn() -> A>);

impl<A> Require<A> {
    /// Of sessions whose tokens have these claims.
    #[must_use]
    pub fn with_claims<B>(self) -> Require<B> {
        Require(PhantomData)
    }
}

impl<A> Clone for Require<A> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<A> fmt::Debug for Require<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Require")
    }
}

impl<S, B, A> Transform<S, ServiceRequest> for Require<A>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    A: Clone + Send + Sync + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = RequireService<S, A>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(RequireService { inner: Rc::new(inner), claims: PhantomData }))
    }
}

/// A service that [`require`]s a session. [`Require`] makes it: its type is named nowhere in
/// an application.
///
/// ```
/// use actix_web::dev::{ServiceRequest, Transform};
/// use session_policy_actix::{RequireService, require};
///
/// # let inner = actix_web::dev::fn_service(|request: ServiceRequest| async {
/// #     Ok::<_, actix_web::Error>(request.into_response(actix_web::HttpResponse::Ok()))
/// # });
/// let service: RequireService<_> = require().new_transform(inner).into_inner().unwrap();
/// # drop(service);
/// ```
#[derive(Debug)]
pub struct RequireService<S, A = NoClaims> {
    inner: Rc<S>,
    claims: PhantomData<fn() -> A>,
}

impl<S, B, A> Service<ServiceRequest> for RequireService<S, A>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    A: Clone + Send + Sync + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let inner = Rc::clone(&self.inner);
        Box::pin(async move {
            let asked = match exchange::<A>(request.request()) {
                Ok(exchange) => {
                    let headers = request.headers();
                    exchange.active(cookies(headers), authorization(headers)).await.map(drop)
                }
                Err(refused) => Err(refused),
            };
            match asked {
                Ok(()) => Ok(inner.call(request).await?.map_into_left_body()),
                Err(refused) => {
                    let refused = Refused::of(refused, request.request());
                    Ok(request.error_response(refused).map_into_right_body())
                }
            }
        })
    }
}

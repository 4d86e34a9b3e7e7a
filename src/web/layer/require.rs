use alloc::boxed::Box;
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use http::uri::PathAndQuery;
use http::{HeaderMap, Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::super::refused::Refused;
use super::request::{Slot, presented, slot, with_head};
use crate::record::NoClaims;

/// A group of routes that nobody enters without a session: it refuses before the handler
/// runs and the body is read, and counts as activity.
///
/// In axum it belongs into `route_layer`, so that what is no route stays a 404. The
/// [`SessionLayer`](super::SessionLayer) goes around it.
///
/// `Router::new().route("/", get(private)).route_layer(require())`
///
/// ```
/// use http::{Request, Response};
/// use session_policy::web::require;
/// use tower_layer::Layer;
/// use tower_service::Service;
///
/// # #[derive(Clone)]
/// # struct Private;
/// # impl Service<Request<()>> for Private {
/// #     type Response = Response<String>;
/// #     type Error = std::convert::Infallible;
/// #     type Future = std::future::Ready<Result<Response<String>, Self::Error>>;
/// #     fn poll_ready(
/// #         &mut self,
/// #         _: &mut std::task::Context<'_>,
/// #     ) -> std::task::Poll<Result<(), Self::Error>> {
/// #         std::task::Poll::Ready(Ok(()))
/// #     }
/// #     fn call(&mut self, _: Request<()>) -> Self::Future {
/// #         std::future::ready(Ok(Response::new("private".into())))
/// #     }
/// # }
/// // Without a `SessionLayer` around it nobody enters.
/// let mut service = require().layer(Private);
/// let answer = pollster::block_on(service.call(Request::new(())))?;
/// assert_eq!(answer.status(), 500);
/// # Ok::<(), std::convert::Infallible>(())
/// ```
#[must_use]
pub fn require() -> Require {
    Require(PhantomData)
}

/// The layer of [`require`].
///
/// ```
/// use session_policy::web::{Require, require};
///
/// /// What the application's tokens say of their user.
/// struct Role;
///
/// let editors: Require<Role> = require().with_claims::<Role>();
/// # let _ = editors;
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

impl<S, A> Layer<S> for Require<A> {
    type Service = RequireService<S, A>;

    fn layer(&self, inner: S) -> Self::Service {
        RequireService { inner, claims: PhantomData }
    }
}

/// A service that [`require`]s a session.
#[derive(Debug)]
pub struct RequireService<S, A = NoClaims> {
    inner: S,
    claims: PhantomData<fn() -> A>,
}

impl<S: Clone, A> Clone for RequireService<S, A> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), claims: PhantomData }
    }
}

impl<S, A, I, O> Service<Request<I>> for RequireService<S, A>
where
    S: Service<Request<I>, Response = Response<O>> + Clone,
    A: Clone + Send + Sync + 'static,
    O: Default,
{
    type Response = Response<O>;
    type Error = S::Error;
    type Future = RequireFuture<S, I>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<I>) -> Self::Future {
        let slot: Result<Slot<A>, _> = slot(request.extensions()).cloned();
        let headers = mem::take(request.headers_mut());
        // The headers go with it and come back: nothing is copied.
        let asked = Box::pin(async move {
            let outcome = match slot {
                Ok(Slot { exchange, path }) => {
                    let asked = exchange.ask(&presented(&exchange, &headers), true).await;
                    asked.map(drop).map_err(|refused| (refused, path))
                }
                Err(refused) => Err((refused, None)),
            };
            (headers, outcome)
        });
        // The one that is ready, not its clone.
        let clone = self.inner.clone();
        let inner = mem::replace(&mut self.inner, clone);
        RequireFuture { asked, waiting: Some((inner, request)), answer: None }
    }
}

/// The headers, and a refusal with the path that was sent.
type Asked =
    Pin<Box<dyn Future<Output = (HeaderMap, Result<(), (Refused, Option<PathAndQuery>)>)> + Send>>;

pin_project! {
    /// The answer of a [`RequireService`].
    pub struct RequireFuture<S, I>
    where
        S: Service<Request<I>>,
    {
        asked: Asked,
        waiting: Option<(S, Request<I>)>,
        #[pin]
        answer: Option<S::Future>,
    }
}

impl<S: Service<Request<I>>, I> fmt::Debug for RequireFuture<S, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireFuture").finish_non_exhaustive()
    }
}

impl<S, I, O> Future for RequireFuture<S, I>
where
    S: Service<Request<I>, Response = Response<O>>,
    O: Default,
{
    type Output = Result<Response<O>, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.waiting.is_some() {
            let (headers, outcome) = ready!(this.asked.as_mut().poll(context));
            if let Some((mut inner, mut request)) = this.waiting.take() {
                if let Err((refused, path)) = outcome {
                    let path = path.as_ref().or(request.uri().path_and_query());
                    let refused = with_head(refused, request.method(), path, &headers);
                    return Poll::Ready(Ok(refused.left_to_layer(O::default())));
                }
                *request.headers_mut() = headers;
                this.answer.set(Some(inner.call(request)));
            }
        }
        match this.answer.as_pin_mut() {
            Some(answer) => answer.poll(context),
            None => Poll::Pending,
        }
    }
}

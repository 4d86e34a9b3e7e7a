use core::fmt;
use core::task::{Context, Poll};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::super::carrier::Carrier;
use super::super::carrier_error::CarrierError;
use super::super::refused::Refused;
use super::super::strategy::Strategy;
use super::super::web_sessions::WebSessions;
use super::answer::{Problem, Refuse};
use super::future::ResponseFuture;
use super::request::Slot;
use crate::record::NoClaims;

/// Sessions for axum, tonic, hyper and whatever else takes tower's services: it goes around
/// the whole application, outside of the routes.
///
/// What a handler asks for decides what happens. A route that asks for no session costs one
/// request extension; a route that asks costs one load, however often. A look
/// (`Peeked`, `list`) before an `Active` costs a second one, and so does each further cookie of
/// the name.
///
/// | argument (with feature `axum`) | does |
/// | --- | --- |
/// | [`Active`](crate::web::Active) | authenticates; counts as activity; refuses without a session |
/// | `Option<Active>` | the same, without refusing; it still refuses while the store is away |
/// | [`Peeked`](crate::web::Peeked) | tells the session without extending it |
/// | `Fresh<SECS>` | `Active`, and the sign-in is less than `SECS` seconds ago |
/// | [`Auth`](crate::web::Auth) | the verbs: sign in, sign out, rotate, list, end |
///
/// Answers of routes that asked for a session are `Cache-Control: no-store`, unless the
/// handler says otherwise and no cookie is sent.
///
// Compiled by a package that has axum, `tests/web`.
#[cfg_attr(not(doctest), doc = include_str!("example.md"))]
pub struct SessionLayer<A = NoClaims, R = Problem> {
    sessions: WebSessions<A>,
    refuse: R,
}

impl<A: Clone + Send + Sync + 'static> SessionLayer<A> {
    /// A layer over sessions whose tokens travel as a cookie, after `Bearer`, or either way.
    ///
    /// # Errors
    ///
    /// [`CarrierError`] as of [`WebSessions::new`].
    pub fn new(
        sessions: impl Strategy<Claims = A>,
        carrier: impl Into<Carrier>,
    ) -> Result<Self, CarrierError> {
        Ok(Self { sessions: WebSessions::new(sessions, carrier)?, refuse: Problem })
    }
}

impl<A: Clone + Send + Sync + 'static, R> SessionLayer<A, R> {
    /// Runs each verb to its end even if the client hangs up, and ends a new session whose
    /// token was not sent: `spawn` must run the future that it is given, and must not panic.
    /// With tokio: `spawn_with(|task| drop(tokio::spawn(task)))`. Without it a dropped request
    /// drops its verb, and an unsent session lasts until its idle limit. Call it before the
    /// first clone; later it does nothing. See [`WebSessions::spawn_with`].
    #[must_use]
    pub fn spawn_with(
        self,
        spawn: impl Fn(core::pin::Pin<alloc::boxed::Box<dyn Future<Output = ()> + Send>>)
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self { sessions: self.sessions.spawn_with(spawn), ..self }
    }

    /// Answers refusals with this, whether of an extractor, of [`require`](super::require),
    /// or returned by a handler. [`Refused::response`] is the answer that it would have had.
    #[doc = include_str!("on_refusal.md")]
    #[must_use]
    pub fn on_refusal<F, B>(self, refuse: F) -> SessionLayer<A, F>
    where
        F: Fn(&Refused) -> Response<B> + Clone,
    {
        SessionLayer { sessions: self.sessions, refuse }
    }
}

impl<A, R: Clone> Clone for SessionLayer<A, R> {
    fn clone(&self) -> Self {
        Self { sessions: self.sessions.clone(), refuse: self.refuse.clone() }
    }
}

impl<A, R> fmt::Debug for SessionLayer<A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionLayer").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}

impl<S, A, R: Clone> Layer<S> for SessionLayer<A, R> {
    type Service = SessionService<S, A, R>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService { inner, layer: self.clone() }
    }
}

/// A service with a [`SessionLayer`] around it.
#[derive(Debug)]
pub struct SessionService<S, A = NoClaims, R = Problem> {
    inner: S,
    layer: SessionLayer<A, R>,
}

impl<S: Clone, A, R: Clone> Clone for SessionService<S, A, R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<S, A, R, I, O> Service<Request<I>> for SessionService<S, A, R>
where
    S: Service<Request<I>, Response = Response<O>>,
    A: Clone + Send + Sync + 'static,
    R: Refuse<O>,
{
    type Response = Response<O>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, O, A, R>;

    #[inline]
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    #[inline]
    fn call(&mut self, mut request: Request<I>) -> Self::Future {
        let exchange = self.layer.sessions.exchange();
        let path = request.uri().path_and_query().cloned();
        let slot = Slot { exchange: exchange.clone(), path };
        request.extensions_mut().insert(slot);
        ResponseFuture::new(self.inner.call(request), exchange, self.layer.refuse.clone())
    }
}

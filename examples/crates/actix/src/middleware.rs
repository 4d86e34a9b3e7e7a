use std::fmt;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::sync::Arc;

use actix_web::body::EitherBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::{Error, HttpMessage, HttpResponse};
use session_policy::NoClaims;
use session_policy::web::{Carrier, CarrierError, Strategy, WebSessions};

use crate::future::ResponseFuture;
use crate::refused::Refused;

pub(crate) type Refuse = Arc<dyn Fn(&Refused) -> HttpResponse + Send + Sync>;

/// Sessions for actix-web: a middleware that goes around the whole application. Of several
/// middlewares, the last one wrapped is outermost, and this is to be outside of those that
/// ask for a session.
///
/// A route that asks for no session pays for one extension and nothing else; one that asks,
/// for one load, however often it asks. Answers of routes that asked are `Cache-Control:
/// no-store`, unless the handler says otherwise and no cookie is sent. A handler's own
/// cookie of the session's name wins.
///
/// ```
/// use actix_web::{App, HttpServer, web};
/// use session_policy::web::{Bearer, Carrier, SessionCookie};
/// use session_policy::{MemoryStore, SessionPolicy, Sessions};
/// use session_policy_actix::{Active, SessionMiddleware};
///
/// async fn me(active: Active) -> String {
///     active.session.subject().to_owned()
/// }
///
/// let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY);
/// let carrier = Carrier::either(SessionCookie::host("session"), Bearer::new());
/// // Made once, so that the server's threads share what it knows.
/// let sessions = SessionMiddleware::new(sessions, carrier)?
///     .spawn_with(|task| drop(actix_web::rt::spawn(task)));
/// let server = HttpServer::new(move || {
///     App::new().route("/me", web::get().to(me)).wrap(sessions.clone())
/// })
/// .h1_allow_half_closed(false);
/// # drop(server);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SessionMiddleware<A = NoClaims> {
    sessions: WebSessions<A>,
    refuse: Option<Refuse>,
}

impl<A: Clone + Send + Sync + 'static> SessionMiddleware<A> {
    /// A middleware over sessions whose tokens travel as a cookie, after `Bearer`, or either
    /// way.
    ///
    /// # Errors
    ///
    /// [`CarrierError`] as of [`WebSessions::new`].
    pub fn new(
        sessions: impl Strategy<Claims = A>,
        carrier: impl Into<Carrier>,
    ) -> Result<Self, CarrierError> {
        Ok(Self { sessions: WebSessions::new(sessions, carrier)?, refuse: None })
    }

    /// Runs sign-ins to their end, and ends a session whose token was not sent, since the
    /// client hung up; see [`WebSessions::spawn_with`]. It is set before the first clone;
    /// later it does nothing.
    ///
    /// actix-web takes a client that closes its connection for one that still reads, and
    /// sends the answer to nobody, unless the server has
    /// [`h1_allow_half_closed(false)`](actix_web::HttpServer::h1_allow_half_closed).
    #[must_use]
    pub fn spawn_with(
        self,
        spawn: impl Fn(Pin<Box<dyn Future<Output = ()> + Send>>) + Send + Sync + 'static,
    ) -> Self {
        Self { sessions: self.sessions.spawn_with(spawn), ..self }
    }

    /// Answers refusals with this, whether of an argument, of [`require`](crate::require),
    /// or returned by a handler. What the closure leaves to
    /// [`error_response`](actix_web::ResponseError::error_response) stays problem details:
    ///
    /// ```
    /// # use session_policy::{MemoryStore, SessionPolicy, Sessions, web::SessionCookie};
    /// # use session_policy_actix::SessionMiddleware;
    /// use actix_web::http::header::LOCATION;
    /// use actix_web::{HttpResponse, ResponseError};
    /// use session_policy::web::RequestHead;
    ///
    /// # let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY);
    /// # let cookie = SessionCookie::host("session");
    /// let middleware = SessionMiddleware::new(sessions, cookie)?.on_refusal(|refused| {
    ///     if refused.status() == 401 && refused.request().is_some_and(RequestHead::wants_html) {
    ///         return HttpResponse::SeeOther().insert_header((LOCATION, "/sign-in")).finish();
    ///     }
    ///     refused.error_response()
    /// });
    /// # drop(middleware);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn on_refusal(
        self,
        refuse: impl Fn(&Refused) -> HttpResponse + Send + Sync + 'static,
    ) -> Self {
        Self { refuse: Some(Arc::new(refuse)), ..self }
    }
}

/// The same sessions.
impl<A> Clone for SessionMiddleware<A> {
    fn clone(&self) -> Self {
        Self { sessions: self.sessions.clone(), refuse: self.refuse.clone() }
    }
}

impl<A> fmt::Debug for SessionMiddleware<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionMiddleware")
            .field("sessions", &self.sessions)
            .finish_non_exhaustive()
    }
}

impl<S, B, A> Transform<S, ServiceRequest> for SessionMiddleware<A>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    A: Clone + Send + Sync + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = SessionService<S, A>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(SessionService { inner, middleware: self.clone() }))
    }
}

/// A service with a [`SessionMiddleware`] around it, which makes it: its type is named
/// nowhere in an application.
///
/// ```
/// use actix_web::dev::{ServiceRequest, Transform};
/// use session_policy::{MemoryStore, SessionPolicy, Sessions, web::SessionCookie};
/// use session_policy_actix::{SessionMiddleware, SessionService};
///
/// # let inner = actix_web::dev::fn_service(|request: ServiceRequest| async {
/// #     Ok::<_, actix_web::Error>(request.into_response(actix_web::HttpResponse::Ok()))
/// # });
/// let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY);
/// let middleware = SessionMiddleware::new(sessions, SessionCookie::host("session"))?;
/// let service: SessionService<_> = middleware.new_transform(inner).into_inner().unwrap();
/// # drop(service);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SessionService<S, A = NoClaims> {
    inner: S,
    middleware: SessionMiddleware<A>,
}

impl<S, B, A> Service<ServiceRequest> for SessionService<S, A>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    A: Clone + Send + Sync + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = ResponseFuture<S::Future, B, A>;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let exchange = self.middleware.sessions.exchange();
        request.extensions_mut().insert(exchange.clone());
        ResponseFuture::new(self.inner.call(request), exchange, self.middleware.refuse.clone())
    }
}

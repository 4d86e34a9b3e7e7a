//! The integration of session-policy: a middleware and two extractors.

use std::future::Future;
use std::pin::Pin;

use actix_web::body::MessageBody;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{CACHE_CONTROL, COOKIE, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest};
use session_policy::jwt::HybridSessions;
use session_policy::store::AnyStore;
use session_policy::{Authenticated, SessionToken, Status};

use crate::problem::Problem;

/// The sessions, in a store that is chosen at run time.
pub type Sessions = HybridSessions<AnyStore>;

/// How the cookie is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Transport {
    /// Over HTTPS: `__Host-session`, with `Secure` (RFC 6265bis section 4.1.3.2).
    Https,
    /// Over plain HTTP on loopback, for development: `session`.
    LoopbackHttp,
}

/// The session of a request, which counts as activity.
#[derive(Debug)]
pub struct Active(pub Authenticated);

/// The session of a request that is not the user's, such as polling: it extends
/// nothing.
#[derive(Debug)]
pub struct Peeked(pub Authenticated);

/// What the response does with the cookie; the last one left wins.
#[derive(Debug)]
pub enum Answer {
    /// Clear it: the user signed out. No refusal does.
    Clear,
    /// Set it to this token, which `authenticate` issued, if it is still good when the
    /// response is sent.
    Renew(SessionToken, Status),
    /// Set it to this token.
    Set(SessionToken, Status),
}

impl Answer {
    /// Leaves the answer with the request, for [`cookies`].
    pub fn leave(self, request: &HttpRequest) {
        request.extensions_mut().insert(self);
    }
}

/// The middleware: sends the cookie that an extractor or a handler has left, unless the
/// handler's response has one of the name, and keeps every response out of caches.
///
/// # Errors
///
/// Those of the service, and if there is no [`Transport`].
pub async fn cookies(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let transport = *shared::<Transport>(request.request())?;
    let mut response = next.call(request).await?;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let mut answer = response.request().extensions_mut().remove::<Answer>();
    if response.response().cookies().any(|cookie| cookie.name() == name(transport)) {
        answer = None;
    }
    // The session may have ended while the handler ran, or its token been superseded: it
    // must not oust the cookie that another request has been answered with.
    if let Some(Answer::Renew(token, _)) = &answer
        && shared::<Sessions>(response.request())?.peek(token.expose()).await.is_err()
    {
        answer = None;
    }
    if let Some(answer) = answer {
        let (value, max_age) = match &answer {
            Answer::Clear => ("", 0),
            Answer::Renew(token, status) | Answer::Set(token, status) => {
                (token.expose(), status.cookie_max_age().num_seconds())
            }
        };
        let cookie = Cookie::build(name(transport), value).path("/").http_only(true);
        let cookie = cookie.secure(transport == Transport::Https).same_site(SameSite::Lax);
        let cookie = cookie.max_age(Duration::seconds(max_age)).finish();
        response.response_mut().add_cookie(&cookie)?;
    }
    Ok(response)
}

type Extracted<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

impl FromRequest for Active {
    type Error = Problem;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let served = shared::<Sessions>(&request)?.authenticate(token(&request)?).await;
            let mut served = served.map_err(|error| Problem::from(&error))?;
            if let Some(token) = served.token.take() {
                Answer::Renew(token, served.status).leave(&request);
            }
            Ok(Self(served))
        })
    }
}

impl FromRequest for Peeked {
    type Error = Problem;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let served = shared::<Sessions>(&request)?.peek(token(&request)?).await;
            served.map(Self).map_err(|error| Problem::from(&error))
        })
    }
}

/// The token that a request presents.
pub(crate) fn token(request: &HttpRequest) -> Result<&str, Problem> {
    let wanted = name(*shared(request)?).as_bytes();
    // Of the other cookies, none need be text.
    let values = request.headers().get_all(COOKIE).map(HeaderValue::as_bytes);
    let mut pairs = values.flat_map(|it| it.split(|byte| *byte == b';')).map(<[u8]>::trim_ascii);
    let token = pairs.find_map(|it| it.strip_prefix(wanted)?.trim_ascii().strip_prefix(b"="));
    token.and_then(|it| str::from_utf8(it.trim_ascii()).ok()).ok_or(Problem::NO_SESSION)
}

fn name(transport: Transport) -> &'static str {
    if transport == Transport::Https { "__Host-session" } else { "session" }
}

fn shared<T: 'static>(request: &HttpRequest) -> Result<&T, Problem> {
    request.app_data::<Data<T>>().map(Data::get_ref).ok_or(Problem::UNAVAILABLE)
}

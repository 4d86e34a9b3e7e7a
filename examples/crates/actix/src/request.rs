//! What the core is told of a request.

use std::iter;

use actix_web::http::header::{ACCEPT, AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpRequest};
use session_policy::web::{self, Exchange, RequestHead};

const NO_MIDDLEWARE: &str = "there is no `SessionMiddleware` with these claims around this route";

/// What the middleware left in the request.
pub(crate) fn exchange<A: Send + Sync + 'static>(
    request: &HttpRequest,
) -> Result<Exchange<A>, web::Refused> {
    let left = request.extensions().get::<Exchange<A>>().cloned();
    left.ok_or_else(|| web::Refused::misuse(NO_MIDDLEWARE))
}

pub(crate) fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    values(headers, &COOKIE)
}

pub(crate) fn authorization(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    values(headers, &AUTHORIZATION)
}

/// Not looked up where nobody asks.
fn values<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    iter::once(name).flat_map(|name| headers.get_all(name)).map(HeaderValue::as_bytes)
}

pub(crate) fn head(request: &HttpRequest) -> RequestHead {
    let path = request.uri().path_and_query().map_or(request.path(), |path| path.as_str());
    let accept = request.headers().get(ACCEPT).map(HeaderValue::as_bytes);
    RequestHead::new(request.method().as_str(), path, accept)
}

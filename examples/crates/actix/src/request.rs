//! What the core is told of a request.

use std::iter::Map;
use std::slice;

use actix_web::http::header::{ACCEPT, AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpRequest};
use session_policy::web::{self, Exchange, RequestHead};

const NO_MIDDLEWARE: &str =
    "there is no `SessionMiddleware` around this route, or one with other claims";

/// What the middleware left in the request.
pub(crate) fn exchange<A: Send + Sync + 'static>(
    request: &HttpRequest,
) -> Result<Exchange<A>, web::Refused> {
    let left = request.extensions().get::<Exchange<A>>().cloned();
    left.ok_or_else(|| web::Refused::misuse(NO_MIDDLEWARE))
}

pub(crate) fn cookies(headers: &HeaderMap) -> Values<'_> {
    Values { headers, name: COOKIE }
}

pub(crate) fn authorization(headers: &HeaderMap) -> Values<'_> {
    Values { headers, name: AUTHORIZATION }
}

/// Those of a header, which is not looked up where nobody asks.
pub(crate) struct Values<'a> {
    pub(crate) headers: &'a HeaderMap,
    pub(crate) name: HeaderName,
}

impl<'a> IntoIterator for Values<'a> {
    type Item = &'a [u8];
    type IntoIter = Map<slice::Iter<'a, HeaderValue>, fn(&HeaderValue) -> &[u8]>;

    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        self.headers.get_all(self.name).map(HeaderValue::as_bytes)
    }
}

pub(crate) fn head(request: &HttpRequest) -> RequestHead {
    let path = request.uri().path_and_query().map_or(request.path(), |path| path.as_str());
    let accept = request.headers().get(ACCEPT).map(HeaderValue::as_bytes);
    RequestHead::new(request.method().as_str(), path, accept)
}

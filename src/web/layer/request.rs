use core::iter::Map;

use http::header::{ACCEPT, AUTHORIZATION, COOKIE, ValueIter};
use http::uri::PathAndQuery;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method};

use super::super::auth::Auth;
use super::super::carrier::Presented;
use super::super::exchange::Exchange;
use super::super::refused::{Refused, RequestHead};

const NO_LAYER: &str = "there is no `SessionLayer` around this route, or one with other claims (in \
    axum, `.layer` goes around the routes that were added before it)";

/// What the layer leaves in a request.
#[derive(Clone)]
pub(in crate::web) struct Slot<A: Send + Sync + 'static> {
    pub(in crate::web) exchange: Exchange<A>,
    /// As it was sent: nested routers cut off their prefix.
    pub(in crate::web) path: Option<PathAndQuery>,
}

pub(in crate::web) fn slot<A: Clone + Send + Sync + 'static>(
    extensions: &Extensions,
) -> Result<&Slot<A>, Refused> {
    extensions.get().ok_or_else(|| Refused::misuse(NO_LAYER))
}

pub(in crate::web) fn presented<'a, A: Clone + Send + Sync + 'static>(
    exchange: &'a Exchange<A>,
    headers: &'a HeaderMap,
) -> Presented<'a> {
    exchange.presented(values(headers, &COOKIE), values(headers, &AUTHORIZATION))
}

pub(super) fn values<'a>(headers: &'a HeaderMap, name: &'a HeaderName) -> Values<'a> {
    Values { headers, name }
}

/// Those of a header, which is not looked up where nobody asks.
pub(super) struct Values<'a> {
    headers: &'a HeaderMap,
    name: &'a HeaderName,
}

impl<'a> IntoIterator for Values<'a> {
    type Item = &'a [u8];
    type IntoIter = Map<ValueIter<'a, HeaderValue>, fn(&HeaderValue) -> &[u8]>;

    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        self.headers.get_all(self.name).into_iter().map(HeaderValue::as_bytes)
    }
}

#[cold]
pub(in crate::web) fn with_head(
    refused: Refused,
    method: &Method,
    path: Option<&PathAndQuery>,
    headers: &HeaderMap,
) -> Refused {
    refused.of(head(method, path, headers))
}

fn head(method: &Method, path: Option<&PathAndQuery>, headers: &HeaderMap) -> RequestHead {
    let path = path.map_or("", PathAndQuery::as_str);
    RequestHead::new(method.as_str(), path, headers.get(ACCEPT).map(HeaderValue::as_bytes))
}

impl<A: Clone + Send + Sync + 'static> Auth<A> {
    /// The verbs of a request behind a [`SessionLayer`](super::SessionLayer), for services
    /// without extractors, such as tonic's.
    ///
    /// # Errors
    ///
    /// [`Refused`] if there is no layer with these claims around the service.
    #[doc = include_str!("of_request.md")]
    pub fn of_request<B>(request: &http::Request<B>) -> Result<Self, Refused> {
        let (extensions, headers) = (request.extensions(), request.headers());
        Self::of_parts(extensions, request.method(), request.uri().path_and_query(), headers)
    }

    pub(in crate::web) fn of_parts(
        extensions: &Extensions,
        method: &Method,
        path: Option<&PathAndQuery>,
        headers: &HeaderMap,
    ) -> Result<Self, Refused> {
        let Slot { exchange, path } = match slot(extensions) {
            Ok(slot) => slot,
            Err(refused) => return Err(with_head(refused, method, path, headers)),
        };
        let auth = exchange.auth(values(headers, &COOKIE), values(headers, &AUTHORIZATION));
        Ok(auth.of(head(method, path.as_ref(), headers)))
    }
}

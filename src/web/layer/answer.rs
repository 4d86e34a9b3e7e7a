use alloc::string::String;

use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, HeaderName, RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::super::exchange::Reply;
use super::super::refused::Refused;

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// What a refusal is answered with: [`Problem`], or a closure of the application's, given to
/// [`SessionLayer::on_refusal`](super::SessionLayer::on_refusal).
pub trait Refuse<B>: Clone {
    /// The answer; the layer adds to it the cookie, if one was left.
    fn refuse(&self, refused: &Refused) -> Response<B>;
}

/// Problem details (RFC 9457), in any body that a text converts to.
#[derive(Clone, Copy, Debug)]
pub struct Problem;

impl<B: From<String>> Refuse<B> for Problem {
    fn refuse(&self, refused: &Refused) -> Response<B> {
        let mut response = bare(refused, B::from(refused.problem()));
        response.headers_mut().insert(CONTENT_TYPE, PROBLEM);
        response
    }
}

impl<B, F: Fn(&Refused) -> Response<B> + Clone> Refuse<B> for F {
    fn refuse(&self, refused: &Refused) -> Response<B> {
        self(refused)
    }
}

impl Refused {
    /// Problem details (RFC 9457) as a response, for a closure that answers some refusals
    /// itself and leaves the others.
    #[must_use]
    pub fn response<B: From<String>>(&self) -> Response<B> {
        Problem.refuse(self)
    }

    /// As a response whose body is the layer's to write: it finds the refusal there.
    pub(in crate::web) fn left_to_layer<B>(self, body: B) -> Response<B> {
        let mut response = bare(&self, body);
        response.extensions_mut().insert(self);
        response
    }
}

/// The status and the headers of a refusal.
fn bare<B>(refused: &Refused, body: B) -> Response<B> {
    let mut response = Response::new(body);
    let status = StatusCode::from_u16(refused.status());
    *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if let Some(Ok(challenge)) = refused.www_authenticate().map(HeaderValue::try_from) {
        headers.insert(WWW_AUTHENTICATE, challenge);
    }
    if let Some(seconds) = refused.retry_after() {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// Puts a reply on an answer. What sets a cookie or has a token is never stored.
pub(super) fn put(reply: Reply, headers: &mut HeaderMap) {
    let Reply { set_cookie, reissued } = reply;
    if let Some(Ok(mut cookie)) = set_cookie.map(HeaderValue::try_from) {
        cookie.set_sensitive(true);
        headers.append(SET_COOKIE, cookie);
    }
    let is_reissued = reissued.is_some();
    if let Some(Ok((name, token))) = reissued.map(secret) {
        headers.insert(name, token);
    }
    if is_reissued || headers.contains_key(SET_COOKIE) {
        headers.insert(CACHE_CONTROL, NO_STORE);
    } else {
        headers.entry(CACHE_CONTROL).or_insert(NO_STORE);
    }
}

fn secret((name, token): (String, String)) -> Result<(HeaderName, HeaderValue), http::Error> {
    let mut value = HeaderValue::try_from(token)?;
    value.set_sensitive(true);
    Ok((HeaderName::try_from(name)?, value))
}

use alloc::string::String;

use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH,
    CONTENT_RANGE, CONTENT_TYPE, ETAG, Entry, HeaderName, LAST_MODIFIED, RETRY_AFTER, SET_COOKIE,
    TRANSFER_ENCODING, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::super::exchange::Exchange;
use super::super::refused::Refused;
use super::super::reply::Reply;
use super::request::values;

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// What a refusal is answered with: [`Problem`], or a closure of the application's, given to
/// [`SessionLayer::on_refusal`](super::SessionLayer::on_refusal).
///
/// ```
/// use http::Response;
/// use session_policy::web::{Problem, Refuse, Refused};
///
/// let refused = Refused::misuse("no layer");
/// let problem: Response<String> = Problem.refuse(&refused);
/// assert_eq!(problem.headers()["content-type"], "application/problem+json");
///
/// let text = |refused: &Refused| Response::new(refused.as_str().to_owned());
/// assert_eq!(text.refuse(&refused).body(), "failed");
/// ```
pub trait Refuse<B>: Clone {
    /// The answer; the layer adds to it the cookies and other headers that were left, but
    /// for those of the body.
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
    ///
    /// ```
    /// use session_policy::web::Refused;
    ///
    /// let answer: http::Response<String> = Refused::misuse("no layer").response();
    /// assert_eq!(answer.status(), 500);
    /// assert!(answer.body().contains(r#""detail":"no layer""#));
    /// ```
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

/// The answer of the service, or the application's in the place of a refusal that an
/// extractor or a handler left; and what is sent of the session.
#[inline]
pub(super) fn finish<O, A: Clone + Send + Sync + 'static>(
    exchange: &Exchange<A>,
    mut response: Response<O>,
    refuse: &impl Refuse<O>,
) -> Response<O> {
    if let Some(refused) = response.extensions_mut().remove::<Refused>() {
        response = refuse_with(&refused, response.headers(), refuse);
    }
    let own = values(response.headers(), &SET_COOKIE);
    if let Some(reply) = exchange.reply_now(own) {
        put(reply, response.headers_mut());
    }
    response
}

/// What tells of the body, and what the refusal said itself.
const REPLACED: [HeaderName; 11] = [
    CONTENT_DISPOSITION,
    CONTENT_ENCODING,
    CONTENT_LANGUAGE,
    CONTENT_LENGTH,
    CONTENT_RANGE,
    CONTENT_TYPE,
    ETAG,
    LAST_MODIFIED,
    RETRY_AFTER,
    TRANSFER_ENCODING,
    WWW_AUTHENTICATE,
];

/// With the cookies that were left until then, and the headers that middlewares inside have
/// added, such as those of CORS.
#[cold]
fn refuse_with<O>(refused: &Refused, left: &HeaderMap, refuse: &impl Refuse<O>) -> Response<O> {
    let mut response = refuse.refuse(refused);
    let headers = response.headers_mut();
    for name in left.keys().filter(|name| !REPLACED.contains(name)) {
        if *name == SET_COOKIE || !headers.contains_key(name) {
            for value in left.get_all(name) {
                headers.append(name, value.clone());
            }
        }
    }
    response
}

/// Puts a reply on an answer. What sets a cookie or has a token is never stored.
fn put(reply: Reply, headers: &mut HeaderMap) {
    let Reply { set_cookie, reissued } = reply;
    if let Some(Ok(mut cookie)) = set_cookie.map(HeaderValue::try_from) {
        cookie.set_sensitive(true);
        headers.append(SET_COOKIE, cookie);
    }
    let is_reissued = reissued.is_some();
    if let Some(Ok((name, token))) = reissued.map(secret) {
        headers.insert(name, token);
    }
    let is_own = match headers.entry(CACHE_CONTROL) {
        Entry::Occupied(_) => true,
        Entry::Vacant(none) => {
            none.insert(NO_STORE);
            false
        }
    };
    if is_own && (is_reissued || headers.contains_key(SET_COOKIE)) {
        headers.insert(CACHE_CONTROL, NO_STORE);
    }
}

fn secret((name, token): (String, String)) -> Result<(HeaderName, HeaderValue), http::Error> {
    let mut value = HeaderValue::try_from(token)?;
    value.set_sensitive(true);
    Ok((HeaderName::try_from(name)?, value))
}

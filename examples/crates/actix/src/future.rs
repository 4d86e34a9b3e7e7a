use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::EitherBody;
use actix_web::dev::ServiceResponse;
use actix_web::error::InternalError;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH,
    CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue,
    LAST_MODIFIED, RETRY_AFTER, SET_COOKIE, TRANSFER_ENCODING, WWW_AUTHENTICATE,
};
use actix_web::{Error, HttpResponse};
use pin_project_lite::pin_project;
use session_policy::web::{Exchange, Reply};

use crate::middleware::Refuse;
use crate::refused::Refused;
use crate::request::Values;

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

type Outcome<B> = Result<ServiceResponse<B>, Error>;

pin_project! {
    /// The answer of a [`SessionService`](crate::SessionService), whose `call` makes it.
    pub struct ResponseFuture<F, B, A>
    where
        A: Clone,
        A: Send,
        A: Sync,
        A: 'static,
    {
        #[pin]
        inner: F,
        // An answer that waits for a look: only one that has a token issued anew.
        looked: Option<Box<Looked<B>>>,
        waiting: Waiting<A>,
        refuse: Option<Refuse>,
    }
}

struct Looked<B> {
    look: Pin<Box<dyn Future<Output = ()>>>,
    outcome: Option<Outcome<B>>,
}

/// Where the client goes away first there is no answer, and a task that the handler left
/// behind may hold the exchange for long.
struct Waiting<A: Clone + Send + Sync + 'static> {
    exchange: Exchange<A>,
    is_answered: bool,
}

impl<A: Clone + Send + Sync + 'static> Drop for Waiting<A> {
    fn drop(&mut self) {
        if !self.is_answered {
            self.exchange.abandon();
        }
    }
}

impl<F, B, A: Clone + Send + Sync + 'static> ResponseFuture<F, B, A> {
    pub(crate) fn new(inner: F, exchange: Exchange<A>, refuse: Option<Refuse>) -> Self {
        let waiting = Waiting { exchange, is_answered: false };
        Self { inner, looked: None, waiting, refuse }
    }
}

impl<F, B, A: Clone + Send + Sync + 'static> fmt::Debug for ResponseFuture<F, B, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl<F, B, A> Future for ResponseFuture<F, B, A>
where
    F: Future<Output = Outcome<B>>,
    A: Clone + Send + Sync + 'static,
{
    type Output = Outcome<EitherBody<B>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (waiting, refuse) = (this.waiting, this.refuse.as_ref());
        if this.looked.is_none() {
            let outcome = ready!(this.inner.poll(context));
            let Some(look) = waiting.exchange.look_again() else {
                return Poll::Ready(waiting.finish(outcome, refuse));
            };
            let looked = Looked { look: Box::pin(look), outcome: Some(outcome) };
            *this.looked = Some(Box::new(looked));
        }
        let Some(looked) = this.looked else { return Poll::Pending };
        let Looked { look, outcome } = &mut **looked;
        ready!(look.as_mut().poll(context));
        // Once only, as of any future.
        let Some(outcome) = outcome.take() else { return Poll::Pending };
        Poll::Ready(waiting.finish(outcome, refuse))
    }
}

impl<A: Clone + Send + Sync + 'static> Waiting<A> {
    fn finish<B>(
        &mut self,
        outcome: Outcome<B>,
        refuse: Option<&Refuse>,
    ) -> Outcome<EitherBody<B>> {
        self.is_answered = true;
        let mut response = outcome.map_err(|error| self.finish_error(error, refuse))?;
        let mut answer = refuse.and_then(|refuse| refuse_with(response.response(), refuse));
        let headers = answer.as_mut().map_or(response.headers_mut(), HttpResponse::headers_mut);
        if let Some(reply) = self.exchange.reply_now(Values { headers, name: SET_COOKIE }) {
            put(reply, headers);
        }
        Ok(match answer {
            None => response.map_into_left_body(),
            Some(answer) => response.into_response(answer).map_into_right_body(),
        })
    }

    /// An error of a middleware within this one, which no handler made a response of. Where
    /// nobody asked for a session it stays as it is.
    #[cold]
    fn finish_error(&self, error: Error, refuse: Option<&Refuse>) -> Error {
        let Some(reply) = self.exchange.reply_now([]) else { return error };
        let response = error.error_response();
        let answer = refuse.and_then(|refuse| refuse_with(&response, refuse));
        let mut response = answer.unwrap_or(response);
        put(reply, response.headers_mut());
        InternalError::from_response(error, response).into()
    }
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

/// The application's answer in the place of a refusal, with the cookies that were left until
/// then, and the headers that middlewares inside have added, such as those of CORS.
fn refuse_with<B>(left: &HttpResponse<B>, refuse: &Refuse) -> Option<HttpResponse> {
    let refused = left.extensions().get::<Refused>()?.clone();
    let mut response = refuse(&refused);
    // It is answered.
    response.extensions_mut().remove::<Refused>();
    let headers = response.headers_mut();
    for name in left.headers().keys().filter(|name| !REPLACED.contains(name)) {
        if *name == SET_COOKIE || !headers.contains_key(name) {
            for value in left.headers().get_all(name) {
                headers.append(name.clone(), value.clone());
            }
        }
    }
    Some(response)
}

/// Puts a reply on an answer. What sets a cookie or has a token is never stored.
fn put(reply: Reply, headers: &mut HeaderMap) {
    if let Some(Ok(cookie)) = reply.set_cookie.map(secret) {
        headers.append(SET_COOKIE, cookie);
    }
    let is_reissued = reply.reissued.is_some();
    if let Some((name, token)) = reply.reissued
        && let (Ok(name), Ok(token)) = (HeaderName::try_from(name), secret(token))
    {
        headers.insert(name, token);
    }
    if !headers.contains_key(CACHE_CONTROL) {
        // Where there is none, this is to insert it, and less is moved.
        headers.append(CACHE_CONTROL, NO_STORE);
    } else if is_reissued || headers.contains_key(SET_COOKIE) {
        headers.insert(CACHE_CONTROL, NO_STORE);
    }
}

fn secret(text: String) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::try_from(text)?;
    value.set_sensitive(true);
    Ok(value)
}

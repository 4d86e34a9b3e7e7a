use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::EitherBody;
use actix_web::dev::ServiceResponse;
use actix_web::error::InternalError;
use actix_web::http::header::{
    CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue, SET_COOKIE,
};
use actix_web::{Error, HttpResponse};
use pin_project_lite::pin_project;
use session_policy::web::{Exchange, Reply};

use crate::middleware::Refuse;
use crate::refused::Refused;

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

type Outcome<B> = Result<ServiceResponse<B>, Error>;

pin_project! {
    /// The answer of a [`SessionService`](crate::SessionService), whose `call` makes it.
    pub struct ResponseFuture<F, B, A>
    where
        A: Send,
        A: Sync,
        A: 'static,
    {
        #[pin]
        inner: F,
        // An answer that waits for a look: only one that has a token issued anew.
        looked: Option<Looked<B>>,
        exchange: Exchange<A>,
        refuse: Option<Refuse>,
    }
}

struct Looked<B> {
    look: Pin<Box<dyn Future<Output = ()>>>,
    outcome: Option<Outcome<B>>,
}

impl<F, B, A: Send + Sync + 'static> ResponseFuture<F, B, A> {
    pub(crate) fn new(inner: F, exchange: Exchange<A>, refuse: Option<Refuse>) -> Self {
        Self { inner, looked: None, exchange, refuse }
    }
}

impl<F, B, A: Send + Sync + 'static> fmt::Debug for ResponseFuture<F, B, A> {
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
        let refuse = this.refuse.as_ref();
        if this.looked.is_none() {
            let outcome = ready!(this.inner.poll(context));
            let Some(look) = this.exchange.look_again() else {
                return Poll::Ready(finish(this.exchange, outcome, refuse));
            };
            *this.looked = Some(Looked { look: Box::pin(look), outcome: Some(outcome) });
        }
        let Some(Looked { look, outcome }) = this.looked else { return Poll::Pending };
        ready!(look.as_mut().poll(context));
        // Once only, as of any future.
        let Some(outcome) = outcome.take() else { return Poll::Pending };
        Poll::Ready(finish(this.exchange, outcome, refuse))
    }
}

fn finish<B, A: Clone + Send + Sync + 'static>(
    exchange: &Exchange<A>,
    outcome: Outcome<B>,
    refuse: Option<&Refuse>,
) -> Outcome<EitherBody<B>> {
    let mut response = match outcome {
        Ok(response) => response,
        Err(error) => return Err(finish_error(exchange, error, refuse)),
    };
    let own = response.headers().get_all(SET_COOKIE).map(HeaderValue::as_bytes);
    if let Some(reply) = exchange.reply_now(own) {
        put(reply, response.headers_mut());
    }
    match refuse.and_then(|refuse| answer(response.response(), refuse)) {
        None => Ok(response.map_into_left_body()),
        Some(answer) => Ok(response.into_response(answer).map_into_right_body()),
    }
}

/// An error of a middleware within this one, which no handler made a response of.
#[cold]
fn finish_error<A: Clone + Send + Sync + 'static>(
    exchange: &Exchange<A>,
    error: Error,
    refuse: Option<&Refuse>,
) -> Error {
    let Some(reply) = exchange.reply_now([]) else { return error };
    let mut response = error.error_response();
    put(reply, response.headers_mut());
    let answer = refuse.and_then(|refuse| answer(&response, refuse));
    InternalError::from_response(error, answer.unwrap_or(response)).into()
}

/// The application's answer in the place of a refusal, with the cookies that were set until
/// then.
fn answer<B>(left: &HttpResponse<B>, refuse: &Refuse) -> Option<HttpResponse> {
    let refused = left.extensions().get::<Refused>()?.clone();
    let mut response = refuse(&refused);
    // It is answered.
    response.extensions_mut().remove::<Refused>();
    for cookie in left.headers().get_all(SET_COOKIE) {
        response.headers_mut().append(SET_COOKIE, cookie.clone());
    }
    if let Some(cache) = left.headers().get(CACHE_CONTROL)
        && !response.headers().contains_key(CACHE_CONTROL)
    {
        response.headers_mut().insert(CACHE_CONTROL, cache.clone());
    }
    Some(response)
}

/// Puts a reply on an answer.
fn put(reply: Reply, headers: &mut HeaderMap) {
    if let Some((name, token)) = reply.reissued
        && let (Ok(name), Ok(token)) = (HeaderName::try_from(name), secret(token))
    {
        headers.insert(name, token);
    }
    if let Some(Ok(cookie)) = reply.set_cookie.map(secret) {
        headers.append(SET_COOKIE, cookie);
        headers.insert(CACHE_CONTROL, NO_STORE);
    } else if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, NO_STORE);
    }
}

fn secret(text: String) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::try_from(text)?;
    value.set_sensitive(true);
    Ok(value)
}

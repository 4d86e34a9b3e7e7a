use alloc::boxed::Box;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use http::header::{CACHE_CONTROL, SET_COOKIE};
use http::{HeaderValue, Response};
use pin_project_lite::pin_project;

use super::super::exchange::Exchange;
use super::super::refused::Refused;
use super::answer::{Refuse, put};

pin_project! {
    /// The answer of a [`SessionService`](super::SessionService).
    pub struct ResponseFuture<F, O, A, R>
    where
        A: Send,
        A: Sync,
        A: 'static,
    {
        #[pin]
        inner: F,
        // An answer that waits for a look: only one that has a token issued anew.
        looked: Option<Looked<O>>,
        exchange: Exchange<A>,
        refuse: R,
    }
}

struct Looked<O> {
    look: Pin<Box<dyn Future<Output = ()> + Send>>,
    response: Option<Response<O>>,
}

impl<F, O, A: Send + Sync + 'static, R> ResponseFuture<F, O, A, R> {
    #[inline]
    pub(super) fn new(inner: F, exchange: Exchange<A>, refuse: R) -> Self {
        Self { inner, looked: None, exchange, refuse }
    }
}

impl<F, O, A: Send + Sync + 'static, R> fmt::Debug for ResponseFuture<F, O, A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl<F, O, A, R, E> Future for ResponseFuture<F, O, A, R>
where
    F: Future<Output = Result<Response<O>, E>>,
    A: Clone + Send + Sync + 'static,
    R: Refuse<O>,
{
    type Output = Result<Response<O>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.looked.is_none() {
            let response = ready!(this.inner.poll(context))?;
            let Some(look) = this.exchange.look_again() else {
                return Poll::Ready(Ok(finish(this.exchange, response, this.refuse)));
            };
            *this.looked = Some(Looked { look: Box::pin(look), response: Some(response) });
        }
        let Some(Looked { look, response }) = this.looked else { return Poll::Pending };
        ready!(look.as_mut().poll(context));
        // Once only, as of any future.
        let Some(response) = response.take() else { return Poll::Pending };
        Poll::Ready(Ok(finish(this.exchange, response, this.refuse)))
    }
}

#[inline]
fn finish<O, A: Clone + Send + Sync + 'static>(
    exchange: &Exchange<A>,
    mut response: Response<O>,
    refuse: &impl Refuse<O>,
) -> Response<O> {
    if let Some(refused) = response.extensions_mut().remove::<Refused>() {
        response = refuse_with(&refused, &response, refuse);
    }
    let own = response.headers().get_all(SET_COOKIE).into_iter().map(HeaderValue::as_bytes);
    if let Some(reply) = exchange.reply_now(own) {
        put(reply, response.headers_mut());
    }
    response
}

/// The application's answer in the place of what an extractor or a handler left, with the
/// cookies that were set until then.
#[cold]
fn refuse_with<O>(refused: &Refused, left: &Response<O>, refuse: &impl Refuse<O>) -> Response<O> {
    let mut response = refuse.refuse(refused);
    for cookie in left.headers().get_all(SET_COOKIE) {
        response.headers_mut().append(SET_COOKIE, cookie.clone());
    }
    if let Some(cache) = left.headers().get(CACHE_CONTROL) {
        response.headers_mut().entry(CACHE_CONTROL).or_insert_with(|| cache.clone());
    }
    response
}

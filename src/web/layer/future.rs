use alloc::boxed::Box;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;

use super::super::exchange::Exchange;
use super::answer::{Refuse, finish};

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
        looked: Option<Box<Looked<O>>>,
        waiting: Waiting<A>,
        refuse: R,
    }
}

struct Looked<O> {
    look: Pin<Box<dyn Future<Output = ()> + Send>>,
    response: Option<Response<O>>,
}

/// Where the client goes away first, or the service fails, there is no answer, and a task
/// that the handler left behind may hold the exchange for long.
struct Waiting<A: Send + Sync + 'static> {
    exchange: Exchange<A>,
    is_answered: bool,
}

impl<A: Send + Sync + 'static> Drop for Waiting<A> {
    fn drop(&mut self) {
        if !self.is_answered {
            self.exchange.abandon();
        }
    }
}

impl<F, O, A: Send + Sync + 'static, R> ResponseFuture<F, O, A, R> {
    #[inline]
    pub(super) fn new(inner: F, exchange: Exchange<A>, refuse: R) -> Self {
        let waiting = Waiting { exchange, is_answered: false };
        Self { inner, looked: None, waiting, refuse }
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
        let Waiting { exchange, is_answered, .. } = this.waiting;
        if this.looked.is_none() {
            let response = ready!(this.inner.poll(context))?;
            let Some(look) = exchange.look_again() else {
                *is_answered = true;
                return Poll::Ready(Ok(finish(exchange, response, this.refuse)));
            };
            let looked = Looked { look: Box::pin(look), response: Some(response) };
            *this.looked = Some(Box::new(looked));
        }
        let Some(looked) = this.looked else { return Poll::Pending };
        let Looked { look, response } = &mut **looked;
        ready!(look.as_mut().poll(context));
        // Once only, as of any future.
        let Some(response) = response.take() else { return Poll::Pending };
        *is_answered = true;
        Poll::Ready(Ok(finish(exchange, response, this.refuse)))
    }
}

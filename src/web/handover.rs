//! One value from a task to whoever waits for it; either may go away.

use alloc::sync::Arc;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(super) fn handover<T>() -> (Giver<T>, Taker<T>) {
    let place = Arc::new(Mutex::new(Place { value: None, waker: None, is_over: false }));
    (Giver(Arc::clone(&place)), Taker(place))
}

struct Place<T> {
    value: Option<T>,
    waker: Option<Waker>,
    /// Whether the task is gone.
    is_over: bool,
}

type Shared<T> = Arc<Mutex<Place<T>>>;

fn lock<T>(place: &Shared<T>) -> MutexGuard<'_, Place<T>> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) struct Giver<T>(Shared<T>);

impl<T> Giver<T> {
    /// If nobody waits any more, the value is dropped with the place.
    pub(super) fn give(self, value: T) {
        lock(&self.0).value = Some(value);
    }
}

impl<T> Drop for Giver<T> {
    fn drop(&mut self) {
        let mut place = lock(&self.0);
        place.is_over = true;
        let waker = place.waker.take();
        drop(place);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// `None` if the task is gone.
pub(super) struct Taker<T>(Shared<T>);

impl<T> Future for Taker<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut place = lock(&self.0);
        if let Some(value) = place.value.take() {
            return Poll::Ready(Some(value));
        }
        if place.is_over {
            return Poll::Ready(None);
        }
        place.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

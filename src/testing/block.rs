//! Runs a future on this thread, without a runtime.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Wake;
use std::thread::{self, Thread};

/// Runs a future to its end, polling it only when it was woken; `None` once
/// `given_up` says so.
pub(super) fn block_on<T>(
    future: impl Future<Output = T>,
    given_up: impl Fn() -> bool,
) -> Option<T> {
    let unpark = Arc::new(Unpark { thread: thread::current(), woken: AtomicBool::new(true) });
    let waker = Waker::from(unpark.clone());
    let mut future = pin!(future);
    loop {
        if unpark.woken.swap(false, Ordering::AcqRel) {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Some(output);
            }
        } else {
            thread::park_timeout(Duration::from_millis(500));
        }
        if given_up() {
            return None;
        }
    }
}

struct Unpark {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// Notes whether it was woken.
#[derive(Debug, Default)]
pub(super) struct Flag(AtomicBool);

impl Flag {
    pub(super) fn take(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// Waits, by a thread of its own, since there may be no runtime.
pub(super) async fn sleep(duration: Duration) {
    let state = Arc::new((AtomicBool::new(false), Mutex::new(None::<Waker>)));
    let over = state.clone();
    thread::spawn(move || {
        thread::sleep(duration);
        over.0.store(true, Ordering::Release);
        if let Some(waker) = over.1.lock().unwrap_or_else(PoisonError::into_inner).take() {
            waker.wake();
        }
    });
    poll_fn(|context| {
        *state.1.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.waker().clone());
        if state.0.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_sleep_lasts_as_long_as_said() {
        let started = Instant::now();
        assert_eq!(block_on(sleep(Duration::from_millis(30)), || false), Some(()));
        assert!(started.elapsed() >= Duration::from_millis(30));
    }

    #[test]
    fn a_flag_tells_once_that_it_was_woken() {
        let flag = Arc::new(Flag::default());
        assert!(!flag.take());
        Waker::from(flag.clone()).wake();
        assert!(flag.take() && !flag.take());
    }
}

//! Runs one check to its end, its panic or its time limit.

use core::any::Any;
use core::future::poll_fn;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::task::{Poll, Waker};
use core::time::Duration;
use std::format;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::string::String;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use super::block::block_on;
use super::probe::{Checking, Probe};
use super::report::{Failure, Verdict};

/// After so long a check is named where a captured output does not hide it.
const LONG: Duration = Duration::from_secs(10);

/// Runs a check where the caller polls it. A poll that does not return cannot be
/// ended, only named.
pub(super) async fn in_place(
    name: &'static str,
    check: fn(Probe) -> Checking<'static>,
    probe: Probe,
    limit: Duration,
) -> Verdict {
    let timer = Timer::start(name, limit, &probe.answered);
    let mut check = check(probe);
    poll_fn(|context| {
        if timer.shared.is_over() {
            return Poll::Ready(Err(hangs(limit)));
        }
        timer.shared.wakes(context.waker());
        match catch_unwind(AssertUnwindSafe(|| check.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(verdict)) => Poll::Ready(verdict),
            Err(panic) => Poll::Ready(Err(Failure::new(said(&*panic)))),
        }
    })
    .await
}

/// Runs a check on a thread of its own, which is given up if it hangs.
pub(super) async fn on_a_thread(
    name: &'static str,
    check: fn(Probe) -> Checking<'static>,
    probe: Probe,
    limit: Duration,
) -> Verdict {
    let timer = Timer::start(name, limit, &probe.answered);
    let (shared, running) = (timer.shared.clone(), probe.clone());
    thread::spawn(move || {
        let verdict = catch_unwind(AssertUnwindSafe(|| {
            let given_up = running.given_up.clone();
            block_on(check(running), || given_up.load(Ordering::Acquire))
        }));
        let verdict = match verdict {
            Ok(verdict) => verdict.unwrap_or_else(|| Err(Failure::new("the check was given up"))),
            Err(panic) => Err(Failure::new(said(&*panic))),
        };
        *lock(&shared.verdict) = Some(verdict);
        shared.wake();
    });
    poll_fn(|context| {
        timer.shared.wakes(context.waker());
        if let Some(verdict) = lock(&timer.shared.verdict).take() {
            return Poll::Ready(verdict);
        }
        if timer.shared.is_over() {
            probe.given_up.store(true, Ordering::Release);
            return Poll::Ready(Err(hangs(limit)));
        }
        Poll::Pending
    })
    .await
}

/// What a panic said.
pub(super) fn said(panic: &(dyn Any + Send)) -> String {
    let said = panic.downcast_ref::<&str>().copied();
    let said = said.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the store panicked: {}", said.unwrap_or("without a text"))
}

fn hangs(limit: Duration) -> Failure {
    Failure::of_a_hang(format!("no call was answered for {limit:?}: one hangs, or is never woken"))
}

/// A thread that wakes the check once no call was answered for as long as one may
/// take.
struct Timer {
    shared: Arc<Shared>,
    /// Dropped with the check, which ends the thread.
    _running: Sender<()>,
}

#[derive(Default)]
struct Shared {
    over: AtomicBool,
    waker: Mutex<Option<Waker>>,
    verdict: Mutex<Option<Verdict>>,
}

impl Timer {
    fn start(name: &'static str, limit: Duration, answered: &Arc<AtomicU64>) -> Self {
        let shared = Arc::<Shared>::default();
        let (running, dropped) = channel();
        let (to_wake, answered) = (shared.clone(), answered.clone());
        thread::spawn(move || {
            let is_running =
                |time| dropped.recv_timeout(time) == Err::<(), _>(RecvTimeoutError::Timeout);
            let (started, mut unnamed) = (Instant::now(), Some(name));
            loop {
                let before = answered.load(Ordering::Relaxed);
                let mut waited = Duration::ZERO;
                while waited < limit {
                    let step = LONG.min(limit.saturating_sub(waited));
                    if !is_running(step) {
                        return;
                    }
                    waited += step;
                    if let Some(name) = unnamed.take_if(|_| started.elapsed() >= LONG) {
                        tell(&format!("still running after {} s: {name}", LONG.as_secs()));
                    }
                }
                if answered.load(Ordering::Relaxed) == before {
                    break;
                }
            }
            to_wake.over.store(true, Ordering::Release);
            to_wake.wake();
            // A poll that returns ends the check, and the channel, at once.
            if is_running(LONG) {
                tell(&format!("a poll does not return: {name}"));
            }
        });
        Self { shared, _running: running }
    }
}

/// Past the test harness, which shows what it captures only at the end.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

impl Shared {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    fn wakes(&self, waker: &Waker) {
        *lock(&self.waker) = Some(waker.clone());
    }

    fn wake(&self) {
        if let Some(waker) = lock(&self.waker).take() {
            waker.wake();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Whether a store may be called from threads of the kit's own.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::thread;

use super::block::{Flag, sleep};
use super::fixture::{SUBJECT, at, id, renewal, session};
use super::probe::Probe;

/// A store that wakes itself more often than this is not waited for here.
const POLLS: u32 = 100_000;

/// Whether it answers each verb without waiting for anything outside, so that it
/// needs no runtime: in the first poll, or having woken itself in each.
pub(super) async fn needs_no_runtime(probe: &Probe) -> bool {
    let first = catch_unwind(AssertUnwindSafe(|| without_waiting(probe.load(id(0)))));
    if !matches!(first, Ok(Some(_))) {
        return false;
    }
    let (probe, told) = (probe.clone(), Arc::new(OnceLock::new()));
    let tells = told.clone();
    thread::spawn(move || {
        let answered = catch_unwind(AssertUnwindSafe(|| without_waiting(each_verb(&probe))));
        // What the verbs say is for the checks to judge.
        let on_threads = matches!(answered, Ok(Some(())));
        let _ = tells.set(on_threads);
    });
    for _ in 0..200 {
        if let Some(on_threads) = told.get() {
            return *on_threads;
        }
        sleep(Duration::from_millis(5)).await;
    }
    // It hangs, without a runtime too; threads of their own can be given up.
    true
}

/// Polls while the future wakes itself within its polls; `None` if it waits.
fn without_waiting<T>(future: impl Future<Output = T>) -> Option<T> {
    let flag = Arc::<Flag>::default();
    let waker = Waker::from(flag.clone());
    let mut future = pin!(future);
    for _ in 0..POLLS {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return Some(output),
            Poll::Pending if flag.take() => {}
            Poll::Pending => return None,
        }
    }
    None
}

async fn each_verb(probe: &Probe) {
    let held = session(0);
    let _ = probe.create(&held).await;
    let _ = probe.create(&held).await;
    let _ = probe.load(held.id()).await;
    let _ = probe.update(&renewal(&held, at(60), at(961))).await;
    let _ = probe.list(SUBJECT).await;
    let _ = probe.sweep(at(0), 1).await;
    let _ = probe.remove(held.id()).await;
    let _ = probe.create(&session(1)).await;
    let _ = probe.remove_all(SUBJECT, None).await;
    let _ = probe.create(&session(2)).await;
    let _ = probe.sweep(at(100_000), 10).await;
}

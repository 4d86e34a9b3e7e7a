//! Runs threads in the orders in which they can take their locks.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test file uses its own part")]

use std::panic::catch_unwind;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use session_policy_planting::{Fault, plant};
use shuttle::scheduler::{DfsScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, Runner, thread};

/// Enough for every order of most pairs of operations.
const SCHEDULES: usize = 7_000;

pub type Check = fn() -> usize;
pub type Act<S> = fn(&S);

/// Every order or, where there are more than `SCHEDULES`, that many and as many again by
/// chance. How many there were.
pub fn every_order(race: impl Fn() + Clone + Send + Sync + 'static) -> usize {
    let schedules = run(DfsScheduler::new(Some(SCHEDULES), false), race.clone());
    if schedules < SCHEDULES { schedules } else { schedules + by_chance(race) }
}

/// Orders by chance from a fixed seed, for what is random itself.
pub fn by_chance(race: impl Fn() + Send + Sync + 'static) -> usize {
    run(RandomScheduler::new_from_seed(42, SCHEDULES), race)
}

fn run(scheduler: impl Scheduler + 'static, race: impl Fn() + Send + Sync + 'static) -> usize {
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    // That it takes every ordering of an atomic for SeqCst.
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(race)
}

/// Each act on a thread of its own.
pub fn side_by_side<S: Send + Sync + 'static>(subject: &Arc<S>, acts: &[Act<S>]) {
    let threads: Vec<_> = acts
        .iter()
        .map(|act| {
            let (subject, act) = (Arc::clone(subject), *act);
            thread::spawn(move || act(&subject))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

/// The store waits for nothing but its locks, and lets others run in between.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    for _ in 0..100 {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return answer;
        }
        thread::yield_now();
    }
    panic!("the store waits")
}

/// Dropped at its first await, if it has one.
pub fn dropped<T>(future: impl Future<Output = T>) {
    drop(pin!(future).poll(&mut Context::from_waker(Waker::noop())));
}

/// A check that passes without the fault, which another test shows, and fails with it.
pub fn finds(check: Check, fault: Fault) {
    plant(Some(fault));
    let failed = catch_unwind(check).is_err();
    plant(None);
    assert!(failed, "{fault:?} is not found");
}

pub fn all_hold(checks: &[(&str, Check)]) {
    plant(None);
    for (name, check) in checks {
        println!("{name}: {} schedules", check());
    }
}

//! Runs calls on threads, in step, so that they meet.

use core::hint::spin_loop;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Instant;
use std::vec::Vec;

use super::call::{Answer, Race};
use super::fixture::Random;
use super::probe::Probe;
use super::report::{Failure, Verdict};
use super::watch::said;

/// So often a thread looks for the others before it lets others run.
const LOOKS: usize = 2_000;

/// Makes the calls of each race together, call `n` on thread `n` and by handle
/// `n`, and returns what each race was told; of fewer races once the time is over.
pub(super) fn in_step(probe: &Probe, steps: &[Race], until: Instant) -> Verdict<Vec<Vec<Answer>>> {
    let callers = steps.first().map_or(0, |race| race.calls.len());
    let (gate, end) = (Gate::new(callers), &AtomicUsize::new(usize::MAX));
    let answers: Vec<Verdict<Vec<Answer>>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..callers)
            .map(|n| {
                let gate = &gate;
                let caller = move || {
                    let mut random = Random(n as u64);
                    let mut answers = Vec::with_capacity(steps.len());
                    for (step, Race { before, calls }) in steps.iter().enumerate() {
                        if n == 0 && Instant::now() >= until {
                            end.store(step, Ordering::Release);
                        } else if n == 0 {
                            probe.block_on(probe.create_all(before))?;
                        }
                        gate.pass();
                        if end.load(Ordering::Acquire) <= step {
                            break;
                        }
                        let late = if random.below(3) == 0 { 64 } else { 4 };
                        for _ in 0..random.below(late) {
                            spin_loop();
                        }
                        answers.push(probe.block_on(probe.call(n, &calls[n]))?);
                    }
                    Ok(answers)
                };
                scope.spawn(move || gate.opened_after(caller))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(ended()))).collect()
    });
    let mut of_callers = Vec::new();
    for answers in answers {
        of_callers.push(answers?.into_iter());
    }
    let mut of_steps = Vec::new();
    while let Some(of_step) = of_callers.iter_mut().map(Iterator::next).collect() {
        of_steps.push(of_step);
    }
    Ok(of_steps)
}

/// Runs each on a thread of its own, started together; the first failure, if any.
pub(super) fn together<F: FnOnce() -> Verdict + Send>(callers: Vec<F>) -> Verdict {
    let gate = Gate::new(callers.len());
    let verdicts: Vec<Verdict> = thread::scope(|scope| {
        let threads: Vec<_> = callers
            .into_iter()
            .map(|caller| {
                let gate = &gate;
                scope.spawn(move || {
                    gate.opened_after(|| {
                        gate.pass();
                        caller()
                    })
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(ended()))).collect()
    });
    verdicts.into_iter().collect()
}

/// Lets callers pass once all are there.
struct Gate {
    callers: usize,
    arrived: AtomicUsize,
    open: AtomicBool,
}

impl Gate {
    const fn new(callers: usize) -> Self {
        Self { callers, arrived: AtomicUsize::new(0), open: AtomicBool::new(false) }
    }

    fn pass(&self) {
        let place = self.arrived.fetch_add(1, Ordering::AcqRel);
        let needed = (place / self.callers + 1) * self.callers;
        let mut looks = 0;
        while self.arrived.load(Ordering::Acquire) < needed && !self.open.load(Ordering::Acquire) {
            looks += 1;
            if looks % LOOKS == 0 {
                thread::yield_now();
            }
            spin_loop();
        }
    }

    /// What the caller finds; if that is a failure or a panic, the others need not
    /// wait for it.
    fn opened_after<T>(&self, caller: impl FnOnce() -> Verdict<T>) -> Verdict<T> {
        let verdict = catch_unwind(AssertUnwindSafe(caller))
            .unwrap_or_else(|panic| Err(Failure::new(said(&*panic))));
        if verdict.is_err() {
            self.open.store(true, Ordering::Release);
        }
        verdict
    }
}

fn ended() -> Failure {
    Failure::new("a thread ended without an answer")
}

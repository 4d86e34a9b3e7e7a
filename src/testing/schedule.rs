//! Polls futures together in one task, one poll at a time, in an order of the
//! kit's choice. A future is polled only once it was woken.

use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};
use std::boxed::Box;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Wake;
use std::vec::Vec;

use super::fixture::Random;

/// After so many polls the task lets others run.
const AT_ONCE: usize = 512;
/// So often the one that goes first may be polled before another is.
const IN_A_ROW: usize = 64;

/// Who of several is polled next.
#[derive(Clone, Debug)]
pub(super) enum Plan {
    /// Each once, in their order, and again.
    InTurn,
    /// Each once, the last first, and again.
    Reversed,
    /// Any, by chance.
    Shuffled(Random),
    /// The first so many polls, then the second so many, then the first to its end,
    /// then the others.
    Split(usize, usize),
}

/// The outputs of all, in their order, and how often each was polled.
pub(super) async fn race<F: Future>(
    futures: impl IntoIterator<Item = F>,
    mut plan: Plan,
) -> (Vec<F::Output>, Vec<usize>) {
    let outer = Arc::new(Mutex::new(None));
    let mut running: Vec<Running<F>> =
        futures.into_iter().map(|future| Running::new(future, &outer)).collect();
    let mut last = Last { index: running.len().wrapping_sub(1), in_a_row: 0 };
    poll_fn(|context| {
        *outer.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.waker().clone());
        for _ in 0..AT_ONCE {
            let open = |one: &Running<F>| one.output.is_none();
            if !running.iter().any(open) {
                return Poll::Ready(());
            }
            let ready = |(_, one): &(usize, &Running<F>)| open(one) && one.child.is_woken();
            let ready: Vec<_> = running.iter().enumerate().filter(ready).map(|(n, _)| n).collect();
            if ready.is_empty() {
                return Poll::Pending;
            }
            let polls: Vec<_> = running.iter().map(|one| one.polls).collect();
            let next = plan.next(&ready, &polls, &last);
            let in_a_row = if next == last.index { last.in_a_row + 1 } else { 0 };
            last = Last { index: next, in_a_row };
            running[next].poll();
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    let polls = running.iter().map(|one| one.polls).collect();
    (running.into_iter().filter_map(|one| one.output).collect(), polls)
}

/// The outputs of all, in their order, polled in turn.
pub(super) async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    race(futures, Plan::InTurn).await.0
}

struct Last {
    index: usize,
    in_a_row: usize,
}

impl Plan {
    fn next(&mut self, ready: &[usize], polls: &[usize], last: &Last) -> usize {
        let after = |index: usize| ready.iter().copied().find(|n| *n > index);
        let in_turn = after(last.index).unwrap_or(ready[0]);
        match self {
            Self::InTurn => in_turn,
            Self::Reversed => {
                let before = ready.iter().rev().copied().find(|n| *n < last.index);
                before.unwrap_or(ready[ready.len() - 1])
            }
            Self::Shuffled(random) => ready[random.below(ready.len())],
            Self::Split(first, second) => {
                let wanted = if polls[0] < *first {
                    0
                } else if polls.get(1).is_some_and(|polls| polls < second) {
                    1
                } else {
                    ready[0]
                };
                // Nobody waits for ever for one who waits for it.
                let fair = last.index != wanted || last.in_a_row < IN_A_ROW;
                if ready.contains(&wanted) && fair { wanted } else { in_turn }
            }
        }
    }
}

struct Running<F: Future> {
    future: Option<Pin<Box<F>>>,
    output: Option<F::Output>,
    polls: usize,
    child: Arc<Child>,
}

impl<F: Future> Running<F> {
    fn new(future: F, outer: &Arc<Mutex<Option<Waker>>>) -> Self {
        let child = Arc::new(Child { woken: AtomicBool::new(true), outer: outer.clone() });
        Self { future: Some(Box::pin(future)), output: None, polls: 0, child }
    }

    fn poll(&mut self) {
        self.child.woken.store(false, Ordering::Release);
        self.polls += 1;
        let waker = Waker::from(self.child.clone());
        if let Some(future) = &mut self.future
            && let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker))
        {
            self.output = Some(output);
            self.future = None;
        }
    }
}

struct Child {
    woken: AtomicBool,
    outer: Arc<Mutex<Option<Waker>>>,
}

impl Child {
    fn is_woken(&self) -> bool {
        self.woken.load(Ordering::Acquire)
    }
}

impl Wake for Child {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        let outer = self.outer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(waker) = outer {
            waker.wake();
        }
    }
}

/// Polls a future only once it was woken.
pub(super) struct Strict<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + Send + 'a>>,
    child: Arc<Child>,
}

impl<'a, T> Strict<'a, T> {
    pub(super) fn new(future: impl Future<Output = T> + Send + 'a) -> Self {
        let child = Child { woken: AtomicBool::new(true), outer: Arc::default() };
        Self { future: Box::pin(future), child: Arc::new(child) }
    }
}

impl<T> Future for Strict<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        *self.child.outer.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(context.waker().clone());
        if !self.child.woken.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
        let waker = Waker::from(self.child.clone());
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use core::cell::{Cell, RefCell};

    use super::super::block::block_on;
    use super::*;

    type Boxed<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

    fn polls(futures: [Boxed<'_>; 2], plan: Plan) -> Vec<usize> {
        block_on(race(futures, plan), || false).unwrap().1
    }

    #[test]
    fn one_that_goes_first_and_is_always_woken_leaves_others_their_turn() {
        let (done, count) = (Cell::new(false), Cell::new(0));
        let first = poll_fn(|context| {
            count.set(count.get() + 1);
            context.waker().wake_by_ref();
            if done.get() || count.get() == 1_000 { Poll::Ready(()) } else { Poll::Pending }
        });
        let plan = Plan::Split(1_000, 1);
        assert_eq!(polls([Box::pin(first), Box::pin(async { done.set(true) })], plan), [66, 1]);
    }

    #[test]
    fn one_is_polled_only_once_it_was_woken() {
        for plan in [Plan::InTurn, Plan::Reversed, Plan::Shuffled(Random(1)), Plan::Split(9, 1)] {
            let (waker, count) = (RefCell::new(None::<Waker>), Cell::new(0));
            let over = || count.get() > 5;
            let first = poll_fn(|context| {
                *waker.borrow_mut() = Some(context.waker().clone());
                if over() { Poll::Ready(()) } else { Poll::Pending }
            });
            let other = poll_fn(|context| {
                count.set(count.get() + 1);
                context.waker().wake_by_ref();
                if !over() {
                    return Poll::Pending;
                }
                if let Some(waker) = waker.take() {
                    waker.wake();
                }
                Poll::Ready(())
            });
            let polls = polls([Box::pin(first), Box::pin(other)], plan.clone());
            assert!(polls[0] <= 2 && polls[1] == 6, "{plan:?}: {polls:?}");
        }
    }
}

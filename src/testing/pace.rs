//! How long threads run against each other: for a time, and until they made so many
//! calls, which takes longer on a machine that is busy.

use core::time::Duration;
use std::thread;
use std::time::Instant;

const TIME: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_millis(1_500);
const CALLS: u32 = 20_000;
/// Of one that naps before each.
const NAPS: u32 = 1_500;

pub(super) struct Pace {
    naps: bool,
    started: Instant,
    calls: u32,
}

impl Pace {
    /// Of a thread that makes one call after the other.
    pub(super) fn hot() -> Self {
        Self { naps: false, started: Instant::now(), calls: 0 }
    }

    /// Of one that naps before each call.
    ///
    /// As it wakes, it comes between the steps of a call that runs, on a machine of
    /// one core too.
    pub(super) fn napping() -> Self {
        Self { naps: true, ..Self::hot() }
    }

    /// Of six threads, four nap.
    pub(super) fn of_thread(n: usize) -> Self {
        if n.is_multiple_of(3) { Self::hot() } else { Self::napping() }
    }

    /// Whether to make another call; naps before it.
    pub(super) fn goes_on(&mut self) -> bool {
        self.calls += 1;
        if self.is_over(self.started.elapsed()) {
            return false;
        }
        self.rests();
        true
    }

    fn is_over(&self, elapsed: Duration) -> bool {
        let enough = if self.naps { NAPS } else { CALLS };
        elapsed > LONGEST || elapsed > TIME && self.calls > enough
    }

    /// Naps, for as short as the system may.
    pub(super) fn rests(&self) {
        if self.naps {
            thread::sleep(Duration::from_nanos(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_goes_on_for_a_time_and_so_many_calls_but_not_for_ever() {
        let more = Duration::from_nanos(1);
        for (mut pace, enough) in [(Pace::hot(), CALLS), (Pace::napping(), NAPS)] {
            for (calls, elapsed, is_over) in [
                (1, TIME + more, false),
                (enough, TIME + more, false),
                (enough + 1, TIME, false),
                (enough + 1, TIME + more, true),
                (1, LONGEST, false),
                (1, LONGEST + more, true),
            ] {
                pace.calls = calls;
                assert_eq!(pace.is_over(elapsed), is_over, "{calls} calls, {elapsed:?}");
            }
        }
    }

    #[test]
    fn each_call_counts_until_it_is_over() {
        let mut pace = Pace::napping();
        assert!(pace.goes_on() && pace.goes_on());
        assert_eq!(pace.calls, 2);
        let naps = (0..6).filter(|n| Pace::of_thread(*n).naps).count();
        assert_eq!(naps, 4);
        pace.started = Instant::now().checked_sub(2 * LONGEST).unwrap_or(pace.started);
        assert!(!pace.goes_on());
    }
}

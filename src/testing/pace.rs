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
        let enough = if self.naps { NAPS } else { CALLS };
        let elapsed = self.started.elapsed();
        if elapsed > LONGEST || elapsed > TIME && self.calls > enough {
            return false;
        }
        self.rests();
        true
    }

    /// Naps, for as short as the system may.
    pub(super) fn rests(&self) {
        if self.naps {
            thread::sleep(Duration::from_nanos(1));
        }
    }
}

use alloc::sync::Arc;
use core::sync::atomic::{AtomicI64, Ordering};

use chrono::TimeDelta;

use super::timestamp::Timestamp;

/// Tells the time. [`Sessions`](crate::Sessions) asks it at least once per call, and
/// again after waiting for the store; nothing that decides sees it.
///
/// Object-safe, and implemented for `Arc<C>`. A clock may step back: a
/// session is then neither renewed nor extended.
///
/// ```
/// use session_policy::{Clock, Timestamp};
///
/// /// The time of a transaction, so that all of it sees one instant.
/// struct Frozen(Timestamp);
///
/// impl Clock for Frozen {
///     fn now(&self) -> Timestamp {
///         self.0
///     }
/// }
/// ```
pub trait Clock: Send + Sync {
    /// The current instant.
    fn now(&self) -> Timestamp;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

/// The operating system's clock, floored to the second.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[cfg(feature = "std")]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        floored(std::time::SystemTime::now())
    }
}

/// Floors towards the past, as everywhere.
#[cfg(feature = "std")]
fn floored(instant: std::time::SystemTime) -> Timestamp {
    let secs =
        |duration: core::time::Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_unix_secs(match instant.duration_since(std::time::UNIX_EPOCH) {
        Ok(after) => secs(after),
        Err(before) if before.duration().subsec_nanos() == 0 => -secs(before.duration()),
        Err(before) => -secs(before.duration()) - 1,
    })
}

/// A clock that a test moves by hand, in any direction. Clones share the time.
///
/// ```
/// use chrono::TimeDelta;
/// use session_policy::{Clock, ManualClock, Timestamp};
///
/// let clock = ManualClock::new(Timestamp::from_unix_secs(1_800_000_000));
/// let in_the_application = clock.clone();
/// clock.advance(TimeDelta::minutes(15));
/// assert_eq!(in_the_application.now().as_unix_secs(), 1_800_000_900);
/// clock.set(Timestamp::from_unix_secs(0)); // Back, as an operator may set a server's.
/// assert_eq!(in_the_application.now().as_unix_secs(), 0);
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock that stands at `now`, at the whole second at or before it.
    #[must_use]
    pub fn new(now: impl Into<Timestamp>) -> Self {
        Self(Arc::new(AtomicI64::new(now.into().as_unix_secs())))
    }

    /// Moves the clock by `duration`, backwards if it is negative, saturating, to the whole
    /// second at or before that: it does not add up parts of seconds.
    pub fn advance(&self, duration: TimeDelta) {
        let advanced = |secs| {
            let now = Timestamp::from_unix_secs(secs);
            Some(now.saturating_add(duration).as_unix_secs())
        };
        // Never fails: the closure always gives a value.
        let _ = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, advanced);
    }

    /// Moves the clock to `now`.
    pub fn set(&self, now: impl Into<Timestamp>) {
        self.0.store(now.into().as_unix_secs(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_secs(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use core::time::Duration;
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn the_system_s_time_is_floored_on_both_sides_of_1970() {
        for (millis, after, before) in
            [(0, 0, 0), (1, 0, -1), (999, 0, -1), (1_000, 1, -1), (1_001, 1, -2), (2_500, 2, -3)]
        {
            let distance = Duration::from_millis(millis);
            assert_eq!(floored(UNIX_EPOCH + distance).as_unix_secs(), after, "{millis} ms after");
            assert_eq!(floored(UNIX_EPOCH - distance).as_unix_secs(), before, "{millis} ms before");
        }
    }
}

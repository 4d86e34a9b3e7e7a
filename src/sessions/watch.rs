use chrono::TimeDelta;

use crate::rule::{RejectReason, Status};
use crate::time::Timestamp;

const SHORTEST: TimeDelta = TimeDelta::seconds(2);

/// When a long connection (a WebSocket, an event stream, a long poll) must check that its
/// session still lives, and when it must end: a state machine, without a clock, a
/// timer or a store.
///
/// The caller sleeps until the instant it is given, looks with `peek`, which never
/// extends, and tells what it [`saw`](Self::saw). A clock that is set back counts the
/// interval anew, and one that is set forward may end the connection early. So the connection
/// never outlives the deadline of its session, and outlives a sign-out anywhere by at most the
/// interval. A look that is not answered within the interval ends it, too.
///
/// | setting | unit | bound |
/// | --- | --- | --- |
/// | interval | whole seconds, rounded down | from 2 s; a shorter one is raised to 2 s |
///
/// # Example
///
/// ```
/// # #[cfg(feature = "memory")] {
/// use chrono::TimeDelta;
/// use session_policy::{Clock, Look, ManualClock, MemoryStore, SessionPolicy, Sessions, Watch};
///
/// # pollster::block_on(async {
/// let clock = ManualClock::new(chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap());
/// let sessions =
///     Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY).with_clock(clock.clone());
/// let started = sessions.start("user-42").await?;
///
/// let mut watch = Watch::new(&started.status, TimeDelta::seconds(30));
/// loop {
///     match watch.next(clock.now()) {
///         Look::At { at } => {
///             clock.set(at); // A server: `tokio::time::sleep`, with a limit on the look.
///             let Ok(seen) = sessions.peek(started.token.expose()).await else { break };
///             watch.saw(at, &seen.status);
///         }
///         Look::End { .. } => break, // Close the connection.
///     }
/// }
/// assert_eq!(clock.now(), started.status.absolute_expires_at);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// # }
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Watch {
    interval: TimeDelta,
    /// When the last look that was answered began.
    seen_at: Timestamp,
    ends_at: Timestamp,
    reason: RejectReason,
}

/// What to do next, from [`Watch::next`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Look {
    /// Look whether the session lives.
    At {
        /// When; now, if it is not later.
        at: Timestamp,
    },
    /// End the connection.
    End {
        /// Since when it was to end.
        at: Timestamp,
        /// The limit of the session that is reached; `None` where no look was answered
        /// within the interval.
        reason: Option<RejectReason>,
    },
}

impl Watch {
    /// A watch that begins with the status of the request that opened the connection,
    /// from `authenticate` or `peek`. The interval is as in the table [above](Self).
    #[must_use]
    pub fn new(status: &Status, interval: TimeDelta) -> Self {
        let interval = TimeDelta::seconds(interval.num_seconds()).max(SHORTEST);
        let mut watch =
            Self { interval, seen_at: status.now, ends_at: status.now, reason: RejectReason::Idle };
        watch.saw(status.now, status);
        watch
    }

    /// Takes note of a look that began at `began_at` and found the session alive.
    pub fn saw(&mut self, began_at: Timestamp, status: &Status) {
        self.seen_at = began_at;
        self.ends_at = status.idle_expires_at;
        self.reason = if status.idle_expires_at == status.absolute_expires_at {
            RejectReason::AbsoluteCap
        } else {
            RejectReason::Idle
        };
    }

    /// Until when the answer to a look that began at `began_at` is waited for. The first look
    /// after one that was answered has the other half of the interval, also where a timer was
    /// late; further ones have what is left of it.
    pub(crate) fn limit(&self, began_at: Timestamp, is_first: bool) -> Timestamp {
        let answer = if is_first { self.interval - self.half() } else { TimeDelta::zero() };
        let unanswered = self.seen_at.saturating_add(self.interval);
        unanswered.max(began_at.saturating_add(answer)).min(self.ends_at)
    }

    const fn half(&self) -> TimeDelta {
        TimeDelta::seconds(self.interval.num_seconds() / 2)
    }

    /// What to do at `now`. The next look is half an interval after the last one, so that
    /// the other half is left for its answer.
    #[must_use]
    pub fn next(&mut self, now: Timestamp) -> Look {
        // A clock that was set back: the interval counts from now.
        self.seen_at = self.seen_at.min(now);
        let unanswered = self.seen_at.saturating_add(self.interval);
        if now >= self.ends_at {
            return Look::End { at: self.ends_at, reason: Some(self.reason) };
        }
        if now >= unanswered {
            return Look::End { at: unanswered, reason: None };
        }
        Look::At { at: self.seen_at.saturating_add(self.half()).max(now).min(self.ends_at) }
    }
}

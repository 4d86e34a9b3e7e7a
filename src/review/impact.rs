use core::fmt;

use chrono::TimeDelta;

use super::change::PolicyChange;
use crate::rule::Lifetime;
use crate::time::{Human, Timestamp};

/// What a [`PolicyChange`] does to live sessions, counted one by one.
///
/// Memory does not grow with their number, so that millions can be streamed from
/// a store with [`count`](Self::count). A session is counted by its deadlines
/// under the old and under the new policy, as [`SessionPolicy::status`] has
/// them: the one without further activity, and the one whatever the activity.
/// Only deadlines are counted: one that a shorter `clock_skew` refuses for now, as
/// not yet valid, is counted as if it were served, and a limit on sessions ends none here.
///
/// A session that is given twice, as a scan may do, is counted twice.
///
/// Serialised with instants as unix seconds and durations as whole seconds; the policies of the
/// change are as in a file.
///
/// # Example
///
/// ```
/// use chrono::TimeDelta;
/// use session_policy::review::{Impact, PolicyChange};
/// use session_policy::{SessionPolicy, Timestamp};
///
/// let change = PolicyChange::between(
///     SessionPolicy::SLIDING_MONTH,
///     SessionPolicy::WORKING_DAY,
/// );
/// let now = Timestamp::from_unix_secs(1_800_000_000);
/// let signed_in = |hours| {
///     SessionPolicy::SLIDING_MONTH.start(now.saturating_sub(TimeDelta::hours(hours)))
/// };
/// let mut impact = Impact::new(change, now);
/// impact.extend((1..=10).map(signed_in));
/// assert_eq!(impact.ended_at_once.count(), 3); // After 8, 9 and 10 hours.
/// assert_eq!(impact.sooner, 7);
/// ```
///
#[doc = include_str!("examples/impact.md")]
///
/// [`SessionPolicy::status`]: crate::SessionPolicy::status
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Impact {
    /// The change.
    pub change: PolicyChange,
    /// When it is made. What is tightened is in force from here on.
    pub now: Timestamp,
    /// Sessions that have ended under the old policy, too.
    pub ended_already: u64,
    /// Sessions that the change ends, by how much time they lose.
    pub ended_at_once: Spread,
    /// Sessions that live on and end sooner, with or without activity.
    pub sooner: u64,
    /// Those that end sooner without activity, by how much.
    pub idle_sooner: Spread,
    /// Those that end sooner whatever the activity, by how much.
    pub cap_sooner: Spread,
    /// Sessions of which neither deadline is sooner, and one is later: their
    /// records were written under a longer policy than the old one.
    pub later: u64,
    /// Sessions with the same deadlines under both policies: a longer `max_age` reaches them
    /// at their next renewal.
    pub unaffected: u64,
    /// The instant by which every session that lives on has been renewed under
    /// the new policy, or has ended. `None` if none lives on.
    pub renewed_by: Option<Timestamp>,
    /// The instant by which every session that lives on has ended, so that each
    /// live one was started under the new policy. `None` if none lives on.
    pub replaced_by: Option<Timestamp>,
}

impl Impact {
    /// No session counted yet.
    #[must_use]
    pub fn new(change: PolicyChange, now: impl Into<Timestamp>) -> Self {
        Self {
            change,
            now: now.into(),
            ended_already: 0,
            ended_at_once: Spread::default(),
            sooner: 0,
            idle_sooner: Spread::default(),
            cap_sooner: Spread::default(),
            later: 0,
            unaffected: 0,
            renewed_by: None,
            replaced_by: None,
        }
    }

    /// Counts one session.
    pub fn count(&mut self, lifetime: &Lifetime) {
        let now = self.now;
        let old = self.change.before().status(lifetime, now);
        let new = self.change.after().status(lifetime, now);
        if now >= old.idle_expires_at {
            self.ended_already += 1;
            return;
        }
        if now >= new.idle_expires_at {
            self.ended_at_once.add(old.idle_expires_at.since(now));
            return;
        }
        self.renewed_by = self.renewed_by.max(Some(new.idle_expires_at));
        self.replaced_by = self.replaced_by.max(Some(new.absolute_expires_at));
        let idle = old.idle_expires_at.since(new.idle_expires_at);
        let cap = old.absolute_expires_at.since(new.absolute_expires_at);
        let zero = TimeDelta::zero();
        if idle > zero {
            self.idle_sooner.add(idle);
        }
        if cap > zero {
            self.cap_sooner.add(cap);
        }
        if idle > zero || cap > zero {
            self.sooner += 1;
        } else if idle < zero || cap < zero {
            self.later += 1;
        } else {
            self.unaffected += 1;
        }
    }

    /// How many sessions were counted.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.ended_already + self.ended_at_once.count + self.sooner + self.later + self.unaffected
    }
}

impl Extend<Lifetime> for Impact {
    fn extend<I: IntoIterator<Item = Lifetime>>(&mut self, lifetimes: I) {
        for lifetime in lifetimes {
            self.count(&lifetime);
        }
    }
}

/// A few lines for people.
impl fmt::Display for Impact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} sessions at {}", self.total(), self.now)?;
        writeln!(f, "{:>12} had ended before", self.ended_already)?;
        writeln!(f, "{:>12} end at once{}", self.ended_at_once.count, self.ended_at_once)?;
        writeln!(f, "{:>12} end sooner", self.sooner)?;
        let (idle, cap) = (&self.idle_sooner, &self.cap_sooner);
        writeln!(f, "{:>16} without activity{idle}", idle.count)?;
        writeln!(f, "{:>16} whatever the activity{cap}", cap.count)?;
        if self.later > 0 {
            writeln!(f, "{:>12} end later", self.later)?;
        }
        write!(f, "{:>12} unaffected", self.unaffected)?;
        let (before, after) = (self.change.before(), self.change.after());
        let idle = before.max_age().cmp(&after.max_age());
        let cap = before.absolute_cap().cmp(&after.absolute_cap());
        if idle.is_lt() && self.unaffected > 0 {
            f.write_str(" until their next renewal, which gives them the longer max_age")?;
        }
        if idle.is_gt() || cap.is_gt() {
            write!(f, "\nShorter limits are in force at {}.", self.now)?;
        }
        if cap.is_lt() {
            f.write_str(
                "\nThe longer absolute_cap is for sessions that start under the new policy.",
            )?;
        }
        if let (Some(renewed_by), Some(replaced_by)) = (self.renewed_by, self.replaced_by) {
            write!(
                f,
                "\nEvery session is renewed under the new policy, or has ended, by {renewed_by}.\
                 \nEvery session was started under the new policy by {replaced_by}.",
            )?;
        }
        Ok(())
    }
}

/// How durations are spread: their number, extremes, mean and a coarse histogram,
/// in memory that does not grow.
///
/// `Display` prints nothing for no durations.
#[doc = include_str!("examples/spread.md")]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Spread {
    count: u64,
    shortest: i64,
    longest: i64,
    total: i128,
    buckets: [u64; BOUNDS.len() + 1],
}

/// Inclusive upper bounds of the buckets; the last bucket has none.
const BOUNDS: [TimeDelta; 6] = [
    TimeDelta::minutes(1),
    TimeDelta::hours(1),
    TimeDelta::days(1),
    TimeDelta::days(7),
    TimeDelta::days(30),
    TimeDelta::days(365),
];

impl Spread {
    /// How many durations there are.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The shortest one, in whole seconds; `None` if there is none.
    #[must_use]
    pub fn shortest(&self) -> Option<TimeDelta> {
        (self.count > 0).then(|| TimeDelta::seconds(self.shortest))
    }

    /// The longest one, in whole seconds; `None` if there is none.
    #[must_use]
    pub fn longest(&self) -> Option<TimeDelta> {
        (self.count > 0).then(|| TimeDelta::seconds(self.longest))
    }

    /// Their mean, rounded down to whole seconds; `None` if there is none.
    #[must_use]
    pub fn mean(&self) -> Option<TimeDelta> {
        let mean = self.total.checked_div(self.count.into())?;
        i64::try_from(mean).ok().map(TimeDelta::seconds)
    }

    /// How many are at most each bound and more than the one before: a minute,
    /// an hour, a day, 7, 30 and 365 days, and `None` for all that are longer.
    pub fn histogram(&self) -> impl Iterator<Item = (Option<TimeDelta>, u64)> {
        BOUNDS.into_iter().map(Some).chain([None]).zip(self.buckets)
    }

    fn add(&mut self, duration: TimeDelta) {
        let secs = duration.num_seconds();
        self.shortest = if self.count == 0 { secs } else { self.shortest.min(secs) };
        self.longest = if self.count == 0 { secs } else { self.longest.max(secs) };
        self.count += 1;
        self.total += i128::from(secs);
        self.buckets[BOUNDS.partition_point(|bound| *bound < duration)] += 1;
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.shortest(), self.longest(), self.mean()) {
            (Some(shortest), Some(longest), Some(mean)) => write!(
                f,
                ", by {} to {}, {} on average",
                Human(shortest),
                Human(longest),
                Human(mean),
            ),
            _ => Ok(()),
        }
    }
}

/// Durations are whole seconds; the histogram is a list of `{up_to, count}`.
#[cfg(feature = "serde")]
impl serde::Serialize for Spread {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use alloc::vec::Vec;
        use serde::ser::SerializeStruct;

        #[derive(serde::Serialize)]
        struct Bucket {
            up_to: Option<i64>,
            count: u64,
        }

        let secs = |duration: Option<TimeDelta>| duration.map(|duration| duration.num_seconds());
        let bucket = |(up_to, count)| Bucket { up_to: secs(up_to), count };
        let mut spread = serializer.serialize_struct("Spread", 5)?;
        spread.serialize_field("count", &self.count)?;
        spread.serialize_field("shortest", &secs(self.shortest()))?;
        spread.serialize_field("longest", &secs(self.longest()))?;
        spread.serialize_field("mean", &secs(self.mean()))?;
        spread.serialize_field("histogram", &self.histogram().map(bucket).collect::<Vec<_>>())?;
        spread.end()
    }
}

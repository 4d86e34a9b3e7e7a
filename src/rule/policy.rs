use core::fmt;

use chrono::TimeDelta;

use super::policy_error::PolicyError;

/// A hundred years of 365.25 days.
pub(crate) const LONGEST_CAP: TimeDelta = TimeDelta::days(36_525);
const LONGEST_CLOCK_SKEW: TimeDelta = TimeDelta::days(1);
const DEFAULT_CLOCK_SKEW: TimeDelta = TimeDelta::seconds(60);

/// How long a session may live: unused, and in all.
///
/// A session ends at the earlier of two deadlines: its last renewal plus
/// `max_age`, and its creation plus `absolute_cap`. A deadline is the first
/// instant at which the session is *not* valid.
///
/// | setting | unit | bound | also known as |
/// | --- | --- | --- | --- |
/// | `max_age` | whole seconds | 1 s to `absolute_cap` | idle or inactivity timeout (OWASP ASVS 5.0 7.3.1, NIST SP 800-63B-4 5.2) |
/// | `update_age` | whole seconds | 0 s to less than `max_age` | renewal throttle; not OWASP's renewal timeout, after which the session id changes |
/// | `absolute_cap` | whole seconds | `max_age` to 100 years (36 525 days) | absolute or overall timeout (OWASP ASVS 5.0 7.3.2, NIST SP 800-63B-4 5.2) |
/// | `clock_skew` | whole seconds | 0 s to 1 day, 60 s if not set | tolerance for a record from the near future; never lengthens a session |
///
/// There is no value for "never": a session without an end is a credential. And
/// there is no `Default`: each lifetime is written down.
///
/// A user can count on [`guaranteed_idle`](Self::guaranteed_idle) of idleness,
/// `max_age - update_age`, since activity within `update_age` of a renewal does
/// not renew again.
///
/// # Example
///
/// A policy can be a constant, so that a contradiction fails the build:
///
/// ```
/// use chrono::TimeDelta;
/// use session_policy::SessionPolicy;
///
/// const ADMIN: SessionPolicy = match SessionPolicy::new(
///     TimeDelta::hours(8),
///     TimeDelta::minutes(15),
///     TimeDelta::hours(8),
/// ) {
///     Ok(policy) => policy,
///     Err(_) => panic!("contradictory policy"),
/// };
/// assert_eq!(ADMIN, SessionPolicy::WORKING_DAY);
/// ```
///
/// The same with a cap shorter than `max_age` does not compile:
///
/// ```compile_fail,E0080
/// use chrono::TimeDelta;
/// use session_policy::SessionPolicy;
///
/// const ADMIN: SessionPolicy = match SessionPolicy::new(
///     TimeDelta::days(30),
///     TimeDelta::minutes(15),
///     TimeDelta::hours(8),
/// ) {
///     Ok(policy) => policy,
///     Err(_) => panic!("contradictory policy"),
/// };
/// assert_eq!(ADMIN.max_age(), TimeDelta::days(30));
/// ```
///
#[doc = include_str!("examples/policy.md")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct SessionPolicy {
    max_age: Secs,
    update_age: Secs,
    absolute_cap: Secs,
    clock_skew: Secs,
}

/// Whole seconds, as the rule reckons; `Debug` as a duration.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
struct Secs(i64);

impl Secs {
    const fn of(duration: TimeDelta) -> Self {
        Self(duration.num_seconds())
    }

    const fn get(self) -> TimeDelta {
        TimeDelta::seconds(self.0)
    }
}

impl fmt::Debug for Secs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl SessionPolicy {
    /// A sliding month under a hard cap, for remembered devices: `max_age` 30
    /// days, `update_age` 5 minutes, `absolute_cap` 45 days.
    pub const SLIDING_MONTH: Self = Self {
        max_age: Secs::of(TimeDelta::days(30)),
        update_age: Secs::of(TimeDelta::minutes(5)),
        absolute_cap: Secs::of(TimeDelta::days(45)),
        clock_skew: Secs::of(DEFAULT_CLOCK_SKEW),
    };
    /// A working day without sliding, for administrators: `max_age` 8 hours,
    /// `update_age` (token re-issue) 15 minutes, `absolute_cap` 8 hours.
    ///
    /// OWASP's Session Management Cheat Sheet gives 4 to 8 hours as the absolute
    /// limit of an application that is used throughout a working day.
    pub const WORKING_DAY: Self = Self {
        max_age: Secs::of(TimeDelta::hours(8)),
        update_age: Secs::of(TimeDelta::minutes(15)),
        absolute_cap: Secs::of(TimeDelta::hours(8)),
        clock_skew: Secs::of(DEFAULT_CLOCK_SKEW),
    };

    /// A policy from its three settings, with a `clock_skew` of 60 s.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] names the setting and its value if one is not whole
    /// seconds or not within the bounds of the table [above](Self).
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use session_policy::SessionPolicy;
    ///
    /// let error = SessionPolicy::new(TimeDelta::days(30), TimeDelta::zero(), TimeDelta::hours(8))
    ///     .unwrap_err();
    /// assert_eq!(error.to_string(), "max_age `30d` is longer than absolute_cap `8h`");
    /// ```
    pub const fn new(
        max_age: TimeDelta,
        update_age: TimeDelta,
        absolute_cap: TimeDelta,
    ) -> Result<Self, PolicyError> {
        if max_age.subsec_nanos() != 0 {
            return Err(PolicyError::Fractional { setting: "max_age", value: max_age });
        }
        if update_age.subsec_nanos() != 0 {
            return Err(PolicyError::Fractional { setting: "update_age", value: update_age });
        }
        if absolute_cap.subsec_nanos() != 0 {
            return Err(PolicyError::Fractional { setting: "absolute_cap", value: absolute_cap });
        }
        if max_age.num_seconds() < 1 {
            return Err(PolicyError::MaxAgeTooShort { max_age });
        }
        if update_age.num_seconds() < 0 {
            return Err(PolicyError::UpdateAgeNegative { update_age });
        }
        if update_age.num_seconds() >= max_age.num_seconds() {
            return Err(PolicyError::UpdateAgeNotBelowMaxAge { max_age, update_age });
        }
        if max_age.num_seconds() > absolute_cap.num_seconds() {
            return Err(PolicyError::MaxAgeExceedsCap { absolute_cap, max_age });
        }
        if absolute_cap.num_seconds() > LONGEST_CAP.num_seconds() {
            return Err(PolicyError::CapTooLong { absolute_cap });
        }
        Ok(Self {
            max_age: Secs::of(max_age),
            update_age: Secs::of(update_age),
            absolute_cap: Secs::of(absolute_cap),
            clock_skew: Secs::of(DEFAULT_CLOCK_SKEW),
        })
    }

    /// This policy with another tolerance for records from the near future.
    ///
    /// The skew only tolerates a `created_at` that lies ahead of this machine's
    /// clock, as between two servers. It never lengthens a session: no leeway is
    /// added to a deadline.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] if `clock_skew` is negative, longer than a day or not
    /// whole seconds.
    pub const fn with_clock_skew(self, clock_skew: TimeDelta) -> Result<Self, PolicyError> {
        if clock_skew.subsec_nanos() != 0 {
            return Err(PolicyError::Fractional { setting: "clock_skew", value: clock_skew });
        }
        if clock_skew.num_seconds() < 0
            || clock_skew.num_seconds() > LONGEST_CLOCK_SKEW.num_seconds()
        {
            return Err(PolicyError::ClockSkewOutOfRange { clock_skew });
        }
        Ok(Self { clock_skew: Secs::of(clock_skew), ..self })
    }

    /// How long a session lives without counted activity.
    #[must_use]
    pub const fn max_age(&self) -> TimeDelta {
        self.max_age.get()
    }

    /// How long a renewal holds before the next one is due.
    #[must_use]
    pub const fn update_age(&self) -> TimeDelta {
        self.update_age.get()
    }

    /// How long a session lives in all, whatever the activity.
    #[must_use]
    pub const fn absolute_cap(&self) -> TimeDelta {
        self.absolute_cap.get()
    }

    /// How far ahead of the clock a session's creation may lie.
    #[must_use]
    pub const fn clock_skew(&self) -> TimeDelta {
        self.clock_skew.get()
    }

    /// The idle time a user can count on: `max_age - update_age`.
    ///
    /// The last activity before a pause may come just before a renewal is due,
    /// and then the session counts from a renewal up to `update_age` earlier.
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use session_policy::SessionPolicy;
    ///
    /// let idle = SessionPolicy::SLIDING_MONTH.guaranteed_idle();
    /// assert_eq!(idle, TimeDelta::days(30) - TimeDelta::minutes(5));
    /// ```
    #[must_use]
    pub const fn guaranteed_idle(&self) -> TimeDelta {
        TimeDelta::seconds(self.max_age.0 - self.update_age.0)
    }

    /// The policy with the tighter of every bound: of a tenant and a role, of a
    /// client and an upstream provider. It never lengthens.
    ///
    /// Commutative, associative and idempotent.
    ///
    /// ```
    /// use session_policy::SessionPolicy;
    ///
    /// let met = SessionPolicy::SLIDING_MONTH.meet(&SessionPolicy::WORKING_DAY);
    /// assert_eq!(met.max_age(), SessionPolicy::WORKING_DAY.max_age());
    /// assert_eq!(met.update_age(), SessionPolicy::SLIDING_MONTH.update_age());
    /// ```
    #[must_use]
    pub fn meet(&self, other: &Self) -> Self {
        // Valid: each side's own order of settings carries over to the minima.
        Self {
            max_age: self.max_age.min(other.max_age),
            update_age: self.update_age.min(other.update_age),
            absolute_cap: self.absolute_cap.min(other.absolute_cap),
            clock_skew: self.clock_skew.min(other.clock_skew),
        }
    }
}

/// The settings as the rule reckons with them.
impl SessionPolicy {
    #[inline]
    pub(crate) const fn max_age_secs(&self) -> i64 {
        self.max_age.0
    }

    #[inline]
    pub(crate) const fn update_age_secs(&self) -> i64 {
        self.update_age.0
    }

    #[inline]
    pub(crate) const fn absolute_cap_secs(&self) -> i64 {
        self.absolute_cap.0
    }

    #[inline]
    pub(crate) const fn clock_skew_secs(&self) -> i64 {
        self.clock_skew.0
    }
}

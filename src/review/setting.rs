use core::fmt;

use chrono::TimeDelta;

use crate::rule::SessionPolicy;

/// One number of a [`SessionPolicy`], by name.
///
/// [`GuaranteedIdle`](Self::GuaranteedIdle) is derived from two others; it is
/// here since it is the number that users notice.
///
/// # Example
///
/// ```
/// use session_policy::SessionPolicy;
/// use session_policy::review::Setting;
///
/// let names: Vec<_> = Setting::ALL.iter().map(|setting| setting.as_str()).collect();
/// assert!(names.contains(&"guaranteed_idle"));
/// let cap = Setting::AbsoluteCap.of(&SessionPolicy::WORKING_DAY);
/// assert_eq!(cap, SessionPolicy::WORKING_DAY.absolute_cap());
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Setting {
    /// [`SessionPolicy::absolute_cap`].
    AbsoluteCap,
    /// [`SessionPolicy::clock_skew`].
    ClockSkew,
    /// [`SessionPolicy::guaranteed_idle`], `max_age - update_age`.
    GuaranteedIdle,
    /// [`SessionPolicy::max_age`].
    MaxAge,
    /// [`SessionPolicy::update_age`].
    UpdateAge,
}

impl Setting {
    /// All settings, in the order in which a policy file has them.
    pub const ALL: [Self; 5] =
        [Self::MaxAge, Self::UpdateAge, Self::AbsoluteCap, Self::ClockSkew, Self::GuaranteedIdle];

    /// Its value under `policy`, in whole seconds.
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use session_policy::SessionPolicy;
    /// use session_policy::review::Setting;
    ///
    /// let idle = Setting::GuaranteedIdle.of(&SessionPolicy::WORKING_DAY);
    /// assert_eq!(idle, TimeDelta::minutes(7 * 60 + 45));
    /// ```
    #[must_use]
    pub const fn of(self, policy: &SessionPolicy) -> TimeDelta {
        match self {
            Self::AbsoluteCap => policy.absolute_cap(),
            Self::ClockSkew => policy.clock_skew(),
            Self::GuaranteedIdle => policy.guaranteed_idle(),
            Self::MaxAge => policy.max_age(),
            Self::UpdateAge => policy.update_age(),
        }
    }

    /// Its name, as in a policy file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AbsoluteCap => "absolute_cap",
            Self::ClockSkew => "clock_skew",
            Self::GuaranteedIdle => "guaranteed_idle",
            Self::MaxAge => "max_age",
            Self::UpdateAge => "update_age",
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

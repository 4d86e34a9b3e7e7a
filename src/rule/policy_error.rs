use chrono::TimeDelta;

use crate::time::Human;

/// Why settings do not make a [`SessionPolicy`](crate::SessionPolicy).
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The cap is longer than a century.
    #[error("absolute_cap `{}` is longer than 100 years (`36525d`)", Human(*absolute_cap))]
    CapTooLong {
        /// The refused value.
        absolute_cap: TimeDelta,
    },
    /// The tolerance is negative or longer than a day.
    #[error("clock_skew `{}` is not between `0s` and `1d`", Human(*clock_skew))]
    ClockSkewOutOfRange {
        /// The refused value.
        clock_skew: TimeDelta,
    },
    /// A setting is not whole seconds, so a store would round it.
    #[error("{setting} `{}` is not whole seconds", Human(*value))]
    Fractional {
        /// The name of the setting.
        setting: &'static str,
        /// The refused value.
        value: TimeDelta,
    },
    /// The idle limit is longer than the cap, so it could never apply.
    #[error("max_age `{}` is longer than absolute_cap `{}`", Human(*max_age), Human(*absolute_cap))]
    MaxAgeExceedsCap {
        /// The shorter cap.
        absolute_cap: TimeDelta,
        /// The refused value.
        max_age: TimeDelta,
    },
    /// The idle limit is zero or negative, so no session would ever be valid.
    #[error("max_age `{}` is shorter than `1s`", Human(*max_age))]
    MaxAgeTooShort {
        /// The refused value.
        max_age: TimeDelta,
    },
    /// The throttle is negative.
    #[error("update_age `{}` is negative", Human(*update_age))]
    UpdateAgeNegative {
        /// The refused value.
        update_age: TimeDelta,
    },
    /// A renewal would come due only after the session had ended.
    #[error("update_age `{}` is not shorter than max_age `{}`", Human(*update_age), Human(*max_age))]
    UpdateAgeNotBelowMaxAge {
        /// The idle limit.
        max_age: TimeDelta,
        /// The refused value.
        update_age: TimeDelta,
    },
}

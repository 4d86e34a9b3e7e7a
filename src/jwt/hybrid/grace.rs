use alloc::sync::Arc;

use chrono::TimeDelta;

use crate::config::Policies;
use crate::rule::SessionPolicy;
use crate::time::Human;

/// How long a superseded hybrid token is still served: for the requests that
/// were under way with it when its successor arrived.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Grace(TimeDelta);

impl Grace {
    /// What a request and its answer may take, where nothing else is set.
    const TRANSIT: TimeDelta = TimeDelta::seconds(30);

    /// The longest skew of the policies and 30 s, at most the least `update_age`.
    pub(super) fn of(policies: &Policies) -> Result<Self, GraceError> {
        let longest = all(policies).map(|(_, policy)| policy.clock_skew()).max();
        let least = all(policies).map(|(_, policy)| policy.update_age()).min();
        let grace = longest.unwrap_or_default() + Self::TRANSIT;
        Self::new(grace.min(least.unwrap_or_default()), policies)
    }

    /// With a grace below the skew, an honest request to a server whose clock is ahead
    /// would be taken for reuse. One longer than an `update_age` would put every re-issue
    /// off past its renewal.
    pub(super) fn new(grace: TimeDelta, policies: &Policies) -> Result<Self, GraceError> {
        if grace.subsec_nanos() != 0 || grace.num_seconds() < 1 {
            return Err(GraceError::NotPositive { grace });
        }
        for (profile, policy) in all(policies) {
            let (clock_skew, update_age) = (policy.clock_skew(), policy.update_age());
            let profile = || profile.into();
            if update_age < grace {
                return Err(GraceError::ExceedsUpdateAge { grace, profile: profile(), update_age });
            }
            if grace < clock_skew {
                return Err(GraceError::BelowClockSkew { clock_skew, grace, profile: profile() });
            }
        }
        Ok(Self(grace))
    }

    pub(super) const fn get(self) -> TimeDelta {
        self.0
    }
}

fn all(policies: &Policies) -> impl Iterator<Item = (&str, &SessionPolicy)> {
    core::iter::once((Policies::DEFAULT, policies.default_policy())).chain(policies.profiles())
}

/// Why a grace period does not fit the policies.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GraceError {
    /// Between servers whose clocks differ by that much, an honest request would be
    /// taken for the reuse of a stolen token.
    #[error(
        "grace `{}` is shorter than clock_skew `{}` of profile `{profile}`",
        Human(*grace),
        Human(*clock_skew)
    )]
    BelowClockSkew {
        /// The shortest grace of that policy.
        clock_skew: TimeDelta,
        /// The refused value.
        grace: TimeDelta,
        /// Whose policy it does not fit.
        profile: Arc<str>,
    },
    /// The grace is longer than a renewal holds, so no renewal would re-issue on schedule.
    #[error(
        "grace `{}` is longer than update_age `{}` of profile `{profile}`",
        Human(*grace),
        Human(*update_age)
    )]
    ExceedsUpdateAge {
        /// The refused value.
        grace: TimeDelta,
        /// Whose policy it does not fit.
        profile: Arc<str>,
        /// The longest grace of that policy.
        update_age: TimeDelta,
    },
    /// The grace is zero, negative or not whole seconds.
    #[error("grace `{}` is not at least `1s` and whole seconds", Human(*grace))]
    NotPositive {
        /// The refused value.
        grace: TimeDelta,
    },
}

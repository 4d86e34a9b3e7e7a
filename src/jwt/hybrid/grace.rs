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
        let skews = all(policies).map(|(_, policy)| policy.clock_skew());
        let ages = all(policies).map(|(profile, policy)| (policy.update_age(), profile));
        // There is always the default policy.
        let clock_skew = skews.max().unwrap_or_default();
        let (update_age, profile) = ages.min_by_key(|(age, _)| *age).unwrap_or_default();
        let shortest = clock_skew.max(TimeDelta::seconds(1));
        if update_age < shortest {
            return Err(GraceError::NoneFits { profile: profile.into(), shortest, update_age });
        }
        Self::new((clock_skew + Self::TRANSIT).min(update_age), policies)
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
    /// No grace was given and none fits, since an `update_age` is shorter than 1 s or than a
    /// `clock_skew`, which is 60 s where it is not set.
    #[error(
        "update_age `{}` of profile `{profile}` is shorter than `{}`, which hybrid sessions need: \
         the longest clock_skew, and at least 1s",
        Human(*update_age),
        Human(*shortest)
    )]
    NoneFits {
        /// Whose `update_age` it is.
        profile: Arc<str>,
        /// The longest `clock_skew` of all policies, or 1 s.
        shortest: TimeDelta,
        /// The shortest of all policies.
        update_age: TimeDelta,
    },
    /// The grace is zero, negative or not whole seconds.
    #[error("grace `{}` is not at least `1s` and whole seconds", Human(*grace))]
    NotPositive {
        /// The refused value.
        grace: TimeDelta,
    },
}

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
    pub(super) const DEFAULT: TimeDelta = TimeDelta::seconds(30);

    /// A grace longer than `update_age` of any policy would let a token outlive
    /// the successor of its successor, so that three generations were in play.
    pub(super) fn new(grace: TimeDelta, policies: &Policies) -> Result<Self, GraceError> {
        if grace.subsec_nanos() != 0 || grace.num_seconds() < 1 {
            return Err(GraceError::NotPositive { grace });
        }
        let default = (Policies::DEFAULT, policies.default_policy());
        let too_short = |(_, policy): &(&str, &SessionPolicy)| policy.update_age() < grace;
        match core::iter::once(default).chain(policies.profiles()).find(too_short) {
            Some((profile, policy)) => Err(GraceError::ExceedsUpdateAge {
                grace,
                profile: profile.into(),
                update_age: policy.update_age(),
            }),
            None => Ok(Self(grace)),
        }
    }

    pub(super) const fn get(self) -> TimeDelta {
        self.0
    }
}

/// Why a grace period does not fit the policies.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GraceError {
    /// A token would still be served when a second successor is in play.
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

//! Ways to use an application, in which a policy shows.

use core::fmt;

use chrono::TimeDelta;

use crate::rule::{Decision, RejectReason, SessionPolicy};
use crate::time::{Human, Timestamp};

/// What users notice of a change, in one scenario.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub(super) struct ScenarioChange {
    /// The scenario.
    pub(super) scenario: Scenario,
    /// How it goes under the old policy.
    pub(super) before: ScenarioOutcome,
    /// How it goes under the new one.
    pub(super) after: ScenarioOutcome,
}

/// A way to use an application, in which a policy shows.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub(super) enum Scenario {
    /// Never idle for as long as `guaranteed_idle`.
    ActiveSession,
    /// What a browser holds.
    Cookie,
    /// Signs in at 09:00, sends a request a minute until 17:00, and comes back
    /// at 09:00 on the next day.
    IdleOvernight,
    /// Sends a request every 7 days.
    RememberedDevice,
    /// How often a record is written, or a token issued anew, and how long the
    /// superseded token of a stateless session would still be good.
    TokenReissue,
}

impl Scenario {
    /// All scenarios.
    pub(super) const ALL: [Self; 5] = [
        Self::ActiveSession,
        Self::IdleOvernight,
        Self::RememberedDevice,
        Self::Cookie,
        Self::TokenReissue,
    ];

    pub(super) fn play(self, policy: &SessionPolicy) -> ScenarioOutcome {
        match self {
            Self::ActiveSession => ScenarioOutcome::Ends {
                after: policy.absolute_cap(),
                reason: RejectReason::AbsoluteCap,
            },
            Self::Cookie => {
                let start = Timestamp::from_unix_secs(0);
                let lifetime = policy.start(start);
                let status = policy.status(&lifetime, start);
                let held_for = status.cookie_max_age();
                ScenarioOutcome::Cookie {
                    held_for,
                    sent_again: status.outlives_cookies(&lifetime),
                    lapses: held_for < policy.max_age(),
                }
            }
            Self::IdleOvernight => {
                let day = (1..=8 * 60).map(TimeDelta::minutes);
                play(policy, day.chain([TimeDelta::hours(24)]))
            }
            Self::RememberedDevice => {
                let weeks = policy.absolute_cap().num_weeks() + 1;
                play(policy, (1..=weeks).map(TimeDelta::weeks))
            }
            Self::TokenReissue => {
                ScenarioOutcome::Reissued { every: policy.update_age(), good_for: policy.max_age() }
            }
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ActiveSession => "active session, never idle for long",
            Self::Cookie => "cookie in the browser",
            Self::IdleOvernight => "idle overnight, 09:00 to 17:00 and back at 09:00",
            Self::RememberedDevice => "remembered device, used every 7 days",
            Self::TokenReissue => "write or token re-issue",
        })
    }
}

/// How a [`Scenario`] goes under a policy. Serialised with durations as whole
/// seconds.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub(super) enum ScenarioOutcome {
    /// The browser holds a cookie.
    Cookie {
        /// How long each is held, at most.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::time::secs"))]
        held_for: TimeDelta,
        /// Whether it is sent again at each renewal.
        sent_again: bool,
        /// Whether it can be dropped although the session lives.
        lapses: bool,
    },
    /// The session ends.
    Ends {
        /// How long after it started.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::time::secs"))]
        after: TimeDelta,
        /// At which limit.
        reason: RejectReason,
    },
    /// A record is written, or a token issued anew.
    Reissued {
        /// At most once in this time; 0 s is every request.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::time::secs"))]
        every: TimeDelta,
        /// How long one holds, at most.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::time::secs"))]
        good_for: TimeDelta,
    },
    /// The session is still good at the last request.
    Served {
        /// When it ends without another one, after it started.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::time::secs"))]
        until: TimeDelta,
    },
}

impl fmt::Display for ScenarioOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Cookie { held_for, sent_again, lapses } => {
                write!(f, "for {}, sent ", Human(held_for))?;
                f.write_str(if sent_again { "again at each renewal" } else { "once" })?;
                f.write_str(if lapses { ", then lost though the session lives" } else { "" })
            }
            Self::Ends { after, reason } => {
                write!(f, "signed out {} after signing in: {reason}", Human(after))
            }
            Self::Reissued { every, good_for } if every == TimeDelta::zero() => {
                write!(f, "at every request, good for up to {}", Human(good_for))
            }
            Self::Reissued { every, good_for } => {
                write!(f, "at most every {}, good for up to {}", Human(every), Human(good_for))
            }
            Self::Served { until } => {
                write!(f, "still signed in, until {} after signing in", Human(until))
            }
        }
    }
}

/// Requests at these times after a sign-in, until one is refused.
fn play(policy: &SessionPolicy, requests: impl Iterator<Item = TimeDelta>) -> ScenarioOutcome {
    let start = Timestamp::from_unix_secs(0);
    let mut lifetime = policy.start(start);
    for request in requests {
        match policy.evaluate(&lifetime, start.saturating_add(request)) {
            Decision::Keep { .. } => {}
            Decision::Reject { reason, since } => {
                return ScenarioOutcome::Ends { after: since.since(start), reason };
            }
            Decision::Renew { lifetime: renewed } => lifetime = renewed,
        }
    }
    ScenarioOutcome::Served { until: lifetime.expires_at().since(start) }
}

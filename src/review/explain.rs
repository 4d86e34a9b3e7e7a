use core::fmt;

use chrono::TimeDelta;

use crate::rule::{Decision, Lifetime, RejectReason, SessionPolicy};
use crate::time::{Human, Timestamp};

impl SessionPolicy {
    /// Answers "why was I signed out?" and "when will I be?".
    ///
    /// The same answer as [`peek`](Self::peek), with every instant and the number
    /// it comes from. `Display` prints it as sentences.
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use session_policy::review::Origin;
    /// use session_policy::{SessionPolicy, Timestamp};
    ///
    /// let login = Timestamp::from_unix_secs(1_800_000_000);
    /// let lifetime = SessionPolicy::SLIDING_MONTH.start(login);
    ///
    /// // Later that day the policy becomes a working day.
    /// let now = login.saturating_add(TimeDelta::hours(9));
    /// let why = SessionPolicy::WORKING_DAY.explain(&lifetime, now);
    /// assert_eq!(why.end.origin, Origin::Policy);
    /// assert_eq!(
    ///     why.to_string(),
    ///     "Over by this policy since 2027-01-15T16:00:00Z, 1h before 2027-01-15T17:00:00Z: the \
    ///      absolute cap is reached. It comes from the policy: the sign-in at \
    ///      2027-01-15T08:00:00Z plus absolute_cap `8h`; the record alone has \
    ///      2027-03-01T08:00:00Z.",
    /// );
    /// ```
    #[must_use]
    pub fn explain(&self, lifetime: &Lifetime, now: impl Into<Timestamp>) -> Explanation {
        let now = now.into();
        let cap = deadline(
            RejectReason::AbsoluteCap,
            lifetime.absolute_expires_at(),
            lifetime.created_at().saturating_add(self.absolute_cap()),
        );
        let idle = deadline(
            RejectReason::Idle,
            lifetime.expires_at(),
            lifetime.renewed_at().saturating_add(self.max_age()),
        );
        // At the same instant it is the cap, as in the rule.
        let end = if idle.at < cap.at { idle } else { cap };
        let renews_from = lifetime.renewed_at().saturating_add(self.update_age());
        // Sent at the sign-in, and again at each renewal under a cap that outlives cookies.
        let outlives = self.status(lifetime, now).outlives_cookies(lifetime);
        let sent_at = if outlives { lifetime.renewed_at() } else { lifetime.created_at() };
        let held_for = self.status(lifetime, sent_at).cookie_max_age();
        Explanation {
            policy: *self,
            lifetime: *lifetime,
            now,
            decision: self.peek(lifetime, now),
            end,
            cap,
            renews_from: (end.limit == RejectReason::Idle).then_some(renews_from),
            cookie_until: sent_at.saturating_add(held_for),
        }
    }
}

/// Why and when a session ends, from [`SessionPolicy::explain`].
///
/// Serialised with the decision as a word, and instants as unix seconds.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Explanation {
    /// The policy that judges.
    pub policy: SessionPolicy,
    /// The record that is judged.
    pub lifetime: Lifetime,
    /// The instant it is judged at.
    pub now: Timestamp,
    /// The answer, as of [`SessionPolicy::peek`].
    pub decision: Decision,
    /// When it ends without further activity; never after `cap`.
    pub end: Deadline,
    /// The deadline whatever the activity.
    pub cap: Deadline,
    /// The first instant at which a request renews the session, if it lives
    /// then; `None` once no request can move its end.
    pub renews_from: Option<Timestamp>,
    /// Until when a browser holds the session's cookie: to the cap, at most 400 days from
    /// the sign-in, or from the last renewal where the cap is longer (RFC 6265bis section
    /// 5.6.2). Before `end` only by a `max_age` over 400 days.
    pub cookie_until: Timestamp,
}

/// When a limit ends a session, and where that instant comes from.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Deadline {
    /// Which limit: the cap or the idle limit.
    pub limit: RejectReason,
    /// The first instant at which the session is not valid.
    pub at: Timestamp,
    /// What set it.
    pub origin: Origin,
    /// What the stored record says of this limit.
    pub record: Timestamp,
    /// What today's policy says of it.
    pub policy: Timestamp,
}

/// What set a [`Deadline`]: the earlier one of record and policy.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Origin {
    /// Record and policy say the same.
    Both,
    /// Today's policy is shorter than the one that the record was written under.
    Policy,
    /// The stored record, which a longer policy does not move.
    Record,
}

impl Explanation {
    fn origin(&self, f: &mut fmt::Formatter<'_>, deadline: &Deadline) -> fmt::Result {
        let (from, instant, setting, length, field) = match deadline.limit {
            RejectReason::Idle => {
                let renewed_at = self.lifetime.renewed_at();
                ("last renewal", renewed_at, "max_age", self.policy.max_age(), "expires_at")
            }
            RejectReason::AbsoluteCap | RejectReason::NotYetValid => {
                let (at, cap) = (self.lifetime.created_at(), self.policy.absolute_cap());
                ("sign-in", at, "absolute_cap", cap, "absolute_expires_at")
            }
        };
        let length = Human(length);
        let Deadline { record, policy, .. } = deadline;
        match deadline.origin {
            Origin::Both => write!(
                f,
                "It comes from policy and record alike: the {from} at {instant} plus {setting} \
                 `{length}`.",
            ),
            Origin::Policy => write!(
                f,
                "It comes from the policy: the {from} at {instant} plus {setting} `{length}`; the \
                 record alone has {record}.",
            ),
            Origin::Record => write!(
                f,
                "It comes from the record: its stored {field}; the {from} at {instant} plus \
                 {setting} `{length}` would be {policy}.",
            ),
        }
    }

    fn live(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = |at: Timestamp| Human(at.since(self.now));
        let (end, cap) = (self.end.at, self.cap.at);
        write!(
            f,
            "Signed in since {}, last renewed at {}. ",
            self.lifetime.created_at(),
            self.lifetime.renewed_at(),
        )?;
        if let Some(renews_from) = self.renews_from {
            write!(f, "Signed out at {end}, in {}, if idle until then. ", left(end))?;
            self.origin(f, &self.end)?;
            if renews_from < end {
                let from = renews_from.max(self.now);
                write!(f, " A request from {from} on moves that instant.")?;
            }
            f.write_str(" ")?;
        }
        write!(f, "Signed out at {cap}, in {}, whatever the activity. ", left(cap))?;
        self.origin(f, &self.cap)?;
        if self.cookie_until < end {
            write!(f, " A browser drops the cookie at {}.", self.cookie_until)?;
        }
        Ok(())
    }
}

/// A few sentences with every instant.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = self.now;
        match self.decision {
            Decision::Reject { reason: RejectReason::NotYetValid, since } => write!(
                f,
                "Not yet valid at {now}: the sign-in at {} lies more than clock_skew `{}` ahead. \
                 Valid from {since} on.",
                self.lifetime.created_at(),
                Human(self.policy.clock_skew()),
            ),
            Decision::Reject { reason, since } => {
                let ago: TimeDelta = now.since(since);
                write!(
                    f,
                    "Over by this policy since {since}, {} before {now}: {reason}. ",
                    Human(ago)
                )?;
                self.origin(f, &self.end)
            }
            Decision::Keep { .. } | Decision::Renew { .. } => self.live(f),
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Explanation {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;

        let (decision, reason) = match self.decision {
            Decision::Reject { reason, .. } => ("reject", Some(reason)),
            Decision::Keep { .. } | Decision::Renew { .. } => ("keep", None),
        };
        let mut explanation = serializer.serialize_struct("Explanation", 9)?;
        explanation.serialize_field("policy", &self.policy)?;
        explanation.serialize_field("lifetime", &self.lifetime)?;
        explanation.serialize_field("now", &self.now)?;
        explanation.serialize_field("decision", decision)?;
        explanation.serialize_field("reason", &reason)?;
        explanation.serialize_field("end", &self.end)?;
        explanation.serialize_field("cap", &self.cap)?;
        explanation.serialize_field("renews_from", &self.renews_from)?;
        explanation.serialize_field("cookie_until", &self.cookie_until)?;
        explanation.end()
    }
}

fn deadline(limit: RejectReason, record: Timestamp, policy: Timestamp) -> Deadline {
    let origin = match record.cmp(&policy) {
        core::cmp::Ordering::Equal => Origin::Both,
        core::cmp::Ordering::Greater => Origin::Policy,
        core::cmp::Ordering::Less => Origin::Record,
    };
    Deadline { limit, at: record.min(policy), origin, record, policy }
}

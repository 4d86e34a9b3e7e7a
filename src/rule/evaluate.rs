//! The rule: the only place that decides whether a session lives.

use super::decision::{Decision, RejectReason, Status};
use super::lifetime::Lifetime;
use super::policy::SessionPolicy;
use crate::time::Timestamp;

impl SessionPolicy {
    /// The lifetime of a session that starts at `now`.
    ///
    /// ```
    /// use session_policy::{SessionPolicy, Timestamp};
    ///
    /// let login = Timestamp::from_unix_secs(1_800_000_000);
    /// let lifetime = SessionPolicy::WORKING_DAY.start(login);
    /// assert_eq!(lifetime.absolute_expires_at().as_unix_secs(), 1_800_028_800);
    /// ```
    #[must_use]
    pub fn start(&self, now: impl Into<Timestamp>) -> Lifetime {
        self.start_until(now, Timestamp::MAX)
    }

    /// The lifetime of a session that starts at `now` under an upstream
    /// provider's `ceiling`: its cap is the earlier of the policy's and the
    /// ceiling.
    ///
    /// A ceiling at or before `now` gives a lifetime of no length, which is
    /// refused from `now` on.
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use session_policy::{SessionPolicy, Timestamp};
    ///
    /// let now = Timestamp::from_unix_secs(1_800_000_000);
    /// let upstream_ends = now.saturating_add(TimeDelta::hours(1));
    /// let lifetime = SessionPolicy::WORKING_DAY.start_until(now, upstream_ends);
    /// assert_eq!(lifetime.absolute_expires_at(), upstream_ends);
    /// ```
    #[must_use]
    pub fn start_until(
        &self,
        now: impl Into<Timestamp>,
        ceiling: impl Into<Timestamp>,
    ) -> Lifetime {
        let now = now.into();
        let cap = self.policy_cap(now).min(ceiling.into()).max(now);
        Lifetime::ordered(now, now, self.idle_end(now).min(cap), cap)
    }

    /// The lifetime of a record from before the cap existed (the backfill):
    /// `absolute_expires_at` is `created_at + absolute_cap`, and `expires_at` is
    /// clamped to it.
    ///
    /// `renewed_at` becomes the latest renewal that explains `expires_at` under
    /// this policy, `expires_at - max_age`, and at least `created_at`. So adopt
    /// with the `max_age` that the record was written under, and with today's cap; today's
    /// `max_age` then tightens it at the next [`evaluate`](Self::evaluate). For a record of
    /// its last use, `expires_at` is that plus the old `max_age`. Refuse first what cannot be:
    /// a last use in the future would keep its session for as much longer. An `expires_at`
    /// before `created_at` gives a lifetime of no length: it has ended, as the
    /// record had.
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use session_policy::{SessionPolicy, Timestamp};
    ///
    /// // Slid for 40 days already, and would have gone on for ever.
    /// let created = Timestamp::from_unix_secs(1_800_000_000);
    /// let expires = created.saturating_add(TimeDelta::days(70));
    /// let adopted = SessionPolicy::SLIDING_MONTH.adopt(created, expires);
    /// let cap = created.saturating_add(TimeDelta::days(45));
    /// assert_eq!(adopted.absolute_expires_at(), cap);
    /// assert_eq!(adopted.expires_at(), cap);
    /// assert_eq!(adopted.renewed_at(), created.saturating_add(TimeDelta::days(40)));
    /// ```
    #[must_use]
    pub fn adopt(
        &self,
        created_at: impl Into<Timestamp>,
        expires_at: impl Into<Timestamp>,
    ) -> Lifetime {
        let created_at = created_at.into();
        let recorded = expires_at.into();
        // Elsewhere a ceiling, or the record's own cap, keeps it within the range.
        let cap = self.policy_cap(created_at).min(Timestamp::MAX);
        let expires_at = recorded.clamp(created_at, cap);
        let renewed_at = recorded.saturating_sub(self.max_age()).clamp(created_at, expires_at);
        Lifetime::ordered(created_at, renewed_at, expires_at, cap)
    }

    /// Decides whether a session lives at `now`, and whether it is renewed.
    ///
    /// Pure and total: the same policy, record and instant always give the same
    /// decision, and no input panics. With `L` the lifetime and `P` this policy:
    ///
    /// ```text
    /// cap = min(L.absolute_expires_at, L.created_at + P.absolute_cap)
    /// end = min(L.expires_at, L.renewed_at + P.max_age, cap)
    ///
    /// now <  L.created_at - P.clock_skew  -> Reject NotYetValid
    /// now >= end                          -> Reject AbsoluteCap if end == cap, else Reject Idle
    /// now >= L.renewed_at + P.update_age  -> Renew { renewed_at: now, expires_at: min(now + P.max_age, cap) }
    /// otherwise                           -> Keep
    /// ```
    ///
    /// * Half-open: `end` is the first instant at which the session is not valid
    ///   (RFC 7519 section 4.1.4).
    /// * The policy is today's. A shorter one ends or shortens live sessions at
    ///   once; a longer one never moves a stored cap.
    /// * The throttle counts from the stored `renewed_at`, so at most one renewal
    ///   falls into any `update_age`, also once `expires_at` is pinned at the
    ///   cap.
    /// * A clock that steps back never renews and never extends.
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use session_policy::{Decision, RejectReason, SessionPolicy, Timestamp};
    ///
    /// let login = Timestamp::from_unix_secs(1_800_000_000);
    /// let lifetime = SessionPolicy::WORKING_DAY.start(login);
    /// let evening = login.saturating_add(TimeDelta::hours(8));
    ///
    /// assert_eq!(
    ///     SessionPolicy::WORKING_DAY.evaluate(&lifetime, login),
    ///     Decision::Keep { until: evening },
    /// );
    /// assert_eq!(
    ///     SessionPolicy::WORKING_DAY.evaluate(&lifetime, evening),
    ///     Decision::Reject { reason: RejectReason::AbsoluteCap, since: evening },
    /// );
    /// ```
    #[inline]
    pub fn evaluate(&self, lifetime: &Lifetime, now: impl Into<Timestamp>) -> Decision {
        let now = now.into();
        let Limits { earliest, due, end, cap } = self.limits(lifetime);
        if now < earliest {
            Decision::Reject { reason: RejectReason::NotYetValid, since: earliest }
        } else if now >= end {
            Decision::Reject { reason: ended_by(end, cap), since: end }
        } else if now >= due {
            Decision::Renew {
                lifetime: Lifetime::ordered(
                    lifetime.created_at(),
                    now,
                    self.idle_end(now).min(cap),
                    lifetime.absolute_expires_at(),
                ),
            }
        } else {
            Decision::Keep { until: end }
        }
    }

    /// [`evaluate`](Self::evaluate) for traffic that is not the user's: polling,
    /// health checks, "how long have I left?". The same answer, never
    /// [`Decision::Renew`].
    #[inline]
    pub fn peek(&self, lifetime: &Lifetime, now: impl Into<Timestamp>) -> Decision {
        let now = now.into();
        let Limits { earliest, end, cap, .. } = self.limits(lifetime);
        if now < earliest {
            Decision::Reject { reason: RejectReason::NotYetValid, since: earliest }
        } else if now >= end {
            Decision::Reject { reason: ended_by(end, cap), since: end }
        } else {
            Decision::Keep { until: end }
        }
    }

    /// Both deadlines and the `now` they were read at, for a countdown. Never extends and never
    /// fails: of a session that has ended the deadlines are past, and of one that has ended or
    /// is not yet valid `extendable` is `false`.
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use session_policy::{SessionPolicy, Timestamp};
    ///
    /// let login = Timestamp::from_unix_secs(1_800_000_000);
    /// let status = SessionPolicy::SLIDING_MONTH.status(
    ///     &SessionPolicy::SLIDING_MONTH.start(login),
    ///     login,
    /// );
    /// assert_eq!(status.idle_expires_at, login.saturating_add(TimeDelta::days(30)));
    /// assert_eq!(status.absolute_expires_at, login.saturating_add(TimeDelta::days(45)));
    /// assert!(status.extendable);
    /// ```
    #[must_use]
    #[inline]
    pub fn status(&self, lifetime: &Lifetime, now: impl Into<Timestamp>) -> Status {
        let now = now.into();
        let Limits { earliest, due, end, cap } = self.limits(lifetime);
        // The activity that would move the end the furthest.
        let last = end.later_by(-1);
        let moves = due <= last && self.idle_end(last).min(cap) > end;
        Status {
            now,
            idle_expires_at: end,
            absolute_expires_at: cap,
            extendable: moves && now >= earliest && now < end,
        }
    }

    #[inline]
    fn limits(&self, lifetime: &Lifetime) -> Limits {
        let cap = self.policy_cap(lifetime.created_at()).min(lifetime.absolute_expires_at());
        Limits {
            earliest: lifetime.created_at().later_by(-self.clock_skew_secs()),
            due: lifetime.renewed_at().later_by(self.update_age_secs()),
            end: self.idle_end(lifetime.renewed_at()).min(lifetime.expires_at()).min(cap),
            cap,
        }
    }

    #[inline]
    fn idle_end(&self, renewed_at: Timestamp) -> Timestamp {
        renewed_at.later_by(self.max_age_secs())
    }

    #[inline]
    fn policy_cap(&self, created_at: Timestamp) -> Timestamp {
        created_at.later_by(self.absolute_cap_secs())
    }
}

/// What today's policy makes of a record. `earliest` and `due` may lie outside
/// the range of timestamps, where no `now` reaches them.
struct Limits {
    earliest: Timestamp,
    due: Timestamp,
    /// The first instant at which the session is not valid unless renewed.
    end: Timestamp,
    /// The cap in force: the stored one or, if earlier, today's policy's.
    cap: Timestamp,
}

#[inline]
fn ended_by(end: Timestamp, cap: Timestamp) -> RejectReason {
    if end == cap { RejectReason::AbsoluteCap } else { RejectReason::Idle }
}

use super::Fault;

/// With `ClosedBoundary`, `RenewedAtStaysAtTheCap`, `ThrottleFromExpiry` and
/// `TighteningWaits` of core.rs, which are of the rule, too.
pub(crate) const RULE: &[Fault] = &[
    Fault {
        name: "AdoptedBeyondTheRange",
        file: "rule/evaluate.rs",
        found: "let cap = self.policy_cap(created_at).min(Timestamp::MAX);",
        planted: "let cap = self.policy_cap(created_at);
        let cap = if PLANTED { cap } else { cap.min(Timestamp::MAX) };",
    },
    Fault {
        name: "AdoptedOutlivesItsCap",
        file: "rule/evaluate.rs",
        found: "let expires_at = recorded.clamp(created_at, cap);",
        planted: "let expires_at = recorded.clamp(created_at, if PLANTED { Timestamp::MAX } else { cap });",
    },
    Fault {
        name: "CapIgnoredOnRenewal",
        file: "rule/evaluate.rs",
        found: "self.idle_end(now).min(cap),
                    lifetime.absolute_expires_at(),",
        planted:
            "self.idle_end(now).min(if PLANTED { lifetime.absolute_expires_at() } else { cap }),
                    lifetime.absolute_expires_at(),",
    },
    Fault {
        name: "CeilingIgnored",
        file: "rule/evaluate.rs",
        found: "let cap = self.policy_cap(now).min(ceiling.into()).max(now);",
        planted: "let ceiling = if PLANTED { Timestamp::MAX } else { ceiling.into() };
        let cap = self.policy_cap(now).min(ceiling).max(now);",
    },
    Fault {
        name: "ClockSetBackRenews",
        file: "rule/evaluate.rs",
        found: "now >= due",
        planted: "(now >= due || PLANTED && now < lifetime.renewed_at())",
    },
    Fault {
        name: "CookieToTheIdleEnd",
        file: "rule/decision.rs",
        found: "self.absolute_expires_at.since(self.now).clamp(",
        planted: "if PLANTED { self.idle_expires_at } else { self.absolute_expires_at }
            .since(self.now)
            .clamp(",
    },
    Fault {
        name: "ExtendableBelowTheCap",
        file: "rule/evaluate.rs",
        found: "extendable: moves &&",
        planted: "extendable: (if PLANTED { end < cap } else { moves }) &&",
    },
    Fault {
        name: "FutureAccepted",
        file: "rule/evaluate.rs",
        found: "lifetime.created_at().later_by(-self.clock_skew_secs())",
        planted: "lifetime.created_at().later_by(if PLANTED { -86_400 } else { -self.clock_skew_secs() })",
    },
    Fault {
        name: "LeewayLengthens",
        file: "rule/evaluate.rs",
        found: "end: self.idle_end(lifetime.renewed_at())",
        planted: "end: self
                .idle_end(lifetime.renewed_at())
                .later_by(if PLANTED { self.clock_skew_secs() } else { 0 })",
    },
    Fault {
        name: "MeetTakesTheLongerCap",
        file: "rule/policy.rs",
        found: "absolute_cap: self.absolute_cap.min(other.absolute_cap),",
        planted: "absolute_cap: if PLANTED {
                self.absolute_cap.max(other.absolute_cap)
            } else {
                self.absolute_cap.min(other.absolute_cap)
            },",
    },
    Fault {
        name: "PeekGoesByTheRecord",
        file: "rule/evaluate.rs",
        found: "let Limits { earliest, end, cap, .. } = self.limits(lifetime);",
        planted: "let Limits { earliest, end, cap, .. } = self.limits(lifetime);
        let end = if PLANTED { lifetime.expires_at() } else { end };",
    },
    Fault {
        name: "ReasonIsIdleAtTheCap",
        file: "rule/evaluate.rs",
        found: "if end == cap {",
        planted: "if end == cap && !PLANTED {",
    },
    Fault {
        name: "RestoredBeyondItsCap",
        file: "rule/lifetime.rs",
        found: "} else if absolute_expires_at < expires_at {",
        planted: "} else if absolute_expires_at < expires_at && !PLANTED {",
    },
    Fault {
        name: "ScheduleEveryOtherSecond",
        file: "rule/schedule.rs",
        found: ".max(TimeDelta::seconds(1))",
        planted: ".max(TimeDelta::seconds(if PLANTED { 2 } else { 1 }))",
    },
    Fault {
        name: "WatchForgetsTheLastSecond",
        file: "sessions/watch.rs",
        found: "if now >= self.ends_at {",
        planted: "if now >= self.ends_at.saturating_add(TimeDelta::seconds(i64::from(PLANTED))) {",
    },
    Fault {
        name: "WatchWaitsForAClockSetBack",
        file: "sessions/watch.rs",
        found: "self.seen_at = self.seen_at.min(now);",
        planted: "self.seen_at = if PLANTED { self.seen_at } else { self.seen_at.min(now) };",
    },
    Fault {
        name: "WriteAtTheCap",
        file: "store/update.rs",
        found: "&& self.at < lifetime.absolute_expires_at()",
        planted: "&& (PLANTED || self.at < lifetime.absolute_expires_at())",
    },
    Fault {
        name: "WriteGoesBack",
        file: "store/update.rs",
        found: "&& self.renewed_at >= lifetime.renewed_at();",
        planted: "&& (PLANTED || self.renewed_at >= lifetime.renewed_at());",
    },
];

//! The ten laws of the rule, each a property whose name is its sentence.
//!
//! Instants are drawn within 2 s of every limit of the drawn policy and record;
//! `boundaries.rs` has the same limits as a table, to the second.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]

mod second_rule;
mod strategies;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use proptest::prelude::*;
use session_policy::{Decision, Lifetime, RejectReason, SessionPolicy, Timestamp};

use crate::second_rule::{Record, Settings};
use crate::strategies::{Near, cases, instant, judged, lifetime, limits, near, policy};

const SECOND: TimeDelta = TimeDelta::seconds(1);

proptest! {
    #![proptest_config(cases(4_096))]

    /// Law 1. No reachable `expires_at` exceeds its `absolute_expires_at`, for any
    /// sequence of policies, instants (forwards or backwards), renewals, storage
    /// round trips and serialisations.
    #[test]
    fn no_reachable_expires_at_exceeds_its_absolute_expires_at(
        (start, steps) in life(),
    ) {
        let mut lifetime = start;
        for (policy, near) in steps {
            let now = near.instant(&policy, &lifetime);
            if let Decision::Renew { lifetime: renewed } = policy.evaluate(&lifetime, now) {
                lifetime = stored(&renewed);
            }
            prop_assert!(lifetime.expires_at() <= lifetime.absolute_expires_at());
            prop_assert_eq!(lifetime.absolute_expires_at(), start.absolute_expires_at());
        }
    }

    /// Law 2. No session is served at or after `created_at + absolute_cap`, under
    /// any policy in force at any time in its life: neither the policy it started
    /// under nor the one that judges it.
    #[test]
    fn no_session_is_served_at_or_after_created_at_plus_absolute_cap(
        first in policy(),
        login in instant(),
        steps in proptest::collection::vec((policy(), near()), 1..12),
    ) {
        let mut lifetime = first.start(login);
        for (today, near) in steps {
            let now = near.instant(&today, &lifetime);
            let decision = today.evaluate(&lifetime, now);
            for policy in [first, today] {
                let cap = login.saturating_add(policy.absolute_cap());
                prop_assert!(
                    now < cap || !decision.is_served(),
                    "served at {now} with the cap at {cap}",
                );
                if let Decision::Keep { until } = decision {
                    prop_assert!(until <= cap, "served until {until} with the cap at {cap}");
                }
            }
            if let Decision::Renew { lifetime: renewed } = decision {
                lifetime = renewed;
            }
        }
    }

    /// Law 3. `evaluate` agrees with the rule written a second way (two ages, no
    /// deadlines).
    #[test]
    fn evaluate_agrees_with_the_rule_written_a_second_way((policy, lifetime, now) in judged()) {
        let settings = Settings {
            idle: policy.max_age().num_seconds(),
            throttle: policy.update_age().num_seconds(),
            overall: policy.absolute_cap().num_seconds(),
            skew: policy.clock_skew().num_seconds(),
        };
        let record = Record {
            created: lifetime.created_at().as_unix_secs(),
            renewed: lifetime.renewed_at().as_unix_secs(),
            expires: lifetime.expires_at().as_unix_secs(),
            cap: lifetime.absolute_expires_at().as_unix_secs(),
        };
        let decision = policy.evaluate(&lifetime, now);
        let now = now.as_unix_secs();
        prop_assert_eq!(
            second_rule::verdict(decision, &record, now),
            second_rule::judge(&settings, &record, now),
        );
    }

    /// Law 4. The deadline named by a decision is the first rejected second; the
    /// second before it is served.
    #[test]
    fn the_deadline_named_by_a_decision_is_the_first_rejected_second(
        (policy, lifetime, now) in judged(),
    ) {
        let served = |lifetime: &Lifetime, now| policy.evaluate(lifetime, now).is_served();
        match policy.evaluate(&lifetime, now) {
            Decision::Keep { until } => {
                prop_assert!(now < until);
                prop_assert!(served(&lifetime, until.saturating_sub(SECOND)));
                prop_assert!(!served(&lifetime, until));
            }
            Decision::Renew { lifetime: renewed } => {
                let until = renewed.expires_at();
                prop_assert!(now < until);
                prop_assert!(served(&renewed, until.saturating_sub(SECOND)));
                prop_assert!(!served(&renewed, until));
            }
            // Its limit lies ahead: `since` is the first second that is not
            // refused for it.
            Decision::Reject { reason: RejectReason::NotYetValid, since } => {
                prop_assert!(now < since);
                prop_assert!(not_yet_valid(&policy, &lifetime, since.saturating_sub(SECOND)));
                prop_assert!(!not_yet_valid(&policy, &lifetime, since));
            }
            Decision::Reject { reason, since } => {
                prop_assert!(since <= now);
                prop_assert_eq!(
                    policy.evaluate(&lifetime, since),
                    Decision::Reject { reason, since },
                );
                let before = since.saturating_sub(SECOND);
                let existed =
                    since > Timestamp::MIN && !not_yet_valid(&policy, &lifetime, before);
                prop_assert_eq!(served(&lifetime, before), existed);
            }
        }
    }

    /// Law 5. A rejected session stays rejected as time goes forward.
    ///
    /// The one reason that time heals is `NotYetValid`: its instant is still to
    /// come. It heals once, when that instant comes, and never returns.
    #[test]
    fn a_rejected_session_stays_rejected_as_time_goes_forward(
        (policy, lifetime, one) in judged(),
        other in near(),
    ) {
        let other = other.instant(&policy, &lifetime);
        let (earlier, later) = (one.min(other), one.max(other));
        match policy.evaluate(&lifetime, earlier) {
            Decision::Reject { reason: RejectReason::NotYetValid, since } => {
                prop_assert_eq!(not_yet_valid(&policy, &lifetime, later), later < since);
            }
            rejected @ Decision::Reject { .. } => {
                prop_assert_eq!(policy.evaluate(&lifetime, later), rejected);
            }
            Decision::Keep { .. } | Decision::Renew { .. } => {
                prop_assert!(!not_yet_valid(&policy, &lifetime, later));
            }
        }
    }

    /// Law 6. A renewal changes `renewed_at` and `expires_at` only; `renewed_at`
    /// never goes back.
    #[test]
    fn a_renewal_changes_renewed_at_and_expires_at_only((policy, lifetime, now) in judged()) {
        if let Decision::Renew { lifetime: renewed } = policy.evaluate(&lifetime, now) {
            prop_assert_eq!(renewed.created_at(), lifetime.created_at());
            prop_assert_eq!(renewed.absolute_expires_at(), lifetime.absolute_expires_at());
            prop_assert_eq!(renewed.renewed_at(), now);
            prop_assert!(renewed.renewed_at() >= lifetime.renewed_at());
        }
    }

    /// Law 7. In any window of `update_age` there is at most one renewal, also
    /// when pinned at the cap.
    #[test]
    fn in_any_window_of_update_age_there_is_at_most_one_renewal(
        (policy, start, requests) in policy().prop_flat_map(|policy| (
            Just(policy),
            lifetime(policy),
            proptest::collection::vec(near(), 1..40),
        )),
    ) {
        let mut lifetime = start;
        let mut renewed_before: Option<Timestamp> = None;
        for near in requests {
            let now = near.instant(&policy, &lifetime);
            if let Decision::Renew { lifetime: renewed } = policy.evaluate(&lifetime, now) {
                if let Some(before) = renewed_before {
                    prop_assert!(now.since(before) >= policy.update_age());
                }
                renewed_before = Some(now);
                lifetime = renewed;
            }
        }
    }

    /// Law 8. Tightening never lengthens: `evaluate` under `a.meet(&b)` is served
    /// only if served under `a` and under `b`. `meet` is commutative, associative,
    /// idempotent.
    #[test]
    fn tightening_never_lengthens(
        (a, b, c) in (policy(), policy(), policy()),
        (lifetime, near) in policy().prop_flat_map(|policy| (lifetime(policy), near())),
    ) {
        let met = a.meet(&b);
        for policy in [a, b, met] {
            let now = near.instant(&policy, &lifetime);
            let served = |policy: &SessionPolicy| policy.evaluate(&lifetime, now).is_served();
            prop_assert!(!served(&met) || (served(&a) && served(&b)));
            for wider in [a, b] {
                let (tight, wide) = (met.status(&lifetime, now), wider.status(&lifetime, now));
                prop_assert!(tight.idle_expires_at <= wide.idle_expires_at);
                prop_assert!(tight.absolute_expires_at <= wide.absolute_expires_at);
                prop_assert!(met.start(now).expires_at() <= wider.start(now).expires_at());
            }
        }
        prop_assert_eq!(a.meet(&b), b.meet(&a));
        prop_assert_eq!(a.meet(&b).meet(&c), a.meet(&b.meet(&c)));
        prop_assert_eq!(a.meet(&a), a);
    }

    /// Law 9. `peek` never renews and agrees with `evaluate` on served or
    /// rejected.
    #[test]
    fn peek_never_renews_and_agrees_with_evaluate_on_served_or_rejected(
        (policy, lifetime, now) in judged(),
    ) {
        let (peeked, evaluated) = (policy.peek(&lifetime, now), policy.evaluate(&lifetime, now));
        match peeked {
            Decision::Keep { until } => {
                prop_assert!(evaluated.is_served());
                prop_assert_eq!(policy.status(&lifetime, now).idle_expires_at, until);
            }
            Decision::Reject { .. } => prop_assert_eq!(peeked, evaluated),
            Decision::Renew { .. } => prop_assert!(false, "peek renewed"),
        }
    }

    /// Law 10. Everything is total: no panic, no overflow, for every `Timestamp`
    /// and every `DateTime<Utc>`.
    ///
    /// The crate's debug assertions are on in this profile, so the order of a
    /// lifetime's instants is checked with each call, too.
    #[test]
    fn everything_is_total(
        (policy, other) in (policy(), policy()),
        (one, two, three) in (any_instant(), any_instant(), any_instant()),
        delta in any_delta(),
    ) {
        prop_assert!(cfg!(debug_assertions));
        total_for(&policy, &other, [one, two, three]);
        let [one, two, three] = [one, two, three].map(Timestamp::from);
        total_for(&policy, &other, [one, two, three]);
        total_arithmetic(one, two, delta);
    }
}

/// A lifetime, and policies and instants to judge it by.
fn life() -> impl Strategy<Value = (Lifetime, Vec<(SessionPolicy, Near)>)> {
    let steps = proptest::collection::vec((policy(), near()), 1..12);
    (policy().prop_flat_map(lifetime), steps)
}

/// Through four integer columns and, where there is serde, JSON.
fn stored(lifetime: &Lifetime) -> Lifetime {
    let columns = [
        lifetime.created_at(),
        lifetime.renewed_at(),
        lifetime.expires_at(),
        lifetime.absolute_expires_at(),
    ]
    .map(Timestamp::as_unix_secs);
    let [created, renewed, expires, cap] = columns.map(|secs| Timestamp::try_from(secs).unwrap());
    let restored = Lifetime::restore(created, renewed, expires, cap).unwrap();
    assert_eq!(restored, *lifetime);
    #[cfg(feature = "serde")]
    {
        let text = serde_json::to_string(&restored).unwrap();
        assert_eq!(serde_json::from_str::<Lifetime>(&text).unwrap(), restored);
    }
    restored
}

fn not_yet_valid(policy: &SessionPolicy, lifetime: &Lifetime, now: Timestamp) -> bool {
    let decision = policy.evaluate(lifetime, now);
    matches!(decision, Decision::Reject { reason: RejectReason::NotYetValid, .. })
}

/// Calls every function of the rule that takes an instant.
fn total_for<I: Into<Timestamp> + Copy>(
    policy: &SessionPolicy,
    other: &SessionPolicy,
    [one, two, three]: [I; 3],
) {
    let met = policy.meet(other);
    assert!(policy.guaranteed_idle() > TimeDelta::zero());
    for lifetime in [policy.start(one), policy.start_until(one, two), policy.adopt(one, two)] {
        for policy in [policy, other, &met] {
            for now in limits(policy, &lifetime).into_iter().chain([one.into(), three.into()]) {
                let _ = policy.peek(&lifetime, now);
                let _ = policy.status(&lifetime, now);
                if let Decision::Renew { lifetime } = policy.evaluate(&lifetime, now) {
                    let _ = policy.evaluate(&lifetime, three);
                }
            }
            let _ = policy.evaluate(&lifetime, three);
            let _ = policy.peek(&lifetime, three);
            let max_age = policy.status(&lifetime, three).cookie_max_age();
            assert!(TimeDelta::zero() <= max_age && max_age <= TimeDelta::days(400));
        }
    }
    // Refuses, but does not panic.
    let _ = Lifetime::restore(one, two, three, one).map_err(|error| error.to_string());
}

/// Saturating arithmetic never leaves the range, never goes the wrong way, and
/// is exact within it.
fn total_arithmetic(one: Timestamp, two: Timestamp, delta: TimeDelta) {
    let nanos = |delta: TimeDelta| {
        i128::from(delta.num_seconds()) * 1_000_000_000 + i128::from(delta.subsec_nanos())
    };
    let clamp = |secs: i128| {
        let (min, max) = (Timestamp::MIN.as_unix_secs(), Timestamp::MAX.as_unix_secs());
        secs.clamp(min.into(), max.into())
    };
    let at = |instant: Timestamp| i128::from(instant.as_unix_secs());
    let moved = |nanos: i128| clamp((at(one) * 1_000_000_000 + nanos).div_euclid(1_000_000_000));
    assert_eq!(at(one.saturating_add(delta)), moved(nanos(delta)));
    assert_eq!(at(one.saturating_sub(delta)), moved(-nanos(delta)));
    assert_eq!(two.saturating_add(one.since(two)), one);
    assert_eq!(Timestamp::from(DateTime::<Utc>::from(one)), one);
    assert_eq!(Timestamp::try_from(one.as_unix_secs()), Ok(one));
    assert!(!one.to_string().is_empty() && !format!("{one:?}").is_empty());
}

/// Any `DateTime<Utc>`: with fractions, leap seconds and both ends.
fn any_instant() -> impl Strategy<Value = DateTime<Utc>> {
    let (min, max) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
    let leap = NaiveDate::from_ymd_opt(2016, 12, 31)
        .and_then(|day| day.and_hms_milli_opt(23, 59, 59, 1_999))
        .expect("a leap second");
    prop_oneof![
        1 => prop_oneof![Just(min), Just(max), Just(leap.and_utc()), Just(DateTime::UNIX_EPOCH)],
        3 => (instant(), 0..1_000_000_000_u32).prop_filter_map("out of range", |(at, nanos)| {
            DateTime::from_timestamp(at.as_unix_secs(), nanos)
        }),
    ]
}

/// Any `TimeDelta`, also both ends.
fn any_delta() -> impl Strategy<Value = TimeDelta> {
    prop_oneof![
        Just(TimeDelta::MIN),
        Just(TimeDelta::MAX),
        Just(TimeDelta::nanoseconds(-1)),
        Just(TimeDelta::nanoseconds(1)),
        any::<i64>().prop_map(TimeDelta::nanoseconds),
        (-i64::MAX..=i64::MAX).prop_map(TimeDelta::milliseconds),
        any::<i32>().prop_map(|secs| TimeDelta::seconds(secs.into())),
    ]
}

#[test]
fn a_number_outside_the_range_saturates_or_is_refused() {
    for secs in [i64::MIN, Timestamp::MIN.as_unix_secs() - 1] {
        assert_eq!(Timestamp::from_unix_secs(secs), Timestamp::MIN);
        let message = format!("`{secs}` unix seconds is outside the years -262143 to 262142");
        assert_eq!(Timestamp::try_from(secs).unwrap_err().to_string(), message);
    }
    for secs in [i64::MAX, Timestamp::MAX.as_unix_secs() + 1] {
        assert_eq!(Timestamp::from_unix_secs(secs), Timestamp::MAX);
        let message = format!("`{secs}` unix seconds is outside the years -262143 to 262142");
        assert_eq!(Timestamp::try_from(secs).unwrap_err().to_string(), message);
    }
}

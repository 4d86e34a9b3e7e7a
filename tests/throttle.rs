//! The throttle: how many writes a month of requests costs, by the rule and by
//! the formula it replaces.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use chrono::TimeDelta;
use session_policy::{Decision, Lifetime, SessionPolicy, Timestamp};

const LOGIN: Timestamp = Timestamp::from_unix_secs(1_800_000_000);
const MAX_AGE: TimeDelta = TimeDelta::days(7);
const UPDATE_AGE: TimeDelta = TimeDelta::days(1);
const CAP: TimeDelta = TimeDelta::days(30);

#[test]
fn a_request_a_minute_for_a_month_makes_at_most_30_writes() {
    let policy = SessionPolicy::new(MAX_AGE, UPDATE_AGE, CAP).unwrap();
    let mut lifetime = policy.start(LOGIN);
    let (mut served, mut writes) = (0, 0);
    for now in requests() {
        match policy.evaluate(&lifetime, now) {
            Decision::Keep { .. } => {}
            Decision::Reject { reason, since } => panic!("{reason} since {since}, at {now}"),
            Decision::Renew { lifetime: renewed } => {
                lifetime = renewed;
                writes += 1;
            }
        }
        served += 1;
    }
    assert_eq!((served, writes), (43_200, 29));
    // From the 23rd day on, `expires_at` stands at the cap.
    let cap = LOGIN.saturating_add(CAP);
    assert_eq!((lifetime.expires_at(), lifetime.absolute_expires_at()), (cap, cap));
    assert!(!policy.evaluate(&lifetime, cap).is_served());
}

/// The naive formula takes the last renewal for `expires_at - max_age`. Once
/// `expires_at` is pinned at the cap, that is an instant long ago, and every
/// request writes.
#[test]
fn due_derived_from_the_expiry_would_write_on_every_request_once_pinned() {
    let cap = LOGIN.saturating_add(CAP);
    let mut expires_at = LOGIN.saturating_add(MAX_AGE);
    let (mut writes, mut writes_once_pinned) = (0, 0);
    for now in requests() {
        let due = expires_at.saturating_sub(MAX_AGE).saturating_add(UPDATE_AGE) <= now;
        if due {
            writes += 1;
            writes_once_pinned += u32::from(expires_at == cap);
            expires_at = now.saturating_add(MAX_AGE).min(cap);
        }
    }
    assert_eq!((writes, writes_once_pinned), (8_663, 8_640));
}

/// At any moment the throttle costs a user at most `update_age` of idleness.
#[test]
fn a_user_who_comes_back_within_the_guaranteed_idle_time_is_still_signed_in() {
    let policy = SessionPolicy::new(MAX_AGE, UPDATE_AGE, CAP).unwrap();
    for last_seen in 0..=UPDATE_AGE.num_seconds() {
        let last_seen = LOGIN.saturating_add(TimeDelta::seconds(last_seen));
        let lifetime = visit(&policy, policy.start(LOGIN), last_seen);
        let promised = last_seen.saturating_add(policy.guaranteed_idle());
        let last_second = promised.saturating_sub(TimeDelta::seconds(1));
        assert!(policy.evaluate(&lifetime, last_second).is_served(), "last seen {last_seen}");
    }
    // Not a second less can be promised: the worst is to come just before a
    // renewal is due.
    let just_before = LOGIN.saturating_add(UPDATE_AGE).saturating_sub(TimeDelta::seconds(1));
    let lifetime = visit(&policy, policy.start(LOGIN), just_before);
    let worst = just_before.saturating_add(policy.guaranteed_idle());
    assert!(policy.evaluate(&lifetime, worst).is_served());
    let a_second_more = worst.saturating_add(TimeDelta::seconds(1));
    assert!(!policy.evaluate(&lifetime, a_second_more).is_served());
}

/// A request a minute from the login on, up to the cap.
fn requests() -> impl Iterator<Item = Timestamp> {
    (0..30 * 24 * 60).map(|minute| LOGIN.saturating_add(TimeDelta::minutes(minute)))
}

fn visit(policy: &SessionPolicy, lifetime: Lifetime, now: Timestamp) -> Lifetime {
    match policy.evaluate(&lifetime, now) {
        Decision::Renew { lifetime } => lifetime,
        Decision::Keep { .. } | Decision::Reject { .. } => lifetime,
    }
}

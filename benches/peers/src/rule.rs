//! The rule itself, beside the same in comparisons of integers.

use std::hint::black_box;

use chrono::TimeDelta;
use session_policy::{Decision, Lifetime, SessionPolicy, Timestamp};

use crate::record::{Instants, LIMITS, Verdict};
use crate::task::{Group, Task};

/// The policy of every session here: 2 hours unused, a renewal at most every
/// hour, 30 days in all.
pub const POLICY: SessionPolicy = match SessionPolicy::new(
    TimeDelta::seconds(LIMITS.0),
    TimeDelta::seconds(LIMITS.1),
    TimeDelta::seconds(LIMITS.2),
) {
    Ok(policy) => policy,
    Err(_) => panic!("contradictory policy"),
};

const NOW: i64 = 1_800_000_000;
const MANY: usize = 1_000;

/// Judges 1,000 lifetimes, of which nine in ten, or one in three, are kept.
#[must_use]
pub fn groups() -> Vec<Group> {
    vec![
        Group::new("evaluate, 1,000 lifetimes, 90 % kept", 50, tasks(|at| at % 10 != 0)),
        Group::new("evaluate, 1,000 lifetimes, a third kept", 50, tasks(|at| at % 3 == 0)),
    ]
}

fn tasks(is_kept: impl Fn(usize) -> bool) -> Vec<Task> {
    // In an order that no branch predictor knows.
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut step = move || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(random >> 40).unwrap_or_default()
    };
    let instants: Vec<Instants> = std::iter::repeat_with(|| {
        let pick = step();
        let age = match (is_kept(pick), pick.is_multiple_of(2)) {
            (true, _) => 60,
            (false, true) => LIMITS.1,
            (false, false) => LIMITS.0,
        };
        Instants::from(NOW - age)
    })
    .take(MANY)
    .collect();
    let restore = |i: &Instants| {
        let at = Timestamp::from_unix_secs;
        let [created, renewed] = [i.created_at, i.renewed_at].map(at);
        let [expires, cap] = [i.expires_at, i.absolute_expires_at].map(at);
        Lifetime::restore(created, renewed, expires, cap)
    };
    let restored: Result<Vec<_>, _> = instants.iter().map(restore).collect();
    let lifetimes = restored.unwrap_or_else(|error| unreachable!("{error}"));
    let expected = ends_by_hand(&instants, NOW);
    vec![
        Task::new("integers by hand", move || {
            assert_eq!(ends_by_hand(black_box(&instants), black_box(NOW)), expected);
        }),
        Task::new("session-policy", move || {
            assert_eq!(ends(black_box(&lifetimes), black_box(NOW)), expected);
        }),
    ]
}

/// The sum of all new ends, and how many are refused.
fn ends_by_hand(instants: &[Instants], now: i64) -> (i64, u32) {
    instants.iter().fold((0, 0), |(ends, refused), instants| match instants.verdict(now) {
        Verdict::Keep => (ends, refused),
        Verdict::Reject => (ends, refused + 1),
        Verdict::Renew(_, end) => (ends + end, refused),
    })
}

fn ends(lifetimes: &[Lifetime], now: i64) -> (i64, u32) {
    let now = Timestamp::from_unix_secs(now);
    lifetimes.iter().fold((0, 0), |(ends, refused), lifetime| {
        match POLICY.evaluate(lifetime, now) {
            Decision::Keep { .. } => (ends, refused),
            Decision::Reject { .. } => (ends, refused + 1),
            Decision::Renew { lifetime } => (ends + lifetime.expires_at().as_unix_secs(), refused),
        }
    })
}

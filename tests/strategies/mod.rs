//! What the property tests draw: policies, lifetimes, and instants within 2 s of
//! every limit, where uniform instants would miss an error of one second.

#![allow(clippy::expect_used, reason = "helpers of tests")]
#![allow(dead_code, reason = "each test file draws its own part")]

use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::FileFailurePersistence;
use session_policy::{Lifetime, SessionPolicy, Timestamp};

const CENTURY: i64 = 36_525 * 86_400;

/// At least `cases` cases; more if `PROPTEST_CASES` says so.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig {
        cases: default.cases.max(cases),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..default
    }
}

/// Every valid policy: a few seconds to a century, with settings that coincide.
pub(crate) fn policy() -> impl Strategy<Value = SessionPolicy> {
    secs(1, CENTURY)
        .prop_flat_map(|cap| (secs(1, cap), Just(cap)))
        .prop_flat_map(|(max_age, cap)| {
            let skew = prop_oneof![Just(0), Just(60), secs(0, 86_400)];
            (Just(max_age), secs(0, max_age - 1), Just(cap), skew)
        })
        .prop_map(|(max_age, update_age, cap, skew)| policy_of(max_age, update_age, cap, skew))
}

/// A policy from seconds, which must make one.
pub(crate) fn policy_of(max_age: i64, update_age: i64, cap: i64, skew: i64) -> SessionPolicy {
    let secs = TimeDelta::seconds;
    SessionPolicy::new(secs(max_age), secs(update_age), secs(cap))
        .and_then(|policy| policy.with_clock_skew(secs(skew)))
        .expect("the settings make a policy")
}

/// A record as `policy` starts or adopts it, or as any other policy left it.
pub(crate) fn lifetime(policy: SessionPolicy) -> impl Strategy<Value = Lifetime> {
    let gap = move || {
        let settings = [0, 1, 60]
            .into_iter()
            .chain([policy.update_age(), policy.max_age(), policy.absolute_cap()].map(secs_of))
            .collect::<Vec<_>>();
        (proptest::sample::select(settings), -2..=2_i64)
            .prop_map(|(secs, near)| TimeDelta::seconds((secs + near).max(0)))
    };
    prop_oneof![
        2 => instant().prop_map(move |now| policy.start(now)),
        1 => (instant(), gap()).prop_map(move |(now, ahead)| {
            policy.start_until(now, now.saturating_add(ahead))
        }),
        1 => (instant(), gap(), gap()).prop_map(move |(created, one, other)| {
            policy.adopt(created, created.saturating_add(one + other))
        }),
        2 => (instant(), gap(), gap(), gap()).prop_map(|(created, one, two, three)| {
            let renewed = created.saturating_add(one);
            let expires = renewed.saturating_add(two);
            Lifetime::restore(created, renewed, expires, expires.saturating_add(three))
                .expect("the instants are in order")
        }),
    ]
}

/// Today's policy, a record of it or of an earlier one, and an instant.
pub(crate) fn judged() -> impl Strategy<Value = (SessionPolicy, Lifetime, Timestamp)> {
    (policy(), policy(), any::<bool>())
        .prop_flat_map(|(today, earlier, changed)| {
            (Just(today), lifetime(if changed { earlier } else { today }), near())
        })
        .prop_map(|(today, lifetime, near)| (today, lifetime, near.instant(&today, &lifetime)))
}

/// Where a session starts: near now, the epoch or an end of the range, or
/// anywhere.
pub(crate) fn instant() -> impl Strategy<Value = Timestamp> {
    let (min, max) = (Timestamp::MIN.as_unix_secs(), Timestamp::MAX.as_unix_secs());
    prop_oneof![
        4 => 1_800_000_000..=1_800_000_009_i64,
        1 => -3..=3_i64,
        1 => min..=min + 200,
        1 => max - 200..=max,
        1 => min..=max,
    ]
    .prop_map(Timestamp::from_unix_secs)
}

/// An instant in relation to the limits of a policy and a lifetime that are not
/// known yet.
#[derive(Clone, Debug)]
pub(crate) enum Near {
    Limit(Index, i64),
    Uniform(Index),
}

pub(crate) fn near() -> impl Strategy<Value = Near> {
    prop_oneof![
        7 => (any::<Index>(), -2..=2_i64).prop_map(|(limit, near)| Near::Limit(limit, near)),
        1 => any::<Index>().prop_map(Near::Uniform),
    ]
}

impl Near {
    /// Within 2 s of a limit, or between the first limit and the last.
    pub(crate) fn instant(&self, policy: &SessionPolicy, lifetime: &Lifetime) -> Timestamp {
        let limits = limits(policy, lifetime);
        match self {
            Self::Limit(limit, near) => {
                limit.get(&limits).saturating_add(TimeDelta::seconds(*near))
            }
            Self::Uniform(index) => {
                // Without the two ends of the range.
                let inner = &limits[2..];
                let first = *inner.iter().min().expect("there are limits");
                let last = *inner.iter().max().expect("there are limits");
                let span = usize::try_from(secs_of(last.since(first))).expect("not negative");
                let offset = i64::try_from(index.index(span + 5)).expect("within the range") - 2;
                first.saturating_add(TimeDelta::seconds(offset))
            }
        }
    }
}

/// Every instant that the rule compares with, and the ends of the range first.
pub(crate) fn limits(policy: &SessionPolicy, lifetime: &Lifetime) -> [Timestamp; 10] {
    [
        Timestamp::MIN,
        Timestamp::MAX,
        lifetime.created_at().saturating_sub(policy.clock_skew()),
        lifetime.created_at(),
        lifetime.renewed_at(),
        lifetime.renewed_at().saturating_add(policy.update_age()),
        lifetime.renewed_at().saturating_add(policy.max_age()),
        lifetime.expires_at(),
        lifetime.created_at().saturating_add(policy.absolute_cap()),
        lifetime.absolute_expires_at(),
    ]
}

fn secs_of(delta: TimeDelta) -> i64 {
    delta.num_seconds()
}

/// Mostly within a few seconds of either bound.
fn secs(low: i64, high: i64) -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => low..=high.min(low + 9),
        2 => (high - 2).max(low)..=high,
        2 => low..=high.min(low + 90_000),
        1 => low..=high,
    ]
}

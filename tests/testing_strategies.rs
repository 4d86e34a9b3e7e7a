//! What the strategies for an application's own property tests draw.
#![cfg(feature = "testing")]
#![allow(clippy::unwrap_used, reason = "a test that fails is to panic")]

use std::collections::BTreeSet;

use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use session_policy::testing::{instants, instants_near, lifetimes, policies};
use session_policy::{SessionPolicy, Timestamp};

fn drawn<S: Strategy>(strategy: &S) -> impl Iterator<Item = S::Value> {
    let mut runner = TestRunner::deterministic();
    (0..4_000).map(move |_| strategy.new_tree(&mut runner).unwrap().current())
}

#[test]
fn policies_are_drawn_from_a_second_to_a_century() {
    let caps: Vec<_> = drawn(&policies()).map(|policy| policy.absolute_cap()).collect();
    assert_eq!(caps.iter().min(), Some(&TimeDelta::seconds(1)));
    assert!(caps.iter().max().unwrap() > &TimeDelta::days(36_000));
    let seconds = caps.iter().filter(|cap| cap.num_seconds() <= 20).count();
    assert!(seconds > 1_000, "{seconds} of {} are short enough to play through", caps.len());
    let unthrottled = |policy: &SessionPolicy| policy.update_age() == TimeDelta::zero();
    assert!(drawn(&policies()).any(|policy| unthrottled(&policy)));
    for skew in [TimeDelta::zero(), TimeDelta::seconds(1)] {
        assert!(drawn(&policies()).any(|policy| policy.clock_skew() == skew), "{skew}");
    }
}

#[test]
fn instants_are_drawn_at_both_ends_of_the_range_and_within_it() {
    let instants: BTreeSet<_> = drawn(&instants()).collect();
    for edge in [Timestamp::MIN, Timestamp::from_unix_secs(0), Timestamp::MAX] {
        for off in [-2, -1, 0, 1, 2].map(TimeDelta::seconds) {
            assert!(instants.contains(&edge.saturating_add(off)), "{edge}, {off}");
        }
    }
    assert!(instants.len() > 1_000);
}

#[test]
fn lifetimes_are_drawn_with_instants_that_coincide_and_that_do_not() {
    for gap in [0, 1, 4].map(secs) {
        let mut found = [false; 3];
        for lifetime in drawn(&lifetimes()) {
            found[0] |= lifetime.renewed_at().since(lifetime.created_at()) == gap;
            found[1] |= lifetime.expires_at().since(lifetime.renewed_at()) == gap;
            found[2] |= lifetime.absolute_expires_at().since(lifetime.expires_at()) == gap;
        }
        assert_eq!(found, [true; 3], "{gap}");
    }
}

#[test]
fn instants_are_drawn_within_two_seconds_of_every_limit_on_either_side() {
    let policy = SessionPolicy::new(secs(1_000), secs(100), secs(5_000)).unwrap();
    let login = Timestamp::from_unix_secs(1_800_000_000);
    let lifetime = policy.start_until(login, login.saturating_add(secs(4_000)));
    let drawn: BTreeSet<_> = drawn(&instants_near(&policy, &lifetime)).collect();
    let expected: BTreeSet<_> = [-60, 0, 100, 1_000, 4_000, 5_000]
        .into_iter()
        .flat_map(|limit| (-2..=2).map(move |off| login.saturating_add(secs(limit + off))))
        .collect();
    assert_eq!(drawn, expected);
}

fn secs(secs: i64) -> TimeDelta {
    TimeDelta::seconds(secs)
}

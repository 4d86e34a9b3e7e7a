//! The crate, the formulas in Rust and the arithmetic that is proven answer alike.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use session_policy_proof::case::{Record, Settings};
use session_policy_proof::draw::Draw;
use session_policy_proof::oracle::{CENTURY, MAX, MIN};
use session_policy_proof::vectors::vectors;
use session_policy_proof::{agree, difference, oracle, real};

/// In one run of the tests; by hand a hundred times as many.
const CASES: u64 = 1_000_000;

/// Ties the formulas of this package to those that are proven.
#[test]
fn the_crate_and_the_formulas_answer_what_is_proven() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 2_000);
    for (case, right) in &vectors {
        for got in [oracle::answer(case), real::answer(case)] {
            assert!(got == *right, "{}", difference(case, &got, right));
        }
    }
}

#[test]
fn a_million_cases_are_answered_as_by_the_formulas() {
    run(CASES);
}

/// ```sh
/// time cargo test --release -p session-policy-proof --test agree -- --ignored --nocapture
/// ```
#[test]
#[ignore = "takes minutes without optimisation"]
fn a_hundred_million_cases_are_answered_as_by_the_formulas() {
    run(100 * CASES);
}

fn run(cases: u64) {
    let report = agree(cases, cases, real::answer);
    if let Some(differs) = report.differs {
        panic!("case {}: {differs}", report.cases);
    }
    println!(
        "the rule: {} cases; not yet valid, cap, idle, renew, keep {:?}; the last second or the end {}",
        report.cases, report.kinds, report.on_the_edge,
    );
    // A draw that misses a kind of answer, or the edges, would agree with anything.
    assert!(report.kinds.iter().all(|kind| *kind >= cases / 20), "{:?}", report.kinds);
    assert!(report.on_the_edge >= cases / 20, "{}", report.on_the_edge);
}

/// The bounds that the proof takes for given are those of the crate.
#[test]
fn what_is_no_policy_and_no_lifetime_is_refused() {
    assert_eq!(real::RANGE, [MIN, MAX]);
    let mut draw = Draw::new(1);
    let mut seen = [0; 4];
    for _ in 0..CASES {
        let (settings, instants) = (draw.settings(), draw.instants());
        let (policy, lifetime) = (is_policy(settings), is_lifetime(instants));
        assert_eq!(real::is_policy(settings), policy, "{settings:?}");
        assert_eq!(real::is_lifetime(instants), lifetime, "{instants:?}");
        for (seen, case) in seen.iter_mut().zip([policy, !policy, lifetime, !lifetime]) {
            *seen += u64::from(case);
        }
    }
    assert!(seen.iter().all(|seen| *seen >= CASES / 50), "{seen:?}");
}

fn is_policy([max_age, update_age, absolute_cap, skew]: Settings) -> bool {
    max_age >= 1
        && (0..max_age).contains(&update_age)
        && max_age <= absolute_cap
        && absolute_cap <= CENTURY
        && (0..=86_400).contains(&skew)
}

fn is_lifetime(instants: Record) -> bool {
    instants.is_sorted() && instants.iter().all(|at| (MIN..=MAX).contains(at))
}

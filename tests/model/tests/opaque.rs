//! Opaque tokens: every state within bounds keeps every law.

use session_policy_model::properties::{
    CAP_REACHED, DIFFERENT_POLICIES, HEARD_LATE, LOST_RACE, STALE_LOAD, SWEPT, TAKEN_BACK,
};
use session_policy_model::real::Real;
use session_policy_model::run::check;
use session_policy_model::scope::{Scope, opaque};

fn holds(name: &str, scope: Scope, happens: &[&str]) {
    let report = check(name, scope.deeper(), Real, None);
    assert_eq!(report.broken(), None, "{name}");
    for happening in happens {
        assert!(report.found.contains_key(happening), "{name}: never: {happening}");
    }
}

#[test]
fn a_logout_is_final_whatever_races_it() {
    holds("logout", opaque::LOGOUT, &[LOST_RACE, STALE_LOAD, TAKEN_BACK]);
}

#[test]
fn limits_hold_on_skewed_nodes_under_a_tightened_policy_and_a_slow_store() {
    holds("limits", opaque::LIMITS, &[CAP_REACHED, DIFFERENT_POLICIES, HEARD_LATE, LOST_RACE]);
}

#[test]
fn a_sweep_ends_no_session_that_lives() {
    holds("sweep", opaque::SWEEP, &[CAP_REACHED, LOST_RACE, SWEPT]);
}

#[test]
fn a_rotated_session_keeps_its_cap() {
    holds("rotation", opaque::ROTATION, &[CAP_REACHED]);
    holds("two rotations", opaque::ROTATIONS, &[TAKEN_BACK]);
}

#[test]
fn a_failing_store_and_requests_that_are_cut_off_break_nothing() {
    holds("faults", opaque::FAULTS, &[STALE_LOAD, TAKEN_BACK]);
}

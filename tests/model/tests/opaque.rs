//! Opaque tokens: every state within bounds keeps every law.

use session_policy_model::properties::{
    CAP_REACHED, DIFFERENT_POLICIES, HEARD_LATE, LOST_RACE, ROTATED, STALE_LOAD, SWEPT,
};
use session_policy_model::run::holds;
use session_policy_model::scope::opaque;

#[test]
fn a_logout_is_final_whatever_races_it() {
    holds("opaque, logout", opaque::LOGOUT, &[LOST_RACE, ROTATED, STALE_LOAD]);
}

#[test]
fn limits_hold_on_skewed_nodes_under_a_tightened_policy_and_a_slow_store() {
    holds(
        "opaque, limits",
        opaque::LIMITS,
        &[CAP_REACHED, DIFFERENT_POLICIES, HEARD_LATE, LOST_RACE],
    );
}

#[test]
fn a_sweep_ends_no_session_that_lives() {
    holds("opaque, sweep", opaque::SWEEP, &[CAP_REACHED, LOST_RACE, SWEPT]);
}

#[test]
fn a_rotated_session_keeps_its_cap() {
    holds("opaque, rotation", opaque::ROTATION, &[CAP_REACHED]);
    holds("opaque, two rotations", opaque::ROTATIONS, &[LOST_RACE, ROTATED]);
}

#[test]
fn a_failing_store_and_requests_that_are_cut_off_break_nothing() {
    holds("opaque, faults", opaque::FAULTS, &[ROTATED, STALE_LOAD]);
}

#[test]
fn the_last_activity_is_known_up_to_the_cap() {
    holds("opaque, last seen", opaque::SEEN, &[CAP_REACHED, LOST_RACE]);
}

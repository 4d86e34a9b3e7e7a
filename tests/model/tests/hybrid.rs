//! Hybrid tokens: every state within bounds keeps every law.

use session_policy_model::properties::{
    CAP_REACHED, DIFFERENT_POLICIES, FORGIVEN, HEARD_LATE, HONEST, IN_GRACE, LOST_RACE, REUSED,
    ROTATED, STALE_LOAD, SWEPT,
};
use session_policy_model::real::Real;
use session_policy_model::run::{check, holds};
use session_policy_model::scope::{Scope, hybrid};

#[test]
fn an_honest_client_stays_signed_in_whatever_is_lost_or_reordered() {
    holds("hybrid, honest", hybrid::HONEST, &[FORGIVEN, HEARD_LATE, IN_GRACE, LOST_RACE]);
}

#[test]
fn skewed_clocks_take_from_the_grace_what_they_differ() {
    holds("hybrid, honest, skewed", hybrid::SKEWED, &[FORGIVEN, IN_GRACE, LOST_RACE]);
    let slow = Scope { transit: Some(2), ..hybrid::SKEWED };
    let report = check("honest, skewed, as slow as the grace allows without", slow, Real, None);
    assert_eq!(report.broken().map(|(law, _)| law), Some(HONEST));
}

#[test]
fn an_honest_client_stays_signed_in_whatever_the_update_age() {
    let happens = &[FORGIVEN, IN_GRACE, LOST_RACE];
    holds("hybrid, honest, shortest", hybrid::SHORTEST, happens);
    holds("hybrid, honest, longest", hybrid::LONGEST, happens);
    holds("hybrid, honest, longest, rotated", hybrid::LONGEST_ROTATED, &[LOST_RACE, ROTATED]);
}

#[test]
fn an_idle_client_is_ended_no_earlier_for_a_lost_answer() {
    holds("hybrid, idle", hybrid::IDLE, &[FORGIVEN]);
}

#[test]
fn a_store_that_fails_signs_nobody_out() {
    holds("hybrid, faults", hybrid::FAULTS, &[IN_GRACE, LOST_RACE]);
}

#[test]
fn a_thief_ends_the_session_once_the_grace_is_over() {
    holds("hybrid, thief", hybrid::THIEF, &[IN_GRACE, REUSED]);
}

#[test]
fn a_logout_is_final_whatever_races_it() {
    holds("hybrid, logout", hybrid::LOGOUT, &[LOST_RACE, ROTATED, STALE_LOAD]);
}

#[test]
fn limits_hold_on_skewed_nodes_under_a_tightened_policy() {
    holds("hybrid, limits", hybrid::LIMITS, &[CAP_REACHED, DIFFERENT_POLICIES, LOST_RACE, SWEPT]);
}

#[test]
fn a_rotation_starts_another_family() {
    holds("hybrid, rotation", hybrid::ROTATION, &[LOST_RACE, ROTATED]);
}

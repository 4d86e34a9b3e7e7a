//! The model bites: each fault, planted in the crate's own source or in the
//! store, breaks a law, and the fewest acts that show it are printed.

use session_policy_model::faulty::{Fault, Faulty};
use session_policy_model::limit::When;
use session_policy_model::properties::{
    BOUND, CANCEL, CAP, EPOCH, GENERATION, HONEST, LAST_SEEN, LEFT, LIMIT, LOGOUT, ONE_ROW, REUSE,
    ROTATION, THROTTLE, VERSION,
};
use session_policy_model::real::Real;
use session_policy_model::run::check;
use session_policy_model::scope::{Scope, bounds, hybrid, limit, opaque};
use session_policy_model::store::StoreFault;

fn in_source(fault: Fault, scope: Scope, law: &str) {
    let report = check(&format!("{fault:?}"), scope, Faulty(Some(fault)), None);
    assert_eq!(report.broken().map(|(law, _)| law), Some(law), "{fault:?}");
}

fn in_store(fault: StoreFault, scope: Scope, law: &str) {
    let report = check(&format!("{fault:?}"), scope, Real, Some(fault));
    assert_eq!(report.broken().map(|(law, _)| law), Some(law), "{fault:?}");
}

#[test]
fn without_a_fault_the_faulty_crate_is_the_crate() {
    for scope in [opaque::LOGOUT, hybrid::SKEWED, limit::faults(When::EndOldest)] {
        let switched_off = check("no fault", scope, Faulty(None), None);
        let real = check("no fault", scope, Real, None);
        assert_eq!(switched_off.broken(), None);
        assert_eq!(switched_off.states, real.states);
    }
}

// The store contract.

#[test]
fn an_update_that_creates_is_found() {
    in_store(StoreFault::UpdateCreates, opaque::LOGOUT, LEFT);
}

#[test]
fn an_update_that_does_not_count_its_rows_is_found() {
    in_store(StoreFault::UpdateSaysTrue, opaque::LOGOUT, LOGOUT);
    in_store(StoreFault::UpdateSaysTrue, opaque::SWEEP, VERSION);
}

#[test]
fn an_update_without_a_column_for_the_secret_is_found() {
    in_store(StoreFault::UpdateIgnoresSecret, opaque::ROTATION, HONEST);
    in_store(StoreFault::UpdateIgnoresSecret, hybrid::LOGOUT, HONEST);
}

#[test]
fn a_removal_that_does_not_count_its_rows_is_found() {
    in_store(StoreFault::RemoveSaysTrue, opaque::LOGOUT, VERSION);
}

#[test]
fn a_removal_of_all_that_leaves_one_is_found() {
    in_store(StoreFault::LeavesOne, opaque::LOGOUT, LEFT);
}

#[test]
fn a_sweep_with_a_closed_boundary_is_found() {
    in_store(StoreFault::SweepsEarly, opaque::SWEEP, HONEST);
}

#[test]
fn a_store_that_keeps_a_confirmation_is_found() {
    in_store(StoreFault::KeepsConfirmation, hybrid::HONEST, HONEST);
}

// The crate's source.

#[test]
fn a_blind_write_is_found() {
    in_source(Fault::BlindWrite, opaque::LOGOUT, VERSION);
    in_source(Fault::BlindWrite, hybrid::PINNED, GENERATION);
}

#[test]
fn a_closed_boundary_is_found() {
    in_source(Fault::ClosedBoundary, opaque::LIMITS, CAP);
    in_source(Fault::ClosedBoundary, hybrid::LIMITS, CAP);
}

#[test]
fn a_cap_that_moves_with_a_rotation_is_found() {
    in_source(Fault::CapMovesWithRotation, opaque::ROTATION, CAP);
}

#[test]
fn a_tightened_policy_that_waits_for_the_next_login_is_found() {
    in_source(Fault::TighteningWaits, opaque::LIMITS, CAP);
}

#[test]
fn a_throttle_derived_from_the_expiry_is_found() {
    in_source(Fault::ThrottleFromExpiry, hybrid::PINNED, THROTTLE);
}

#[test]
fn a_service_without_a_reload_is_found() {
    in_source(Fault::ServesWithoutReload, opaque::LOGOUT, LOGOUT);
}

// One row (law 11).

#[test]
fn a_rotation_that_answers_without_its_row_is_found() {
    in_source(Fault::RotationWithoutTheRow, opaque::LOGOUT, LOGOUT);
    in_source(Fault::RotationWithoutTheRow, hybrid::LOGOUT, LOGOUT);
}

#[test]
fn an_end_that_spares_what_was_written_meanwhile_is_found() {
    in_source(Fault::EndSparesTheRenewed, opaque::LOGOUT, LEFT);
}

#[test]
fn a_rotation_by_way_of_another_row_is_found() {
    in_source(Fault::GhostRow, opaque::ROTATION, ONE_ROW);
}

#[test]
fn a_rotation_guarded_by_the_version_alone_is_found() {
    in_source(Fault::RotationByVersion, opaque::ROTATIONS, ROTATION);
}

#[test]
fn an_update_that_ignores_the_secret_is_found() {
    in_source(Fault::UpdateIgnoresSecret, opaque::ROTATION, HONEST);
}

#[test]
fn a_family_that_is_ignored_is_found() {
    in_source(Fault::FamilyIgnored, hybrid::LOGOUT, REUSE);
    in_source(Fault::FamilyIgnored, hybrid::LONGEST_ROTATED, REUSE);
}

// The last activity (law 15).

#[test]
fn a_renewal_that_is_not_written_at_the_cap_is_found() {
    in_source(Fault::RenewedAtStaysAtTheCap, opaque::SEEN, LAST_SEEN);
}

// Limits (law 16).

#[test]
fn a_limit_by_time_is_found() {
    in_source(Fault::LimitByTime, limit::races(When::EndOldest), LIMIT);
}

#[test]
fn a_limit_that_counts_what_is_replaced_is_found() {
    in_source(Fault::LimitCountsTheReplaced, limit::replacing(When::EndOldest), LIMIT);
    in_source(Fault::LimitCountsTheReplaced, limit::replacing(When::Refuse), LIMIT);
}

#[test]
fn a_limit_that_counts_only_what_lives_is_found() {
    in_source(Fault::LimitCountsTheLive, limit::renewals(When::Refuse), LIMIT);
}

#[test]
fn a_sign_in_that_is_served_though_it_raced_is_found() {
    in_source(Fault::RacedIsServed, limit::races(When::Refuse), LIMIT);
}

#[test]
fn others_that_are_ended_before_the_own_session_stands_are_found() {
    in_source(Fault::EndsBeforeItStands, limit::races(When::EndOldest), LIMIT);
}

#[test]
fn a_session_that_is_replaced_too_early_is_found() {
    in_source(Fault::ReplacedFirst, limit::faults(When::EndOldest), LIMIT);
}

// What is left (law 17, and retention).

#[test]
fn a_withdrawn_sign_in_that_stays_is_found() {
    in_source(Fault::RacedStays, limit::races(When::Refuse), CANCEL);
}

#[test]
fn a_sweep_that_ignores_the_retention_is_found() {
    in_source(Fault::RetentionIgnored, opaque::SWEEP, HONEST);
}

// Bounds and epochs (laws 13 and 14).

#[test]
fn a_bound_that_is_asked_twice_is_found() {
    in_source(Fault::BoundAskedTwice, bounds::OPAQUE_EPOCHS, BOUND);
    in_source(Fault::BoundAskedTwice, bounds::HYBRID_EPOCHS, BOUND);
    in_source(Fault::BoundAskedTwice, bounds::STATELESS_EPOCHS, BOUND);
}

#[test]
fn an_error_of_the_bound_that_lets_in_is_found() {
    in_source(Fault::BoundErrorLetsIn, bounds::OPAQUE_EPOCHS, BOUND);
    in_source(Fault::BoundErrorLetsIn, bounds::STATELESS_EPOCHS, BOUND);
}

#[test]
fn a_bound_that_loosens_is_found() {
    in_source(Fault::BoundLoosens, bounds::OPAQUE_POLICY, BOUND);
    in_source(Fault::BoundLoosens, bounds::HYBRID_POLICY, BOUND);
}

#[test]
fn epochs_that_are_compared_for_order_are_found() {
    in_source(Fault::EpochOlder, bounds::OPAQUE_EPOCHS, EPOCH);
    in_source(Fault::EpochOlder, bounds::HYBRID_EPOCHS, EPOCH);
    in_source(Fault::EpochOlder, bounds::STATELESS_EPOCHS, EPOCH);
}

#[test]
fn a_list_that_ignores_the_bound_is_found() {
    in_source(Fault::ListIgnoresTheBound, bounds::OPAQUE_EPOCHS, EPOCH);
}

#[test]
fn an_admission_that_ignores_the_bound_is_found() {
    let scope = Scope { sign_ins: 1, ..bounds::limit(When::Refuse) };
    in_source(Fault::AdmissionIgnoresTheBound, scope, LIMIT);
}

// The grace of hybrid sessions.

#[test]
fn a_grace_below_the_skew_is_found() {
    in_source(Fault::GraceBelowSkew, hybrid::BELOW_SKEW, HONEST);
}

#[test]
fn a_token_that_expires_with_the_idle_time_is_found() {
    in_source(Fault::ExpiresWhenIdle, hybrid::LONGEST, HONEST);
}

#[test]
fn a_grace_that_moves_is_found() {
    in_source(Fault::GraceMoves, hybrid::PERSISTENT_THIEF, REUSE);
}

#[test]
fn a_grace_that_counts_from_the_renewal_is_found() {
    in_source(Fault::GraceCountsFromRenewal, hybrid::PROMPT, HONEST);
    in_source(Fault::GraceCountsFromRenewal, hybrid::LONGEST, HONEST);
}

#[test]
fn a_rotation_that_does_not_wait_for_confirmation_is_found() {
    in_source(Fault::RotatesUnconfirmed, hybrid::PROMPT, HONEST);
    in_source(Fault::RotatesUnconfirmed, hybrid::LONGEST, HONEST);
}

#[test]
fn reuse_that_ends_nothing_is_found() {
    in_source(Fault::ReuseEndsNothing, hybrid::THIEF, REUSE);
}

#[test]
fn a_token_given_again_without_a_write_is_found() {
    // A write that fails is tried once more.
    let scope = Scope { failures: 2, ..hybrid::FAULTS };
    in_source(Fault::AnswersUnwritten, scope, HONEST);
}

//! The model bites: each fault, planted in the crate's own source or in the
//! store, breaks a law, and the fewest acts that show it are printed.

use session_policy_model::faulty::{Fault, Faulty};
use session_policy_model::properties::{
    CAP, GENERATION, HONEST, LEFT, LOGOUT, REUSE, THROTTLE, VERSION,
};
use session_policy_model::real::Real;
use session_policy_model::run::check;
use session_policy_model::scope::{Scope, hybrid, opaque};
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
    for scope in [opaque::LOGOUT, hybrid::SKEWED] {
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
fn a_removal_that_does_not_count_its_rows_is_found() {
    in_store(StoreFault::RemoveSaysTrue, opaque::ROTATIONS, VERSION);
    in_store(StoreFault::RemoveSaysTrue, opaque::LOGOUT, LEFT);
}

#[test]
fn a_removal_of_all_that_looks_once_is_found() {
    in_store(StoreFault::LooksOnce, opaque::LOGOUT, LEFT);
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

#[test]
fn a_rotation_that_undoes_a_logout_is_found() {
    in_source(Fault::RotationUndoesLogout, opaque::LOGOUT, LEFT);
}

#[test]
fn a_grace_that_moves_is_found() {
    in_source(Fault::GraceMoves, hybrid::PERSISTENT_THIEF, REUSE);
}

#[test]
fn a_grace_that_counts_from_the_renewal_is_found() {
    in_source(Fault::GraceCountsFromRenewal, hybrid::PROMPT, HONEST);
}

#[test]
fn a_rotation_that_does_not_wait_for_confirmation_is_found() {
    in_source(Fault::RotatesUnconfirmed, hybrid::PROMPT, HONEST);
}

#[test]
fn reuse_that_ends_nothing_is_found() {
    in_source(Fault::ReuseEndsNothing, hybrid::THIEF, REUSE);
}

#[test]
fn a_token_given_again_without_a_write_is_found() {
    in_source(Fault::AnswersUnwritten, hybrid::FAULTS, HONEST);
}

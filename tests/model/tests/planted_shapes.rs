//! The models of shapes and bounds bite, too: each fault, planted in the crate's own
//! source, breaks a law.

use session_policy_model::faulty::{Fault, Faulty};
use session_policy_model::limit::When;
use session_policy_model::properties::{CAP, HONEST, LAST_SEEN, LIMIT, LOGOUT};
use session_policy_model::run::check;
use session_policy_model::scope::{Scope, bounds, shapes};

fn finds(fault: Fault, scope: Scope, law: &str) {
    let report = check(&format!("{fault:?}"), scope, Faulty(Some(fault)), None);
    assert_eq!(report.broken().map(|(law, _)| law), Some(law), "{fault:?}");
}

#[test]
fn a_closed_boundary_is_found_at_either_end_of_update_age() {
    finds(Fault::ClosedBoundary, shapes::OPAQUE_EAGER, CAP);
    finds(Fault::ClosedBoundary, shapes::OPAQUE_LAST, CAP);
    finds(Fault::ClosedBoundary, shapes::STATELESS_LIMITS, CAP);
}

#[test]
fn a_tightened_policy_that_waits_is_found_without_a_store() {
    finds(Fault::TighteningWaits, shapes::STATELESS_LIMITS, CAP);
}

#[test]
fn a_cookie_to_the_idle_end_is_found() {
    finds(Fault::CookieToTheIdleEnd, shapes::STATELESS_LIMITS, CAP);
}

#[test]
fn a_renewal_that_is_not_written_at_the_cap_is_found_where_nothing_slides() {
    finds(Fault::RenewedAtStaysAtTheCap, shapes::OPAQUE_DAY_SEEN, LAST_SEEN);
}

#[test]
fn a_grace_that_counts_from_the_renewal_is_found_where_nothing_slides() {
    finds(Fault::GraceCountsFromRenewal, shapes::HYBRID_DAY, HONEST);
}

#[test]
fn races_at_three_nodes_are_found() {
    finds(Fault::ServesWithoutReload, shapes::OPAQUE_THREE, LOGOUT);
    finds(Fault::UpdateIgnoresSecret, shapes::OPAQUE_THREE, HONEST);
}

#[test]
fn a_rotation_without_its_row_is_found_among_hang_ups() {
    finds(Fault::RotationWithoutTheRow, shapes::HYBRID_HANG_UPS, LOGOUT);
}

#[test]
fn an_admission_that_ignores_a_tighter_policy_is_found() {
    finds(Fault::AdmissionIgnoresTheBound, bounds::limit_policy(When::Refuse), LIMIT);
}

//! What holds for a subject (laws 13 and 14) changes while requests are under way: every
//! state within bounds keeps every law.

use session_policy_model::limit::When;
use session_policy_model::properties::{LOST_RACE, RECALLED, STALE_BOUND};
use session_policy_model::run::holds;
use session_policy_model::scope::bounds;

#[test]
fn no_session_of_another_epoch_is_served_for_longer_than_a_node_remembers() {
    holds("opaque, epochs", bounds::OPAQUE_EPOCHS, &[LOST_RACE, RECALLED, STALE_BOUND]);
    holds("opaque, epochs, rotation", bounds::OPAQUE_ROTATION, &[RECALLED, STALE_BOUND]);
    holds("hybrid, epochs", bounds::HYBRID_EPOCHS, &[LOST_RACE, RECALLED, STALE_BOUND]);
    holds("stateless, epochs", bounds::STATELESS_EPOCHS, &[]);
}

#[test]
fn a_bound_only_tightens() {
    holds("opaque, bounds", bounds::OPAQUE_POLICY, &[LOST_RACE, RECALLED, STALE_BOUND]);
    holds("hybrid, bounds", bounds::HYBRID_POLICY, &[LOST_RACE, RECALLED, STALE_BOUND]);
}

#[test]
fn sessions_that_a_bound_has_ended_make_way() {
    for (name, when) in [
        ("limit, end oldest, bounds", When::EndOldest),
        ("limit, end least recent, bounds", When::EndLeastRecent),
        ("limit, refuse, bounds", When::Refuse),
    ] {
        holds(name, bounds::limit_policy(when), &[STALE_BOUND]);
    }
}

#[test]
fn revoked_sessions_make_way() {
    holds("limit, end oldest, epochs", bounds::limit(When::EndOldest), &[STALE_BOUND]);
    holds("limit, end least recent, epochs", bounds::limit(When::EndLeastRecent), &[STALE_BOUND]);
    holds("limit, refuse, epochs", bounds::limit(When::Refuse), &[STALE_BOUND]);
}

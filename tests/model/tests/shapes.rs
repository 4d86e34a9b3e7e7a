//! Policies at the ends of what one may be, a third clock, and clients that hang up: every
//! state within bounds keeps every law.

use session_policy_model::limit::When;
use session_policy_model::properties::{
    CAP_REACHED, DIFFERENT_POLICIES, FORGIVEN, HEARD_LATE, IN_GRACE, LOST_RACE, RACED, ROTATED,
};
use session_policy_model::run::holds;
use session_policy_model::scope::shapes;

#[test]
fn without_a_throttle_the_laws_hold() {
    let happens = &[CAP_REACHED, DIFFERENT_POLICIES, LOST_RACE, ROTATED];
    holds("opaque, eager", shapes::OPAQUE_EAGER, happens);
    holds("opaque, eager, last seen", shapes::OPAQUE_EAGER_SEEN, &[HEARD_LATE, LOST_RACE]);
    holds("hybrid, eager", shapes::HYBRID_EAGER, &[CAP_REACHED, FORGIVEN]);
}

#[test]
fn where_the_last_second_alone_renews_the_laws_hold() {
    let happens = &[CAP_REACHED, DIFFERENT_POLICIES, LOST_RACE, ROTATED];
    holds("opaque, last second", shapes::OPAQUE_LAST, happens);
    holds("opaque, last second, last seen", shapes::OPAQUE_LAST_SEEN, &[HEARD_LATE]);
}

#[test]
fn where_nothing_slides_the_laws_hold() {
    let happens = &[CAP_REACHED, DIFFERENT_POLICIES, LOST_RACE, ROTATED];
    holds("opaque, working day", shapes::OPAQUE_DAY, happens);
    holds("opaque, working day, last seen", shapes::OPAQUE_DAY_SEEN, &[HEARD_LATE, LOST_RACE]);
    holds("hybrid, working day", shapes::HYBRID_DAY, &[FORGIVEN, IN_GRACE, LOST_RACE]);
}

#[test]
fn at_three_nodes_whose_clocks_differ_the_laws_hold() {
    holds("opaque, three nodes", shapes::OPAQUE_THREE, &[LOST_RACE, ROTATED]);
    holds("hybrid, three nodes", shapes::HYBRID_THREE, &[FORGIVEN, IN_GRACE, LOST_RACE]);
    holds("limit, end oldest, three nodes", shapes::limit_three(When::EndOldest), &[]);
    holds("limit, end least recent, three nodes", shapes::limit_three(When::EndLeastRecent), &[]);
    holds("limit, refuse, three nodes", shapes::limit_three(When::Refuse), &[RACED]);
}

#[test]
fn a_hybrid_client_that_hangs_up_leaves_nothing() {
    holds("hybrid, hang-ups", shapes::HYBRID_HANG_UPS, &[LOST_RACE, ROTATED]);
}

#[test]
fn without_a_store_the_cap_holds() {
    holds("stateless, limits", shapes::STATELESS_LIMITS, &[CAP_REACHED]);
    holds("stateless, eager", shapes::STATELESS_EAGER, &[CAP_REACHED]);
}

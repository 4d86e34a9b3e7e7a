//! Limits on concurrent sessions: every state within bounds keeps every law.

use session_policy_model::limit::When;
use session_policy_model::properties::{DISPLACED, LIMIT, RACED, REVIVED};
use session_policy_model::real::Real;
use session_policy_model::run::{check, holds};
use session_policy_model::scope::limit;

#[test]
fn of_racing_sign_ins_those_stand_that_the_limit_has_stand() {
    holds("limit, end oldest", limit::races(When::EndOldest), &[DISPLACED]);
    holds("limit, end least recent", limit::races(When::EndLeastRecent), &[]);
    holds("limit, refuse", limit::races(When::Refuse), &[RACED]);
}

#[test]
fn renewals_under_way_open_no_session_too_many() {
    holds("limit, end oldest, renewals", limit::renewals(When::EndOldest), &[REVIVED]);
    holds("limit, end least recent, renewals", limit::renewals(When::EndLeastRecent), &[REVIVED]);
    holds("limit, refuse, renewals", limit::renewals(When::Refuse), &[RACED, REVIVED]);
}

#[test]
fn a_replaced_session_does_not_count() {
    holds("limit, end oldest, replacing", limit::replacing(When::EndOldest), &[]);
    holds("limit, end least recent, replacing", limit::replacing(When::EndLeastRecent), &[]);
    holds("limit, refuse, replacing", limit::replacing(When::Refuse), &[RACED]);
}

#[test]
fn a_failing_store_and_sign_ins_that_are_cut_off_leave_nothing() {
    holds("limit, end oldest, faults", limit::faults(When::EndOldest), &[]);
    holds("limit, end least recent, faults", limit::faults(When::EndLeastRecent), &[]);
    holds("limit, refuse, faults", limit::faults(When::Refuse), &[]);
}

/// The second clock says that a session has ended, and the first that it has not.
#[test]
fn servers_that_disagree_about_an_end() {
    holds("limit, end least recent, disputed", limit::disputed(When::EndLeastRecent), &[]);
    holds("limit, refuse, disputed", limit::disputed(When::Refuse), &[]);
    // To be mended in the crate: one session too few is left.
    let scope = limit::disputed(When::EndOldest);
    let report = check("end oldest, disputed", scope, Real, None);
    assert_eq!(report.broken().map(|(law, _)| law), Some(LIMIT));
}

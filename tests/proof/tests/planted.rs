//! The comparison bites: each fault that is planted in the crate's own source is found.

use std::panic::catch_unwind;

use session_policy_proof::draw::Draw;
use session_policy_proof::faulty::{self, Fault, plant};
use session_policy_proof::{agree, real};

/// A fifth of what one run of `agree.rs` asks.
const CASES: u64 = 200_000;

/// Whether an answer, or what is refused, differs with this fault; the crate's own
/// checks of the order of instants panic, too.
fn is_found(fault: Option<Fault>) -> bool {
    let differs = catch_unwind(|| {
        plant(fault);
        let mut draw = Draw::new(3);
        agree(2, CASES, faulty::answer).differs.is_some()
            || (0..CASES).any(|_| {
                let (settings, instants) = (draw.settings(), draw.instants());
                faulty::is_policy(settings) != real::is_policy(settings)
                    || faulty::is_lifetime(instants) != real::is_lifetime(instants)
            })
    });
    plant(None);
    differs.unwrap_or(true)
}

#[test]
fn without_a_fault_nothing_differs() {
    assert!(!is_found(None));
}

#[test]
fn every_fault_of_the_rule_is_found() {
    let faults = [
        Fault::AdoptedBeyondTheRange,
        Fault::AdoptedOutlivesItsCap,
        Fault::CapIgnoredOnRenewal,
        Fault::CeilingIgnored,
        Fault::ClockSetBackRenews,
        Fault::ClosedBoundary,
        Fault::CookieToTheIdleEnd,
        Fault::ExtendableBelowTheCap,
        Fault::FutureAccepted,
        Fault::LeewayLengthens,
        Fault::MeetTakesTheLongerCap,
        Fault::PeekGoesByTheRecord,
        Fault::ReasonIsIdleAtTheCap,
        Fault::RenewedAtStaysAtTheCap,
        Fault::RestoredBeyondItsCap,
        Fault::ScheduleEveryOtherSecond,
        Fault::ThrottleFromExpiry,
        Fault::TighteningWaits,
        Fault::WatchForgetsTheLastSecond,
        Fault::WatchWaitsForAClockSetBack,
        Fault::WriteAtTheCap,
        Fault::WriteGoesBack,
    ];
    let missed: Vec<_> = faults.into_iter().filter(|fault| !is_found(Some(*fault))).collect();
    assert!(missed.is_empty(), "not found: {missed:?}");
}

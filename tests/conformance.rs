//! The conformance kit passes a right store, and catches wrong ones by name.
#![cfg(all(feature = "memory", feature = "testing"))]
#![allow(clippy::unwrap_used, reason = "a test that fails is to panic")]

#[path = "conformance/planted.rs"]
mod planted;

use std::sync::Arc;

use planted::{Fault, Planted};
use session_policy::MemoryStore;
use session_policy::testing::{Outcome, StoreKit};

#[test]
fn the_memory_store_conforms() {
    let report = pollster::block_on(StoreKit::new().check(async || MemoryStore::new()));
    report.assert_passed();
}

#[test]
fn a_store_behind_a_pointer_conforms() {
    let empty = async || Arc::new(MemoryStore::new());
    pollster::block_on(StoreKit::new().check(empty)).assert_passed();
}

#[test]
fn a_right_store_of_another_make_conforms() {
    pollster::block_on(StoreKit::new().check(async || Planted::new(Fault::None))).assert_passed();
}

#[test]
fn an_engine_that_expires_sessions_itself_conforms_if_the_kit_is_told() {
    let empty = async || Planted::new(Fault::LoadHidesExpired);
    pollster::block_on(StoreKit::new().engine_expires().check(empty)).assert_passed();
}

#[test]
fn the_kit_may_run_where_futures_move_between_threads() {
    std::thread::spawn(|| {
        let check: std::pin::Pin<Box<dyn Future<Output = _> + Send>> =
            Box::pin(async { StoreKit::new().check(async || MemoryStore::new()).await });
        pollster::block_on(check).assert_passed();
    })
    .join()
    .unwrap();
}

#[test]
fn an_error_of_the_store_fails_the_check_and_is_shown_with_its_cause() {
    let empty = async || Planted::new(Fault::Unavailable);
    let report = pollster::block_on(StoreKit::new().check(empty));
    let Outcome::Failed { expected, seen } = &report.checks()[0].outcome else {
        panic!("{report}");
    };
    assert_eq!(expected, "load gives an answer");
    assert_eq!(seen, "the error: the session store is unavailable: the cable is out");
}

#[test]
#[should_panic(expected = "FAILED remove is idempotent\n  expected whether this call removed it: \
                           false\n  seen     true")]
fn a_failed_report_says_what_was_expected_and_seen() {
    let empty = async || Planted::new(Fault::RemoveTwice);
    pollster::block_on(StoreKit::new().check(empty)).assert_passed();
}

/// One row a fault: what the store does wrong, and the check that must say so.
#[test]
fn each_planted_fault_is_caught_by_name() {
    let keeps = "update changes neither cap, creation, subject, profile nor secret";
    let lists = "list returns every session of the subject, as load does";
    let faults = [
        (Fault::CreateChecksThenWrites, "raced creates of one id have one winner"),
        (Fault::CreateIgnoresProfile, "create keeps every field"),
        (Fault::CreateReplaces, "create never replaces a session"),
        (Fault::CountsIn32Bits, "counts past 32 bits are kept whole"),
        (Fault::GenerationIsVersion, "counts past 32 bits are kept whole"),
        (Fault::IdsCutAt15Bytes, "ids are told apart to the last bit"),
        (Fault::IdsIgnoreCase, "ids are told apart to the last bit"),
        (Fault::InstantsBefore1970AreZero, "instants survive at the ends of the range"),
        (Fault::InstantsClampedTo9999, "instants survive at the ends of the range"),
        (Fault::InstantsClampedTo9999, "the sweep reaches the ends of the range"),
        (Fault::ListHidesExpired, lists),
        (Fault::ListIsEmpty, lists),
        (Fault::ListKeepsRemoved, "list knows what became of a session"),
        (Fault::ListLooksOnce, "a session that is being rotated is listed"),
        (Fault::ListPages, "10,000 sessions are listed and ended by subject"),
        (Fault::LoadCountsReads, "load writes nothing"),
        (Fault::LoadHidesExpired, "instants survive at the ends of the range"),
        (Fault::LoadHidesExpired, "load returns an expired session"),
        (Fault::LoadTouches, "load writes nothing"),
        (Fault::ProfilesTrimmed, "odd but legal texts are kept whole"),
        (
            Fault::RemoveAllEndsEverybody,
            "remove_all ends every session of the subject and no other",
        ),
        (Fault::RemoveAllIgnoresExcept, "remove_all spares the excepted session"),
        (Fault::RemoveAllLooksOnce, "remove_all ends the successors of rotations"),
        (Fault::RemoveChecksThenWrites, "raced removals of one session have one winner"),
        (Fault::RemoveEndsSubject, "remove ends that session only"),
        (Fault::RemoveKeepsTombstone, "remove is idempotent"),
        (Fault::RemoveMissesRenewed, "a logout after a renewal wins"),
        (Fault::RemoveTwice, "remove is idempotent"),
        (Fault::UpdateAtCap, "update is refused at and after the cap"),
        (Fault::UpdateForgetsConfirmation, "update writes the generation and the confirmation"),
        (Fault::UpdateGoesBack, "update keeps the order of the instants"),
        (Fault::UpdateIgnoresVersion, "raced renewals of one version have one winner"),
        (Fault::UpdateIgnoresVersion, "update refuses another version"),
        (Fault::UpdateKeepsVersion, "update adds 1 to the version"),
        (Fault::UpdateMovesCap, keeps),
        (Fault::UpdateMovesCreation, keeps),
        (Fault::UpdateOnlyLengthens, "update may shorten a session"),
        (Fault::UpdatePastCap, "update never moves expires_at past the stored cap"),
        (Fault::UpdateReadsThenWrites, "a raced logout is never lost"),
        (Fault::UpdateReadsThenWrites, "a raced remove_all is never undone"),
        (Fault::UpdateReadsThenWrites, "a raced sweep takes no renewed session"),
        (Fault::UpdateReadsThenWrites, "raced renewals of one version have one winner"),
        (Fault::UpdateRunsAllOfSubject, "update changes that session only"),
        (Fault::UpdateTruncatesToMinutes, "update writes both instants to the second"),
        (Fault::UpdateUpserts, "a logout before a renewal wins"),
        (Fault::UpdateUpserts, "update never creates a session"),
        (Fault::SecondBefore1970IsNone, "instants survive at the ends of the range"),
        (Fault::SubjectsByPrefix, "subjects that look alike are told apart"),
        (Fault::SubjectsIgnoreCase, "subjects that look alike are told apart"),
        (Fault::SweepByCap, "the sweep is half-open"),
        (Fault::SweepByFirstExpiry, "the sweep follows a renewal"),
        (Fault::SweepClosed, "the sweep is half-open"),
        (Fault::SweepIgnoresLimit, "the sweep removes at most its limit"),
        (Fault::SweepOnce, "the sweep goes on until none is left"),
        (Fault::SweepSelectsThenDeletes, "a raced sweep takes no renewed session"),
        (Fault::SweepSelectsThenDeletes, "raced sweeps count each session once"),
        (Fault::SweepTakesLiving, "the sweep takes nothing that lives"),
        (Fault::TextsCutAt255, "odd but legal texts are kept whole"),
        (Fault::TextsTrimmed, "odd but legal texts are kept whole"),
        (Fault::SweepOnce, "10,000 sessions are created, renewed and swept"),
        (Fault::Unavailable, "an empty store holds nothing"),
    ];
    for (fault, name) in faults {
        let report = pollster::block_on(StoreKit::new().check(async || Planted::new(fault)));
        let caught: Vec<_> = report.failed().map(|check| check.name).collect();
        assert!(caught.contains(&name), "{fault:?} is not caught as `{name}` but as {caught:#?}");
    }
    let report = pollster::block_on(StoreKit::new().check(async || MemoryStore::new()));
    for check in report.checks() {
        assert!(faults.iter().any(|(_, name)| *name == check.name), "nothing fails `{check:?}`");
    }
}

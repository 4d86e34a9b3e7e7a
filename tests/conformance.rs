//! The conformance kit passes right stores, and finds each planted fault by name.
#![cfg(all(feature = "memory", feature = "testing"))]
#![allow(clippy::unwrap_used, reason = "a test that fails is to panic")]

#[path = "conformance/columns.rs"]
mod columns;
#[path = "conformance/faults.rs"]
mod faults;
#[path = "conformance/planted.rs"]
mod planted;
#[cfg(all(target_pointer_width = "64", target_endian = "little"))]
#[path = "conformance/recorded.rs"]
mod recorded;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use faults::{Fault, How, KINDS};
use planted::Planted;
use pollster::block_on;
use session_policy::MemoryStore;
use session_policy::store::AnyStore;
use session_policy::testing::{Outcome, Report, StoreKit};

#[test]
#[should_panic(expected = "no check was run: `only` names none of this call's")]
fn a_name_that_no_check_has_is_no_pass() {
    let kit = StoreKit::new().only("udpate refuses");
    block_on(kit.check(async || MemoryStore::new())).assert_passed();
}

#[test]
fn the_memory_store_conforms_by_two_handles_and_by_scans() {
    let empty = async || Arc::new(MemoryStore::new());
    let report = block_on(StoreKit::new().check_with_handles(empty, async |store| store.clone()));
    report.assert_passed();
    block_on(StoreKit::new().check_scan(empty)).assert_passed();
    // What no planted fault fails may be no check at all.
    let found: BTreeSet<_> =
        KINDS.iter().flat_map(|(_, rows)| rows.iter().map(|(_, _, check)| *check)).collect();
    let idle: Vec<_> = report
        .checks()
        .iter()
        .map(|check| check.name)
        .filter(|name| !found.contains(name) && !found.contains(one_handle(name)))
        .filter(|name| *name != "two handles: one stores before it is dropped")
        .collect();
    assert!(idle.is_empty(), "nothing fails {idle:#?}");
}

/// The name of the check that the same is of one handle.
fn one_handle(name: &str) -> &str {
    name.strip_prefix("two handles: ").unwrap_or(name)
}

#[test]
fn a_store_of_an_erased_type_conforms() {
    let empty = async || AnyStore::new(MemoryStore::new());
    let kit = StoreKit::new().large(500);
    block_on(kit.check_with_handles(empty, async |store| store.clone())).assert_passed();
}

#[test]
fn a_right_store_conforms_whether_its_calls_wait_or_not() {
    for waits in [false, true] {
        let empty = async || Planted::new(Fault::None, waits);
        let kit = StoreKit::new().large(500);
        block_on(kit.check_with_handles(empty, async |store| store.another())).assert_passed();
        block_on(kit.check_scan(empty)).assert_passed();
    }
}

/// What the kit does is in `conformance/calls.txt`, check by check: a change that has it
/// do less, or something else, shows there. What it does on threads is not, where chance
/// decides, nor what it asks of a store that says it never waits. With
/// `SESSION_POLICY_WRITE_CALLS=1` it is written anew.
#[cfg(all(target_pointer_width = "64", target_endian = "little"))] // As std hashes there.
#[test]
fn what_the_kit_does_is_what_is_written() {
    let (all, first) = (Mutex::default(), std::sync::atomic::AtomicBool::new(true));
    let empty = async || recorded::Recorded::new(&all, first.swap(false, Ordering::Relaxed));
    let kit = StoreKit::new().large(500);
    let report = block_on(kit.check_with_handles(empty, async |store| store.another()));
    report.assert_passed();
    first.store(true, Ordering::Relaxed);
    let scans = block_on(kit.check_scan(empty));
    scans.assert_passed();
    let none = block_on(kit.only("none of them").check(empty));
    assert!(none.checks().is_empty());
    // Before the checks of each, where they run is found out; and two are of one store.
    let names = report.checks().iter().filter(|check| !check.name.ends_with("outlives it"));
    let names = ["where the checks run"].into_iter().chain(names.map(|check| check.name));
    let names = names.chain(["where the checks of scans run"]);
    let names = names.chain(scans.checks().iter().map(|check| check.name));
    let names: Vec<_> = names.chain(["where the checks of a store in memory run"]).collect();
    let calls = all.into_inner().unwrap();
    assert_eq!(names.len(), calls.len());
    let lines = names.iter().zip(&calls).map(|(name, calls)| recorded::line(calls, name));
    let table: String = lines.collect();
    if std::env::var("SESSION_POLICY_WRITE_CALLS").is_ok_and(|value| value == "1") {
        return std::fs::write("tests/conformance/calls.txt", &table).unwrap();
    }
    let written = include_str!("conformance/calls.txt");
    for (line, written) in table.lines().zip(written.lines()) {
        assert_eq!(line, written);
    }
    assert_eq!(table.lines().count(), written.lines().count());
}

#[test]
fn a_right_store_that_waits_for_a_server_conforms() {
    let kit = StoreKit::new().large(100).only("sweep");
    block_on(kit.check(async || Planted::new(Fault::None, false).waiting_outside()))
        .assert_passed();
}

#[test]
fn an_engine_that_expires_sessions_itself_conforms_if_the_kit_is_told() {
    let empty = async || Planted::new(Fault::LoadHidesExpired, true);
    let kit = StoreKit::new().engine_expires().large(500);
    block_on(kit.check(empty)).assert_passed();
}

#[test]
fn the_kit_may_run_where_futures_move_between_threads() {
    std::thread::spawn(|| {
        let check: std::pin::Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(async {
            let kit = StoreKit::new().large(100).only("remove");
            kit.check(async || MemoryStore::new()).await
        });
        block_on(check).assert_passed();
    })
    .join()
    .unwrap();
}

#[test]
fn an_error_of_the_store_fails_the_check_and_is_shown_with_its_cause() {
    assert_eq!(
        why(Fault::Unavailable, How::Sync, "an empty store holds nothing"),
        "load gives no answer but the error: the session store is unavailable: the cable is out",
    );
}

/// Only what differs is shown.
#[test]
fn a_failed_check_says_what_differs() {
    for (fault, check, expected) in [
        (
            Fault::UpdateKeepsVersion,
            "update adds 1 to the version each time",
            "the updated session: version: expected 1, seen 0",
        ),
        (
            Fault::UpdateIgnoresSecret,
            "update writes the secret",
            "the updated session: the secret differs",
        ),
        (
            Fault::RemoveTwice,
            "remove is idempotent",
            "whether this call removed it: expected false, seen true",
        ),
        (
            Fault::PanicsAtTheEnds,
            "instants survive at the ends of the range",
            "the store panicked: attempt to add with overflow",
        ),
        (
            Fault::LocksTwice,
            "remove_all spares the excepted session",
            "no call was answered for 3s: one hangs, or is never woken",
        ),
        (
            Fault::SweepComparesTexts,
            "the sweep goes by its instant, not by a clock",
            "swept a second before its end in the past: expected 0, seen 3: 3 too many \
             (AGtpdCdzIGlk_4AgAAAAAA, AGtpdCdzIGlk_4AgAAAAAQ, AGtpdCdzIGlk_4AgAAAAAw)",
        ),
        (
            Fault::SweepByLaterClock,
            "the sweep goes by its instant, not by a clock",
            "swept a second before its end in the past: expected 0, seen 10: 10 too many \
             (AGtpdCdzIGlk_4AgAAAAAA, AGtpdCdzIGlk_4AgAAAAAQ, AGtpdCdzIGlk_4AgAAAAAg, ...)",
        ),
        (
            Fault::AboutCutAt255,
            "what a session is about is kept whole, or absent",
            &format!(
                "the session as created: about: expected \"{0}... of 1024 bytes, seen \"{0}... of \
                 255 bytes",
                "x".repeat(119)
            ),
        ),
    ] {
        assert_eq!(why(fault, How::Sync, check), expected);
    }
}

/// Which calls were made, in which order, and what each was told.
#[test]
fn a_failed_race_says_who_was_told_what() {
    for (fault, check, expected) in [
        (
            Fault::UpdateInHalves,
            "a session is read whole while it is written",
            "polled in turn: no order of the raced calls explains what was seen: first version \
             13; update said true, load said version 13 with renewed_at: expected \
             2100-01-01T00:01:09Z, seen 2100-01-01T00:01:10Z; expires_at: expected \
             2100-01-01T00:15:10Z, seen 2100-01-01T00:15:11Z; then version 14",
        ),
        (
            Fault::ListReadsInHalves,
            "a session is read whole while it is written",
            "polled 0 times the first, then 2 times the second: no order of the raced calls \
             explains what was seen: first version 13; update said true, list said version 14 with \
             the secret differs; then version 14",
        ),
        (
            Fault::RemoveAllSelectsThenDeletes,
            "a session is told as removed once, by whichever verb",
            "polled 0 times the first, then 2 times the second: no order of the raced calls \
             explains what was seen: first version 13; remove said true, remove_all said that it \
             removed it 1 times; then no session",
        ),
        (
            Fault::SweepSelectsThenDeletes,
            "raced sweeps tell each session once",
            "polled in turn: no order of the raced calls explains what was seen: first version 0; \
             remove_expired said that it removed it 1 times, remove_expired said that it removed \
             it 1 times; then no session",
        ),
        (
            Fault::CreateChecksThenWritesIfBusy,
            "raced creates of one id have one winner",
            "polled in turn: no order of the raced calls explains what was seen: first no session; \
             create said true, create said false, create said false, create said false, create \
             said false, create said false, 26 more calls; then version 0",
        ),
        (
            Fault::CreateIndexesLater,
            "a call that is dropped is whole or absent, in every view",
            "create, dropped after 2 polls: listed after a race, by what load finds: expected 4, \
             seen 3: 1 missing (AGtpdCdzIGlk_4AgAAAAIw)",
        ),
    ] {
        assert_eq!(why(fault, How::Waits, check), expected);
    }
}

#[test]
fn what_hangs_again_is_given_up_sooner() {
    let kit = StoreKit::new().only("remove_all spares").time_limit(Duration::from_secs(2));
    let report = block_on(kit.check(async || Planted::new(Fault::LocksTwice, false)));
    assert_eq!(report.checks().len(), 2);
    let whys: Vec<_> = report.failed().map(|check| &check.outcome).collect();
    let hangs = |limit| Outcome::Failed {
        why: format!("no call was answered for {limit}: one hangs, or is never woken"),
    };
    assert_eq!(whys, [&hangs("2s"), &hangs("500ms")]);
}

/// Why the check fails.
fn why(fault: Fault, how: How, check: &'static str) -> String {
    let report = checked(fault, how, check);
    let failed: Vec<_> = report.failed().collect();
    match failed.first().map(|check| &check.outcome) {
        Some(Outcome::Failed { why }) => why.clone(),
        _ => panic!("{report}"),
    }
}

#[test]
#[should_panic(
    expected = "the store breaks its contract:\nFAILED remove is idempotent\n  whether \
                           this call removed it: expected false, seen true\n0 passed, 1 failed"
)]
fn a_failed_report_panics_with_the_failed_checks() {
    checked(Fault::RemoveTwice, How::Sync, "remove is idempotent").assert_passed();
}

fn checked(fault: Fault, how: How, check: &'static str) -> Report {
    let kit = StoreKit::new().only(check).time_limit(Duration::from_secs(3));
    let empty = async || Planted::new(fault, how == How::Waits);
    match how {
        How::Expires => block_on(kit.engine_expires().check(empty)),
        How::Outside => block_on(kit.check(async || Planted::new(fault, false).waiting_outside())),
        How::Scan => block_on(kit.check_scan(empty)),
        How::SaysNeverWaits => {
            block_on(kit.check(async || Planted::new(fault, false).saying_that_it_never_waits()))
        }
        How::Sync | How::Waits => block_on(kit.check(empty)),
        How::Threads => block_on(kit.check(async || Planted::new(fault, false).yielding())),
        How::Two => block_on(kit.check_with_handles(empty, async |store| store.another())),
    }
}

/// Prints a table: the fault, the check that finds it, and how long that took.
#[test]
fn each_planted_fault_is_found_by_name() {
    let rows: Vec<_> =
        KINDS.iter().flat_map(|(kind, rows)| rows.iter().map(move |row| (*kind, row))).collect();
    let (next, table) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((kind, (fault, how, check))) =
                    rows.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let started = Instant::now();
                    // What threads find they find by chance, and rarely where the machine
                    // has no core to spare.
                    let runs = if *how == How::Waits { 1 } else { 4 };
                    let found = (0..runs).any(|_| {
                        let report = checked(*fault, *how, check);
                        report.failed().any(|failed| failed.name == *check)
                    });
                    let seconds = started.elapsed().as_secs_f32();
                    table.lock().unwrap().push((*kind, *fault, *how, *check, seconds, found));
                }
            });
        }
    });
    let mut table = table.into_inner().unwrap();
    table.sort_by(|one, other| (one.0, one.1, one.3).cmp(&(other.0, other.1, other.3)));
    for (kind, fault, how, check, seconds, found) in &table {
        let missed = if *found { "" } else { "MISSED " };
        println!(
            "{missed}{kind:20} {:32} {check:70} {seconds:5.2} s",
            format!("{fault:?} {how:?}")
        );
    }
    let missed: Vec<_> =
        table.iter().filter(|row| !row.5).map(|row| (row.1, row.2, row.3)).collect();
    assert!(missed.is_empty(), "not found: {missed:#?}");
}

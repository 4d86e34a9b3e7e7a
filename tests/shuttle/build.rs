//! Has `MemoryStore` take its locks from shuttle, and plants faults in it.

use session_policy_planting::{Fault, Source};

const FILE: &str = "memory.rs";

const FAULTS: &[Fault<'_>] = &[
    Fault {
        name: "AnothersIsEnded",
        file: FILE,
        found: "if is_meant(entry.get()) =>",
        planted: "if PLANTED || is_meant(entry.get()) =>",
    },
    Fault {
        name: "CapacityRaced",
        file: FILE,
        found: "let room = |count: usize| (count < self.capacity).then(|| count + 1);",
        planted: "let seen = if PLANTED { Some(self.count.load(Ordering::Acquire)) } else { None };
        let room = |count: usize| (seen.unwrap_or(count) < self.capacity).then(|| count + 1);",
    },
    Fault {
        name: "CountedTwice",
        file: FILE,
        found: "self.count.fetch_sub(1, Ordering::AcqRel);",
        planted: "self.count.fetch_sub(if PLANTED { 2 } else { 1 }, Ordering::AcqRel);",
    },
    Fault {
        name: "IndexAfterTheRow",
        file: FILE,
        found: "self.expiries().remove(&(held.look_at, id));
        entry.remove();",
        planted: "let place = (held.look_at, id);
        if PLANTED {
            entry.remove();
            self.expiries().remove(&place);
        } else {
            self.expiries().remove(&place);
            entry.remove();
        }",
    },
    Fault {
        name: "LocksReversed",
        file: FILE,
        found: "let mut listed: Vec<_> =",
        planted: "let _shard = if PLANTED { self.subjects.get(subject) } else { None };
            let mut listed: Vec<_> =",
    },
    Fault {
        name: "ListsOnce",
        file: FILE,
        found: "if listed.len() == ids.len() {",
        planted: "if PLANTED || listed.len() == ids.len() {",
    },
    Fault {
        name: "LooksOnce",
        file: FILE,
        found: "loop {
            let mut ids = self.ids_of(subject);",
        planted: "let mut looked = false;
        loop {
            let mut ids = if PLANTED && looked { Vec::new() } else { self.ids_of(subject) };
            looked = true;",
    },
    Fault {
        name: "SweepTrustsTheIndex",
        file: FILE,
        found: "if entry.get().expires_at() <= now {",
        planted: "if PLANTED || entry.get().expires_at() <= now {",
    },
];

fn main() {
    let source = Source::copy("../../src");
    source.edit(FILE, |text| {
        for import in ["use std::sync::{", "use dashmap::{"] {
            assert!(text.contains(import), "{FILE} no longer has `{import}`");
        }
        // A set in the order of its elements, so that a schedule can be replayed.
        text.replace("use std::sync::", "use crate::stand_in::sync::")
            .replace("use dashmap::", "use crate::stand_in::dashmap::")
            .replace("use std::collections::", "use crate::stand_in::collections::")
    });
    source.edit("subject_ids.rs", |text| {
        text.replace("use std::collections::", "use crate::stand_in::collections::")
    });
    source.plant(FAULTS);
}

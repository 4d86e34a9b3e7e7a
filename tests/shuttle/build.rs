//! Copies the crate's source, has `MemoryStore` take its locks from shuttle, and
//! plants faults in it, each behind its switch. Fails if anything no longer finds
//! its place.

use std::path::Path;
use std::{env, fs};

const ROOT: &str = "../../src";

/// A fault of memory.rs: its name, what stands there and what is put in its
/// place, where `PLANTED` is its switch.
const FAULTS: &[(&str, &str, &str)] = &[
    ("AnothersIsEnded", "if is_meant(entry.get()) =>", "if PLANTED || is_meant(entry.get()) =>"),
    (
        "CapacityRaced",
        "let room = |count: usize| (count < self.capacity).then(|| count + 1);",
        "let seen = if PLANTED { Some(self.count.load(Ordering::Acquire)) } else { None };
        let room = |count: usize| (seen.unwrap_or(count) < self.capacity).then(|| count + 1);",
    ),
    (
        "CountedTwice",
        "self.count.fetch_sub(1, Ordering::AcqRel);",
        "self.count.fetch_sub(if PLANTED { 2 } else { 1 }, Ordering::AcqRel);",
    ),
    (
        "IndexAfterTheRow",
        "self.expiries().remove(&(held.look_at, id));
        entry.remove();",
        "let place = (held.look_at, id);
        if PLANTED {
            entry.remove();
            self.expiries().remove(&place);
        } else {
            self.expiries().remove(&place);
            entry.remove();
        }",
    ),
    (
        "LocksReversed",
        "let listed = self.ids_of(subject)",
        "let _shard = if PLANTED { self.subjects.get(subject) } else { None };
        let listed = self.ids_of(subject)",
    ),
    (
        "LooksOnce",
        "loop {
            let mut ids = self.ids_of(subject);",
        "let mut looked = false;
        loop {
            let mut ids = if PLANTED && looked { Vec::new() } else { self.ids_of(subject) };
            looked = true;",
    ),
    (
        "SweepTrustsTheIndex",
        "if entry.get().expires_at() <= now {",
        "if PLANTED || entry.get().expires_at() <= now {",
    ),
];

fn main() {
    println!("cargo::rerun-if-changed={ROOT}");
    println!("cargo::rerun-if-changed=build.rs");
    let out = env::var("OUT_DIR").expect("cargo sets it");
    let out = Path::new(&out);
    copy(Path::new(ROOT), &out.join("src"));
    edit(&out.join("src/memory.rs"), |source| {
        for import in ["use std::sync::{", "use dashmap::{"] {
            assert!(source.contains(import), "memory.rs no longer has `{import}`");
        }
        let mut source = source
            .replace("use std::sync::", "use crate::stand_in::sync::")
            .replace("use dashmap::", "use crate::stand_in::dashmap::");
        for (fault, found, planted) in FAULTS {
            let places = source.matches(found).count();
            assert_eq!(places, 1, "the place of fault {fault} in memory.rs: `{found}`");
            let switch = format!("crate::fault::is_planted(crate::Fault::{fault})");
            source = source.replacen(found, &planted.replace("PLANTED", &switch), 1);
        }
        source
    });
    // A set in the order of its elements, so that a schedule can be replayed.
    for file in ["memory.rs", "subject_ids.rs"] {
        let file = out.join("src").join(file);
        if file.exists() {
            edit(&file, |source| {
                source.replace("use std::collections::", "use crate::stand_in::collections::")
            });
        }
    }
    // Inner attributes and docs cannot be included.
    edit(&out.join("src/lib.rs"), |source| {
        let inner = |line: &&str| !line.starts_with("//!") && !line.starts_with("#![");
        let source: Vec<_> = source.lines().filter(inner).collect();
        source.join("\n")
    });
    let name = |(name, ..): &(&str, _, _)| format!("    /// In build.rs.\n    {name},\n");
    let faults = format!(
        "/// The faults that can be planted.\n#[derive(Clone, Copy, Debug, Eq, PartialEq)]\n\
         pub enum Fault {{\n{}}}\n",
        FAULTS.iter().map(name).collect::<String>(),
    );
    fs::write(out.join("fault.rs"), faults).expect("OUT_DIR can be written");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("OUT_DIR can be written");
    for entry in fs::read_dir(from).expect("the source is there").flatten() {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("OUT_DIR can be written");
        }
    }
}

fn edit(file: &Path, edit: impl FnOnce(String) -> String) {
    let source = fs::read_to_string(file).expect("a copied file");
    fs::write(file, edit(source)).expect("OUT_DIR can be written");
}

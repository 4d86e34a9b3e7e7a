//! Copies the crate's source, has `MemoryStore` take its locks from shuttle, and
//! plants the faults of faults/, each behind a switch. It fails if anything no longer finds
//! its place, so that no fault is silently not planted.

mod faults;

use std::path::{Path, PathBuf};
use std::{env, fs};

use self::faults::{CORE, Fault, MEMORY, RULE};

const SOURCE: &str = "../../src";
const MANIFEST: &str = "../../Cargo.toml";

fn main() {
    for read in [SOURCE, MANIFEST, "Cargo.toml", "build.rs", "faults"] {
        println!("cargo::rerun-if-changed={read}");
    }
    has_the_dependencies_of_the_source();
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let source = Source(out.join("src"));
    copy(Path::new(SOURCE), &source.0);
    source.can_be_included();
    source.takes_its_locks_from_shuttle();
    let faults = [CORE, RULE, MEMORY].concat();
    source.plant(&faults);
    let mut names: Vec<_> = faults.iter().map(|fault| fault.name).collect();
    // Of a fault that has two places.
    names.dedup();
    let names = format!(
        "/// The faults that can be planted.\n\
         #[derive(Clone, Copy, Debug, Eq, PartialEq)]\npub enum Fault {{ {} }}\n",
        names.join(", "),
    );
    fs::write(out.join("fault.rs"), names).expect("OUT_DIR can be written");
}

/// In the words of the crate's manifest, but for the features `testing` and `axum`, which
/// nobody asks for here.
fn has_the_dependencies_of_the_source() {
    let [theirs, ours] = [MANIFEST, "Cargo.toml"].map(|path| read(Path::new(path)));
    let section = theirs.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    for line in section.take_while(|line| !line.is_empty()) {
        let line = line.replace(", optional = true", "");
        let absent =
            ["axum-core", "http", "pin-project-lite", "proptest", "tower-layer", "tower-service"];
        let is_absent = line.split_once(" =").is_some_and(|(name, _)| absent.contains(&name));
        assert!(is_absent || ours.lines().any(|ours| ours == line), "Cargo.toml has no `{line}`");
    }
}

/// The copy.
struct Source(PathBuf);

impl Source {
    /// Inner attributes and docs cannot be included.
    fn can_be_included(&self) {
        self.edit("lib.rs", |text| {
            let inner = |line: &&str| !line.starts_with("//!") && !line.starts_with("#![");
            let text: Vec<_> = text.lines().filter(inner).collect();
            text.join("\n")
        });
    }

    /// And a set and hashes that do not change from run to run, so that a schedule can
    /// be replayed; with two shards, so that keys do and do not meet at one.
    fn takes_its_locks_from_shuttle(&self) {
        let replaces = |file, from: &str, to: &str| {
            self.edit(file, |text| {
                assert!(text.contains(from), "src/{file} no longer has `{from}`");
                text.replace(from, to)
            });
        };
        for (file, modules) in [
            ("store/memory/mod.rs", &["sync", "hash"][..]),
            ("store/memory/shards.rs", &["sync"]),
            ("store/memory/subject_ids.rs", &["collections"]),
        ] {
            for module in modules {
                let (from, to) = ("use std::", "use crate::stand_in::");
                replaces(file, &format!("{from}{module}::"), &format!("{to}{module}::"));
            }
        }
        replaces("store/memory/shards.rs", "SHARDS: usize = 128;", "SHARDS: usize = 2;");
    }

    fn plant(&self, faults: &[Fault]) {
        for Fault { name, file, found, .. } in faults {
            let places = read(&self.0.join(file)).matches(found).count();
            assert_eq!(places, 1, "the place of fault {name} in src/{file}: `{found}`");
        }
        for Fault { name, file, found, planted } in faults {
            let switch = format!("crate::fault::is_planted(crate::Fault::{name})");
            self.edit(file, |text| {
                // Another fault may have been planted in the same expression.
                assert!(text.contains(found), "{name} does not go with another fault");
                text.replacen(found, &planted.replace("PLANTED", &switch), 1)
            });
        }
    }

    /// Has a file read as `edit` makes it.
    fn edit(&self, file: &str, edit: impl FnOnce(&str) -> String) {
        let file = self.0.join(file);
        let text = edit(&read(&file));
        fs::write(file, text).expect("OUT_DIR can be written");
    }
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
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

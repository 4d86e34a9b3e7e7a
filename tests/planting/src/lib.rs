//! For build scripts: a copy of a crate's source in which faults can be switched
//! on. They fail if anything no longer finds its place, so that no fault is
//! silently not planted.

#![allow(clippy::missing_panics_doc, reason = "a build script fails by panicking")]

use std::path::{Path, PathBuf};
use std::{env, fs};

/// A place in the source where it can be made to go wrong.
#[derive(Clone, Copy, Debug)]
pub struct Fault<'a> {
    /// The variant of the generated `Fault`.
    pub name: &'a str,
    /// Its file, from the source's root.
    pub file: &'a str,
    /// What stands there, once.
    pub found: &'a str,
    /// What is put in its place, where `PLANTED` is the switch.
    pub planted: &'a str,
}

/// The copy, in `OUT_DIR/src`, to be included by the crate whose build script this is.
#[derive(Debug)]
pub struct Source {
    out: PathBuf,
}

impl Source {
    /// Copies the source at `root`.
    #[must_use]
    pub fn copy(root: &str) -> Self {
        println!("cargo::rerun-if-changed={root}");
        println!("cargo::rerun-if-changed=build.rs");
        let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
        copy(Path::new(root), &out.join("src"));
        let source = Self { out };
        // Inner attributes and docs cannot be included.
        source.edit("lib.rs", |text| {
            let inner = |line: &&str| !line.starts_with("//!") && !line.starts_with("#![");
            let text: Vec<_> = text.lines().filter(inner).collect();
            text.join("\n")
        });
        source
    }

    /// Has a file read as `edit` makes it.
    pub fn edit(&self, file: &str, edit: impl FnOnce(&str) -> String) {
        let text = edit(&self.read(file));
        fs::write(self.file(file), text).expect("OUT_DIR can be written");
    }

    /// Plants `faults`, and writes `OUT_DIR/fault.rs`: an enum of their names, and
    /// its switch, which the crate has as its module `fault`.
    pub fn plant(self, faults: &[Fault<'_>]) {
        for Fault { name, file, found, .. } in faults {
            let places = self.read(file).matches(found).count();
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
        let names: Vec<_> = faults.iter().map(|fault| fault.name).collect();
        let faults = format!(
            "/// The faults that can be planted.\n\
             #[derive(Clone, Copy, Debug, Eq, PartialEq)]\npub enum Fault {{ {} }}\n\n{}",
            names.join(", "),
            include_str!("switch.rs"),
        );
        fs::write(self.out.join("fault.rs"), faults).expect("OUT_DIR can be written");
    }

    fn file(&self, file: &str) -> PathBuf {
        self.out.join("src").join(file)
    }

    fn read(&self, file: &str) -> String {
        let text = fs::read_to_string(self.file(file));
        text.unwrap_or_else(|error| panic!("src/{file}: {error}"))
    }
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

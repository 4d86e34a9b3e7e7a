//! The quickstart prints what its header says, and refuses bad files in one line.
#![cfg(all(feature = "memory", feature = "serde"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const SOURCE: &str = include_str!("../examples/quickstart.rs");

fn quickstart(arguments: &[&Path]) -> Output {
    Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--profile", "test", "--example", "quickstart", "--"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap()
}

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data").join(name)
}

fn scratch(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).unwrap();
    path
}

/// The text block after "It prints:" in the example's header.
fn promised() -> String {
    let header = SOURCE.split_once("//! It prints:").unwrap().1;
    let block = header.split_once("//! ```text\n").unwrap().1.split_once("//! ```\n").unwrap().0;
    let unprefixed = |line: &'static str| line.strip_prefix("//! ").or(line.strip_prefix("//!"));
    block.lines().map(|line| unprefixed(line).unwrap()).collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn it_prints_what_its_header_says() {
    let output = quickstart(&[]);
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), promised());
    assert!(output.status.success());
}

#[test]
fn a_bad_file_ends_it_with_one_clear_line() {
    let policy = |name, cap| {
        let settings = format!("max_age = \"30m\"\nupdate_age = \"5m\"\nabsolute_cap = {cap}");
        scratch(name, &format!("[default]\n{settings}\n"))
    };
    let log = |name, text| scratch(name, text);
    let good = (shipped("working-day.toml"), shipped("working-day.log"));
    for (policy, log, complaint) in [
        (PathBuf::from("no/such.toml"), good.1.clone(), "no/such.toml: No such file"),
        (good.0.clone(), PathBuf::from("no/such.log"), "no/such.log: No such file"),
        (
            policy("malformed.toml", "8h"),
            good.1.clone(),
            "malformed.toml: TOML parse error at line 4",
        ),
        (
            policy("contradictory.toml", "\"10m\""),
            good.1.clone(),
            "max_age `30m` is longer than absolute_cap `10m`",
        ),
        (policy("misspelt.toml", "\"8h\"\nabsolut_cap = 1"), good.1, "unknown field `absolut_cap`"),
        (
            good.0.clone(),
            log("instant.log", "2026-03-02T09:00:00Z sign-in ada\nnoon request /\n"),
            "instant.log:2: `noon` is no RFC 3339 instant",
        ),
        (
            good.0.clone(),
            log("kind.log", "2026-03-02T09:00:00Z sign-on ada\n"),
            "kind.log:1: `sign-on` is none of `poll`, `request`, `sign-in`",
        ),
        (
            good.0.clone(),
            log("nobody.log", "2026-03-02T09:00:00Z sign-in\n"),
            "nobody.log:1: subject is empty",
        ),
        (
            good.0,
            log("early.log", "2026-03-02T09:00:00Z request /\n"),
            "early.log:1: a request before the first sign-in",
        ),
    ] {
        let output = quickstart(&[&policy, &log]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.starts_with("quickstart: ") && stderr.contains(complaint), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "");
    }
}

//! The example `tokens` prints what its header says.
#![cfg(all(feature = "jwt", feature = "memory"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../examples/tokens.rs"]
#[expect(dead_code, reason = "`main` is not called here")]
mod example;

const SOURCE: &str = include_str!("../examples/tokens.rs");

#[test]
fn it_prints_what_its_header_says() {
    let header = SOURCE.split_once("//! ```text\n").unwrap().1.split_once("//! ```\n").unwrap().0;
    let promised: Vec<&str> =
        header.lines().map(|line| line.trim_start_matches("//!").trim_start()).collect();
    let mut printed = Vec::new();
    example::play(&mut printed).unwrap();
    let printed = String::from_utf8(printed).unwrap();
    assert_eq!(printed.lines().collect::<Vec<_>>(), promised);
}

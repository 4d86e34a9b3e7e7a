//! README's program for axum is the example, and its numbers of lines are those counted.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

const README: &str = include_str!("../../../README.md");
const EXAMPLE: &str = include_str!("../examples/readme.rs");

#[test]
fn the_program_for_axum_is_the_example() {
    let shown = README.split_once("<!-- tests/web/examples/readme.rs -->\n```rust,ignore\n");
    let shown = shown.unwrap().1.split_once("```").unwrap().0;
    let lines = |text: &'static str| text.lines().map(str::trim).collect::<Vec<_>>();
    let (shown, example) = (lines(shown), lines(EXAMPLE));
    assert!(example.windows(shown.len()).any(|window| window == shown), "{shown:#?}");
}

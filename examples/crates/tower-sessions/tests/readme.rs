//! The code of the README is the code that runs.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

const README: &str = include_str!("../README.md");

/// The code under `<!-- from PATH -->`, and the path, of this package only.
fn excerpts() -> Vec<(&'static str, Vec<&'static str>)> {
    let marked = README.split("<!-- from examples/crates/tower-sessions/").skip(1);
    let excerpt = |marked: &'static str| {
        let (path, rest) = marked.split_once(" -->\n```rust,ignore\n").unwrap();
        let code = rest.split_once("\n```").unwrap().0;
        (path, code.lines().map(str::trim).collect())
    };
    marked.map(excerpt).collect()
}

#[test]
fn the_code_of_the_readme_is_that_of_the_source() {
    let excerpts = excerpts();
    assert_eq!(excerpts.len(), 1);
    for (path, code) in excerpts {
        let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
        let source = std::fs::read_to_string(&path).unwrap();
        let source: Vec<_> = source.lines().map(str::trim).collect();
        let stands = source.windows(code.len()).any(|lines| lines == code);
        assert!(stands, "{path} has no `{}`", code.join("\n"));
    }
}

#[test]
fn the_program_of_this_crates_readme_is_the_example() {
    let program = README.split_once("```rust\n").unwrap().1.split_once("```").unwrap().0;
    let (_, example) =
        include_str!("../examples/axum.rs").split_once("as tower_sessions;\n\n").unwrap();
    assert_eq!(program, example);
}

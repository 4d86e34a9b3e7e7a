//! The README's code is the code that runs.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

const README: &str = include_str!("../../../../README.md");

/// The code under `<!-- from PATH -->`, and the path, of this package only.
fn excerpts() -> Vec<(&'static str, Vec<&'static str>)> {
    let marked = README.split("<!-- from examples/apps/actix/").skip(1);
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
    assert_eq!(excerpts.len(), 3);
    for (path, code) in excerpts {
        let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
        let source = std::fs::read_to_string(&path).unwrap();
        let source: Vec<_> = source.lines().map(str::trim).collect();
        let stands = source.windows(code.len()).any(|lines| lines == code);
        assert!(stands, "{path} has no `{}`", code.join("\n"));
    }
}

#[test]
fn the_code_beside_that_of_others_is_what_runs() {
    let table = README.split_once("## In a framework\n").unwrap().1.split_once("\n## ").unwrap().0;
    let rows = table.lines().filter(|line| line.starts_with("| ")).skip(2);
    let sources = [include_str!("../src/api.rs"), include_str!("../src/server.rs")];
    let mut count = 0;
    for code in rows.flat_map(|row| row.split(" | ").nth(2).unwrap().split('`').skip(1).step_by(2))
    {
        assert!(sources.iter().any(|source| source.contains(code)), "`{code}` is in no source");
        count += 1;
    }
    assert_eq!(count, 11);
}

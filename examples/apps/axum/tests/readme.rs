//! What the README shows of this application is what it runs.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

const README: &str = include_str!("../../../../README.md");

/// The code block after this comment of the README.
fn shown(marker: &str) -> &'static str {
    let (_, after) = README.split_once(&format!("<!-- {marker} -->\n")).unwrap();
    let block = after.split_once("```rust,ignore\n").unwrap().1;
    block.split_once("```").unwrap().0
}

/// Each line of these blocks, however indented, stands in the source, in order.
#[test]
fn the_readme_shows_the_use_of_it_as_it_is() {
    for (marker, source) in [
        ("examples/apps/axum/src/app.rs", include_str!("../src/app.rs")),
        ("examples/apps/axum/src/routes.rs", include_str!("../src/routes.rs")),
        ("examples/apps/axum/src/routes/sign_in.rs", include_str!("../src/routes/sign_in.rs")),
    ] {
        let mut lines = source.lines().map(str::trim);
        for line in shown(marker).lines().map(str::trim).filter(|line| *line != "// …") {
            assert!(lines.any(|source| source == line), "`{line}` is not in {marker}, or earlier");
        }
    }
}

#[test]
fn the_code_beside_that_of_others_is_what_runs() {
    let sources = [
        include_str!("../src/routes.rs"),
        include_str!("../src/routes/session.rs"),
        include_str!("../src/routes/devices.rs"),
        include_str!("../src/routes/sign_in.rs"),
    ];
    let table = README.split_once("## In a framework\n").unwrap().1.split_once("\n## ").unwrap().0;
    let rows = table.lines().filter(|line| line.starts_with("| ")).skip(2);
    let mut count = 0;
    for code in rows.flat_map(|row| row.split(" | ").nth(1).unwrap().split('`').skip(1).step_by(2))
    {
        assert!(sources.iter().any(|source| source.contains(code)), "`{code}` is in no route");
        count += 1;
    }
    assert_eq!(count, 9);
}

//! Facts that stand in several places are the same in all of them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

const MANIFEST: &str = include_str!("../Cargo.toml");
const README: &str = include_str!("../README.md");
const LIB: &str = include_str!("../src/lib.rs");
const CHANGELOG: &str = include_str!("../CHANGELOG.md");

fn manifest_value(key: &str) -> &'static str {
    let line = MANIFEST.lines().find(|line| line.starts_with(&format!("{key} = ")));
    line.unwrap().split('"').nth(1).unwrap()
}

/// The rows of the table whose head is `| feature | adds |`, without links.
fn feature_table(text: &str) -> Vec<String> {
    let rows = text.split_once("| feature | adds |").unwrap().1.lines().skip(2);
    rows.map(|row| row.trim_start_matches("//!").trim().replace(['[', ']'], ""))
        .take_while(|row| row.starts_with('|'))
        .collect()
}

#[test]
fn the_oldest_toolchain_of_the_readme_is_the_manifests() {
    let msrv = manifest_value("rust-version");
    assert!(README.contains(&format!("a Rust toolchain from {msrv} on")), "{msrv}");
}

#[test]
fn the_changelog_has_a_heading_for_the_version_or_what_is_unreleased() {
    let version = manifest_value("version");
    let released = CHANGELOG.contains(&format!("## {version}"));
    assert!(released || CHANGELOG.contains("## Unreleased"), "{version}");
}

#[test]
fn the_features_are_the_same_in_readme_rustdoc_and_manifest() {
    let readme = feature_table(README);
    assert_eq!(readme, feature_table(LIB));
    let features = MANIFEST.split_once("[features]\n").unwrap().1.split_once("\n[").unwrap().0;
    let names = features.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name);
    let documented: Vec<_> = readme.iter().map(|row| row.split('`').nth(1).unwrap()).collect();
    let default = features.lines().find(|line| line.starts_with("default = ")).unwrap();
    for name in names.filter(|name| *name != "default") {
        let row = documented.iter().position(|documented| *documented == name);
        let row = &readme[row.unwrap_or_else(|| panic!("`{name}` is not documented"))];
        assert_eq!(row.contains("(default)"), default.contains(&format!("\"{name}\"")), "{row}");
    }
}

#[test]
fn the_rule_is_the_same_in_readme_and_rustdoc() {
    const EVALUATE: &str = include_str!("../src/rule/evaluate.rs");
    let words = |text: &str| -> Vec<String> {
        let rule = text.split_once("cap = min(").unwrap().1.split_once("```").unwrap().0;
        rule.split_whitespace().filter(|word| *word != "///").map(String::from).collect()
    };
    assert_eq!(words(README), words(EVALUATE));
}

/// The chapters of the guide: the name of each and its text.
fn chapters() -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/guide");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let pages = files.filter(|path| path.extension().is_some_and(|kind| kind == "md"));
    let name = |path: &std::path::Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    pages.map(|path| (name(&path), std::fs::read_to_string(&path).unwrap())).collect()
}

/// The heads of the blocks of code, such as `no_run`; of a program that runs it is empty.
fn fences(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.strip_prefix("```")).step_by(2)
}

#[test]
fn each_chapter_of_the_guide_begins_with_its_question_and_has_a_program_that_runs() {
    for (name, text) in chapters() {
        let question = text.lines().next().unwrap();
        assert!(question.ends_with('?') && question.len() <= 100, "{name}: {question}");
        assert!(fences(&text).any(str::is_empty), "{name} has no program that runs");
        let lines = text.lines().filter(|line| !line.starts_with('[')).count();
        assert!((60..=140).contains(&lines), "{name} has {lines} lines");
        for fence in fences(&text) {
            assert!(["", "sql", "text", "toml"].contains(&fence), "{name}: {fence}");
        }
    }
}

#[test]
fn the_readme_and_the_guide_itself_link_to_each_chapter() {
    const GUIDE: &str = include_str!("../src/guide/mod.rs");
    let chapters = chapters();
    for (name, _) in &chapters {
        assert!(README.contains(&format!("](src/guide/{name}.md)")), "README: {name}");
        assert!(GUIDE.contains(&format!("[`{name}`]: ")), "guide: {name}");
        assert!(GUIDE.contains(&format!("pub mod {name} {{}}")), "guide: {name}");
    }
    assert_eq!(README.matches("](src/guide/").count(), chapters.len());
}

#[test]
fn the_readme_is_short() {
    assert!(README.lines().count() <= 180);
}

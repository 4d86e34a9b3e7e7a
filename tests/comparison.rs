//! The comparison in the guide backs each cell, by a pinned source or a test.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const PAGE: &str = include_str!("../src/guide/comparison.md");

/// The cells of the table whose head starts with this.
fn table(head: &str) -> Vec<Vec<&'static str>> {
    let (_, rest) = PAGE.split_once(head).unwrap();
    let rows = rest.lines().skip(2).take_while(|row| row.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// What each reference of the page links to: the address, and the title or nothing.
fn links() -> BTreeMap<&'static str, (&'static str, &'static str)> {
    let defined = PAGE.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: "));
    defined.map(|(key, link)| (key, link.split_once(' ').unwrap_or((link, "")))).collect()
}

/// The references that a cell names.
fn keys(cell: &str) -> impl Iterator<Item = &str> {
    cell.split("][").skip(1).map(|rest| rest.split_once(']').unwrap().0)
}

/// The `name version` that an address pins, or the commit.
fn pinned(address: &str) -> String {
    if let Some(file) = address.strip_prefix("https://github.com/alexedwards/scs/blob/") {
        let (commit, _) = file.split_once('/').unwrap();
        assert!(commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit()), "{address}");
        return "SCS".into();
    }
    if let Some(file) = address.strip_prefix("https://unpkg.com/") {
        let (name, rest) = file.rsplit_once('@').unwrap();
        return format!("{name} {}", rest.split_once('/').unwrap().0);
    }
    let package = address.strip_prefix("https://docs.rs/").unwrap();
    let mut parts = package.trim_start_matches("crate/").split('/');
    format!("{} {}", parts.next().unwrap(), parts.next().unwrap())
}

#[test]
fn every_cell_has_a_link_and_every_link_is_used() {
    let links = links();
    let mut unused: Vec<_> = links.keys().copied().collect();
    let rows = table("| library |");
    assert_eq!(rows.len(), 8);
    for row in rows {
        assert_eq!(row.len(), 7, "{row:?}");
        for cell in &row[1..] {
            for part in cell.split("; ") {
                let backed = keys(part).count() > 0 || part.ends_with(": not checked");
                assert!(backed, "{}: {part}", row[0]);
            }
            for key in keys(cell) {
                assert!(links.contains_key(key), "{}: {key}", row[0]);
                unused.retain(|one| *one != key);
            }
        }
    }
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn every_source_is_one_of_a_version_that_the_page_names_and_has_its_lines() {
    let (text, _) = PAGE.split_once("# What can be run").unwrap();
    let text = text.replace('`', "").split_whitespace().collect::<Vec<_>>().join(" ");
    let (own, peers): (Vec<_>, Vec<_>) =
        links().into_iter().partition(|(key, _)| key.starts_with("own-"));
    assert!(own.iter().all(|(_, (path, _))| path.starts_with("crate::")), "{own:?}");
    for (key, (address, title)) in peers {
        assert!(text.contains(&pinned(address)), "{key}: {address}");
        assert!(title.contains(", line"), "{key}: {title}");
    }
}

#[test]
fn every_test_that_the_page_names_is_there() {
    let questions = 6;
    let rows = table("| question |");
    let mut asked: Vec<_> = rows.iter().map(|row| row[0]).collect();
    asked.dedup();
    assert_eq!(asked.len(), questions, "{asked:?}");
    let named = rows.iter().map(|row| (row[1].trim_matches('`'), row[2].trim_matches('`')));
    let also = [
        ("a_password_change_revokes_what_was_started_under_another_epoch", "tests/jwt_sessions.rs"),
        ("all_200_recorded_traces_replay_exactly", "tests/peer_traces.rs"),
    ];
    for (name, file) in named.chain(also) {
        assert!(PAGE.contains(&format!("`{name}`")) && PAGE.contains(&format!("`{file}`")));
        let code = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let (before, _) = code.split_once(&format!("fn {name}(")).expect(name);
        assert!(before.trim_end().ends_with("#[test]"), "{name} in {file}");
    }
}

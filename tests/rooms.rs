//! The rooms of `src` import in one direction, and its files in no circle.
//!
//! An import is a path that begins with `crate`, `super`, `self` or a child module of
//! the file, in a `use`, in code or in an attribute's string. What follows `//`, at the
//! start of a line or after a space, is a comment: rustfmt leaves no other form. A
//! `use` on the line after `#[cfg(doc)]` is there for links and is skipped up to its
//! semicolon. `pub(in path)` is a visibility. What else looks like a path counts as an
//! import, so that a doubt fails the test.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Each reads those before it.
const ORDER: [&str; 8] = ["time", "rule", "config", "record", "store", "sessions", "jwt", "web"];

/// The rooms that `room` may read; none if it is no room.
fn readable(room: &str) -> Option<&'static [&'static str]> {
    match room {
        "guide" => Some(&[]),
        "review" => Some(&ORDER[..3]),
        "testing" => Some(&ORDER[..5]),
        _ => ORDER.iter().position(|known| *known == room).map(|before| &ORDER[..before]),
    }
}

/// What is wrong with `sources`: paths from the package's root, and texts.
fn violations(sources: &[(String, String)]) -> Vec<String> {
    let files: BTreeMap<_, _> = sources.iter().map(|(file, _)| (module(file), file)).collect();
    let (mut wrong, mut edges) = (Vec::new(), Vec::new());
    for (file, text) in sources.iter().filter(|(file, _)| file != "src/lib.rs") {
        let own = module(file);
        let Some(below) = readable(own[0]) else {
            wrong.push(format!("{file} is in no room"));
            continue;
        };
        for (line, inline, path) in imports(text) {
            let place = format!("{file}:{line}: `{}`", path.join("::"));
            let supers = path.iter().filter(|part| **part == "super").count();
            let up = supers.saturating_sub(usize::from(inline));
            let fault = match path[..] {
                ["crate", room, ..] if room == own[0] => "goes through the room's own mod.rs",
                ["crate", room, ..] if below.contains(&room) => continue,
                ["crate", room, ..] if readable(room).is_some() => "is not below the room",
                ["crate", ..] => "names no room",
                _ if up >= own.len() => "climbs out of the room",
                _ => {
                    let down = path.iter().filter(|part| !["self", "super"].contains(part));
                    let target: Vec<_> =
                        own[..own.len() - up].iter().chain(down).copied().collect();
                    let read = (1..=target.len()).rev().find_map(|end| files.get(&target[..end]));
                    edges.extend(
                        read.filter(|read| **read != file).map(|read| (file, *read, place)),
                    );
                    continue;
                }
            };
            wrong.push(format!("{place} {fault}"));
        }
    }
    // Which file reads which, by way of others.
    let mut reach: BTreeSet<_> = edges.iter().map(|(from, to, _)| (*from, *to)).collect();
    loop {
        let onward = |(from, to)| edges.iter().filter(move |e| e.0 == to).map(move |e| (from, e.1));
        let further: BTreeSet<_> = reach.iter().copied().flat_map(onward).collect();
        if further.is_subset(&reach) {
            break;
        }
        reach.extend(further);
    }
    let circular = edges.into_iter().filter(|(from, to, _)| reach.contains(&(*to, *from)));
    wrong.extend(circular.map(|(_, to, place)| format!("{place} closes a circle with {to}")));
    wrong
}

/// `src/jwt/keys/key.rs` is `jwt`, `keys`, `key`; `src/jwt/mod.rs` is `jwt`.
fn module(file: &str) -> Vec<&str> {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').collect()
}

/// A word or a sign, and the line on which it stands.
type Token<'a> = (usize, &'a str);

/// The line of each import, whether it stands in an inline module, and its path.
fn imports(text: &str) -> Vec<(usize, bool, Vec<&str>)> {
    let (outer, inline) = tokens(text);
    let children = outer.windows(3).filter(|three| three[0].1 == "mod" && three[2].1 == ";");
    let mut starts = vec!["crate", "super", "self"];
    starts.extend(children.map(|three| three[1].1));
    let mut found = Vec::new();
    for (tokens, inline) in [(outer, false), (inline, true)] {
        let (mut rest, mut paths) = (&tokens[..], Vec::new());
        while !rest.is_empty() {
            rest = match rest {
                [(_, "("), (_, "in"), visible @ ..] => tree(visible, &[], &mut Vec::new()),
                _ => tree(rest, &[], &mut paths),
            };
        }
        paths.retain(|(_, path)| path.len() > 1 && starts.contains(&path[0]));
        found.extend(paths.into_iter().map(|(line, path)| (line, inline, path)));
    }
    found
}

/// Reads one path, or all those of a `use` tree, and returns what comes after.
fn tree<'t, 'a>(
    tokens: &'t [Token<'a>],
    prefix: &[&'a str],
    found: &mut Vec<(usize, Vec<&'a str>)>,
) -> &'t [Token<'a>] {
    match tokens {
        [(_, "{"), rest @ ..] if !prefix.is_empty() => {
            let mut rest = rest;
            loop {
                rest = match rest {
                    [] => return rest,
                    [(_, "}"), rest @ ..] => return rest,
                    [(_, "as"), _, rest @ ..] | [(_, ","), rest @ ..] => rest,
                    _ => tree(rest, prefix, found),
                }
            }
        }
        [(_, name), (_, "::"), rest @ ..] => tree(rest, &[prefix, &[*name]].concat(), found),
        [(line, name), rest @ ..] => {
            found.push((*line, [prefix, &[*name]].concat()));
            rest
        }
        [] => tokens,
    }
}

/// The code of a file, and the code of modules written within it.
fn tokens(text: &str) -> (Vec<Token<'_>>, Vec<Token<'_>>) {
    let (mut outer, mut inline) = (Vec::new(), Vec::new());
    let (mut in_module, mut after_doc, mut in_doc) = (false, false, false);
    for (line, code) in (1..).zip(text.lines()) {
        let code = if code.trim_start().starts_with("//") { "" } else { code };
        let mut code = code.split(" // ").next().unwrap();
        let module = code.starts_with("mod ") || code.starts_with("pub") && code.contains(" mod ");
        in_module = (in_module || module && code.ends_with('{')) && code != "}";
        in_doc |= after_doc && code.trim_start().starts_with("use ");
        after_doc = ["#[cfg(doc)]", "#[cfg(all(doc, "].iter().any(|doc| code.contains(doc));
        let skipped = in_doc;
        in_doc &= !code.ends_with(';');
        while !skipped && !code.is_empty() {
            let word = code.find(|c: char| !c.is_alphanumeric() && c != '_');
            let end = match word.unwrap_or(code.len()) {
                0 if code.starts_with("::") => 2,
                0 => code.chars().next().unwrap().len_utf8(),
                end => end,
            };
            let tokens = if in_module { &mut inline } else { &mut outer };
            tokens.extend((code[..end].trim() != "").then_some((line, &code[..end])));
            code = &code[end..];
        }
    }
    (outer, inline)
}

/// The Rust files under `folder`, with their paths from `root`.
fn read(root: &Path, folder: &Path, sources: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(root, &path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let file = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            sources.push((file, fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn rooms_import_in_one_direction_and_files_in_no_circle() {
    let (root, mut sources) = (Path::new(env!("CARGO_MANIFEST_DIR")), Vec::new());
    read(root, &root.join("src"), &mut sources);
    assert!(sources.len() >= 40, "only {} files were read", sources.len());
    let rooms: BTreeSet<_> = sources.iter().map(|(file, _)| module(file)[0]).collect();
    let rooms: Vec<_> = rooms.into_iter().filter(|room| readable(room).is_some()).collect();
    assert!(rooms.len() >= 10, "only {rooms:?} were found");
    let wrong = violations(&sources);
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What is wrong with files of these texts.
fn planted(sources: &[(&str, &str)]) -> Vec<String> {
    let owned = |(file, text): &(&str, &str)| (format!("src/{file}"), String::from(*text));
    violations(&sources.iter().map(owned).collect::<Vec<_>>())
}

#[test]
fn each_forbidden_import_is_reported_with_file_line_and_path() {
    for (file, text, reported) in [
        (
            "rule/policy.rs",
            "use crate::{time::{self, Clock as C},\n    store::{any::Any as A, Update}};",
            &[
                "2: `crate::store::any::Any` is not below the room",
                "2: `crate::store::Update` is not below the room",
            ][..],
        ),
        (
            "record/id.rs",
            "\nfn id() -> Vec::<crate::jwt::Claims> {}",
            &["2: `crate::jwt::Claims` is not below the room"],
        ),
        (
            "config/limit.rs",
            "#[serde(with = \"crate::web::secs\")]",
            &["1: `crate::web::secs` is not below the room"],
        ),
        (
            "review/impact.rs",
            "use crate::config::Limit;\nuse crate::record::Id;",
            &["2: `crate::record::Id` is not below the room"],
        ),
        (
            "testing/race.rs",
            "use crate::store::Update;\nuse crate::jwt::Key;",
            &["2: `crate::jwt::Key` is not below the room"],
        ),
        (
            "guide/mod.rs",
            "use crate::time::Clock;",
            &["1: `crate::time::Clock` is not below the room"],
        ),
        (
            "web/layer.rs",
            "use crate::Policy;\nuse crate::*;",
            &["1: `crate::Policy` names no room", "2: `crate::*` names no room"],
        ),
        (
            "jwt/claims.rs",
            "pub(in crate::jwt) fn f() -> crate::jwt::Key {}",
            &["1: `crate::jwt::Key` goes through the room's own mod.rs"],
        ),
        (
            "jwt/keys/key.rs",
            "use super::super::codec::A;\nuse super::super::super::web::B;",
            &["2: `super::super::super::web::B` climbs out of the room"],
        ),
        ("jwt/mod.rs", "use super::Policy;", &["1: `super::Policy` climbs out of the room"]),
        (
            "time/clock.rs",
            "mod tests {\n    use super::super::secs;\n}\nuse super::super::secs;",
            &["4: `super::super::secs` climbs out of the room"],
        ),
    ] {
        let expected: Vec<_> = reported.iter().map(|rest| format!("src/{file}:{rest}")).collect();
        assert_eq!(planted(&[(file, text)]), expected, "{text}");
    }
    assert_eq!(planted(&[("clock.rs", "")]), ["src/clock.rs is in no room"]);
}

#[test]
fn a_circle_of_files_is_reported_at_each_of_its_imports() {
    let two =
        [("rule/a.rs", "use super::b::{self, B};"), ("rule/b.rs", "\nfn b() { super::a::A }")];
    assert_eq!(
        planted(&two),
        [
            "src/rule/a.rs:1: `super::b::self` closes a circle with src/rule/b.rs",
            "src/rule/a.rs:1: `super::b::B` closes a circle with src/rule/b.rs",
            "src/rule/b.rs:2: `super::a::A` closes a circle with src/rule/a.rs",
        ]
    );
    // By way of what the room's mod.rs exports; to declare a file is not to read it.
    let three = [
        ("rule/mod.rs", "mod a;\nmod b;\npub use a::A;"),
        ("rule/a.rs", "use super::b::B;"),
        ("rule/b.rs", "use super::A;"),
    ];
    assert_eq!(
        planted(&three),
        [
            "src/rule/mod.rs:3: `a::A` closes a circle with src/rule/a.rs",
            "src/rule/a.rs:1: `super::b::B` closes a circle with src/rule/b.rs",
            "src/rule/b.rs:1: `super::A` closes a circle with src/rule/mod.rs",
        ]
    );
    assert_eq!(planted(&[three[0], three[1], ("rule/b.rs", "")]), [""; 0]);
}

#[test]
fn comments_docs_and_imports_for_docs_are_no_imports() {
    let text = "//! [`crate::web`]\n/// [`crate::Policy`]\n#[cfg(doc)]\nuse crate::{\n    Policy,\n};\n\
        let x = 1; // as crate::web::Layer does\nuse crate::time::Clock;";
    assert_eq!(planted(&[("rule/policy.rs", text)]), [""; 0]);
    let after = format!("{text}\nuse crate::web::Layer;");
    assert_eq!(planted(&[("rule/policy.rs", &after)]).len(), 1);
}

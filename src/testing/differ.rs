//! What differs, and only that: no whole records, and no secrets.

use core::fmt::Debug;
use std::collections::BTreeMap;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::report::{Failure, Verdict};
use crate::record::{Session, SessionId};
use crate::store::Removed;

/// So many ids are named.
const NAMED: usize = 3;

/// Fails unless `seen` is `expected`; `what` says of what.
pub(super) fn expect<T: Debug + PartialEq>(what: &str, expected: &T, seen: &T) -> Verdict {
    if expected == seen {
        return Ok(());
    }
    Err(Failure::new(format!("{what}: expected {}, seen {}", shown(expected), shown(seen))))
}

/// Fails unless the session that was seen is the expected one, field by field.
pub(super) fn expect_session(
    what: &str,
    expected: Option<&Session>,
    seen: Option<&Session>,
) -> Verdict {
    match (expected, seen) {
        (None, None) => Ok(()),
        (None, Some(seen)) => Err(Failure::new(format!(
            "{what}: expected no session, seen one at version {}",
            seen.version(),
        ))),
        (Some(expected), None) => Err(Failure::new(format!(
            "{what}: expected the session at version {}, seen none",
            expected.version(),
        ))),
        (Some(expected), Some(seen)) if expected == seen => Ok(()),
        (Some(expected), Some(seen)) => {
            Err(Failure::new(format!("{what}: {}", differences(expected, seen).join("; "))))
        }
    }
}

/// Fails unless the sessions that were seen are the expected ones, in any order.
pub(super) fn expect_sessions(what: &str, expected: &[Session], seen: &[Session]) -> Verdict {
    let ids = |sessions: &[Session]| sessions.iter().map(Session::id).collect::<Vec<_>>();
    expect_ids(what, &ids(expected), &ids(seen))?;
    let seen: BTreeMap<_, _> = seen.iter().map(|session| (session.id(), session)).collect();
    for expected in expected {
        expect_session(what, Some(expected), seen.get(&expected.id()).copied())?;
    }
    Ok(())
}

/// Fails unless the ids that were seen are the expected ones, each once.
pub(super) fn expect_ids(what: &str, expected: &[SessionId], seen: &[SessionId]) -> Verdict {
    let mut counts = BTreeMap::<_, (usize, usize)>::new();
    for id in expected {
        counts.entry(*id).or_default().0 += 1;
    }
    for id in seen {
        counts.entry(*id).or_default().1 += 1;
    }
    let those = |is_meant: fn(&(usize, usize)) -> bool| {
        counts.iter().filter(|(_, count)| is_meant(count)).map(|(id, _)| *id).collect::<Vec<_>>()
    };
    let missing = those(|(_, seen)| *seen == 0);
    let extra = those(|(expected, _)| *expected == 0);
    let repeated = those(|(expected, seen)| *expected > 0 && seen > expected);
    let mut wrong = Vec::new();
    for (ids, how) in [(missing, "missing"), (extra, "too many"), (repeated, "seen repeatedly")] {
        if !ids.is_empty() {
            wrong.push(format!("{} {how} ({})", ids.len(), named(&ids)));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let (expected, seen, wrong) = (expected.len(), seen.len(), wrong.join(", "));
    Err(Failure::new(format!("{what}: expected {expected}, seen {seen}: {wrong}")))
}

/// Fails unless exactly these were said to have been removed, each as it was.
pub(super) fn expect_removed(what: &str, expected: &[Session], seen: &[Removed]) -> Verdict {
    let ids: Vec<_> = expected.iter().map(Session::id).collect();
    expect_ids(what, &ids, &seen.iter().map(Removed::id).collect::<Vec<_>>())?;
    for session in expected {
        for seen in seen.iter().filter(|seen| seen.id() == session.id()) {
            let expected = Removed::of(session);
            let field = |name: &str| format!("{what}: {name} of what was removed");
            expect(&field("subject"), &expected.subject(), &seen.subject())?;
            expect(&field("profile"), &expected.profile(), &seen.profile())?;
            expect(&field("expires_at"), &expected.expires_at(), &seen.expires_at())?;
            let cap = (expected.absolute_expires_at(), seen.absolute_expires_at());
            expect(&field("absolute_expires_at"), &cap.0, &cap.1)?;
        }
    }
    Ok(())
}

/// What is not the same in two sessions.
pub(super) fn differences(expected: &Session, seen: &Session) -> Vec<String> {
    let mut found = Vec::new();
    let mut field = |name: &str, expected: &dyn Debug, seen: &dyn Debug| {
        let (expected, seen) = (shown(&expected), shown(&seen));
        if expected != seen {
            found.push(format!("{name}: expected {expected}, seen {seen}"));
        }
    };
    let (a, b) = (expected.lifetime(), seen.lifetime());
    field("id", &expected.id(), &seen.id());
    field("version", &expected.version(), &seen.version());
    field("created_at", &a.created_at(), &b.created_at());
    field("renewed_at", &a.renewed_at(), &b.renewed_at());
    field("expires_at", &a.expires_at(), &b.expires_at());
    field("absolute_expires_at", &a.absolute_expires_at(), &b.absolute_expires_at());
    field("generation", &expected.generation(), &seen.generation());
    field("confirmed_at", &expected.confirmed_at(), &seen.confirmed_at());
    field("epoch", &expected.epoch(), &seen.epoch());
    field("ordinal", &expected.ordinal(), &seen.ordinal());
    for (name, expected, seen) in [
        ("subject", Some(expected.subject()), Some(seen.subject())),
        ("profile", Some(expected.profile()), Some(seen.profile())),
        ("about", expected.about(), seen.about()),
    ] {
        if expected != seen {
            let bytes = |text: Option<&str>| match text {
                Some(text) => format!("{} of {} bytes", shown(&text), text.len()),
                None => "none".to_string(),
            };
            found.push(format!("{name}: expected {}, seen {}", bytes(expected), bytes(seen)));
        }
    }
    if expected.secret() != seen.secret() {
        found.push("the secret differs".to_string());
    }
    found
}

fn named(ids: &[SessionId]) -> String {
    let mut names: Vec<_> = ids.iter().take(NAMED).map(SessionId::to_string).collect();
    if ids.len() > NAMED {
        names.push("...".to_string());
    }
    names.join(", ")
}

/// Cuts what would fill the screen, such as a text of 1 KiB.
fn shown(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    match text.char_indices().nth(120) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

//! Subjects and ids that are taken for one somewhere.

use core::slice::from_ref;
use std::collections::HashMap;
use std::format;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::string::String;
use std::vec::Vec;

use super::differ::{expect_ids, expect_removed};
use super::fixture::{at, id, session_of};
use super::probe::Probe;
use super::report::Verdict;
use crate::record::SessionId;

pub(super) async fn told_apart(probe: Probe) -> Verdict {
    let mut subjects: Vec<String> = LOOK_ALIKES.iter().map(|one| String::from(*one)).collect();
    for length in [63, 127, 254, 255, 256, 511, 763, 764, 767, 768, 1_000, 1_022, 1_023] {
        let long = "x".repeat(length);
        subjects.extend(["", "a", "A", "b"].map(|last| long.clone() + last));
    }
    subjects.extend(collisions());
    subjects.sort();
    subjects.dedup();
    let sessions: Vec<_> =
        (0..).zip(&subjects).map(|(n, subject)| session_of(n, subject.as_str())).collect();
    probe.create_all(&sessions).await?;
    for session in &sessions {
        let what = format!("the one session of {:.40?}", session.subject());
        probe.lists(&what, session.subject(), from_ref(session)).await?;
    }
    for session in &sessions {
        let what = format!("ended of {:.40?}", session.subject());
        let ended = probe.remove_all(session.subject(), None).await?;
        expect_ids(&what, &[session.id()], &ended)?;
    }
    expect_removed("left over", &[], &probe.sweep(at(901), u32::MAX).await?)
}

/// Subjects that are one by a short hash, such as people take for a key.
fn collisions() -> Vec<String> {
    // CRC-32, FNV-1a of 32 bits, djb2, Java's hashCode, sums of bytes.
    let known = "plumless buckeroo costarring liquid declinate macallums hetairas mentioner \
                 heliotropes neurospora Aa BB AaAa BBBB listen silent ad bc";
    let mut found: Vec<String> = known.split_whitespace().map(String::from).collect();
    let hashes: [fn(&String, &mut DefaultHasher); 3] = [
        |subject, hasher| subject.hash(hasher),
        |subject, hasher| subject.as_bytes().hash(hasher),
        |subject, hasher| hasher.write(subject.as_bytes()),
    ];
    for hash in hashes {
        found.extend(twins(|n| format!("user-{n}"), hash));
    }
    found
}

/// Ids that are one by half of the standard hash.
pub(super) fn twin_ids() -> Vec<SessionId> {
    let hashes: [fn(&SessionId, &mut DefaultHasher); 3] = [
        |id, hasher| id.hash(hasher),
        |id, hasher| id.as_bytes().hash(hasher),
        |id, hasher| hasher.write(id.as_bytes()),
    ];
    hashes.into_iter().flat_map(|hash| twins(|n| id(1_000_000 + n), hash)).collect()
}

/// Two that have the same low half of the standard hash, and two with the high one.
fn twins<T>(make: impl Fn(u32) -> T, hash: fn(&T, &mut DefaultHasher)) -> Vec<T> {
    let mut found = Vec::new();
    for shift in [0, 32] {
        let mut seen = HashMap::new();
        for n in 0..400_000 {
            let mut hasher = DefaultHasher::new();
            hash(&make(n), &mut hasher);
            let half = (hasher.finish() >> shift) & u64::from(u32::MAX);
            if let Some(twin) = seen.insert(half, n) {
                found.extend([make(n), make(twin)]);
                break;
            }
        }
    }
    found
}

/// Subjects that a collation, a trim, a pattern, a prefix or a case takes for one.
const LOOK_ALIKES: &[&str] = &[
    "user",
    "\u{142}ser",
    "lser",
    "\u{111}ser",
    "dser",
    "\u{f8}ser",
    "oser",
    "\u{153}ser",
    "oeser",
    "User",
    "USER",
    "user ",
    "user  ",
    " user",
    "user\t",
    "user\n",
    "user\r\n",
    "use",
    "userr",
    "use_",
    "use%",
    "us*r",
    "u[s]er",
    "user'",
    "user\"",
    "\\user",
    "us\u{e9}r",
    "us\u{301}er",
    "use\u{301}r",
    "us\u{e8}r",
    "\u{ff55}ser",
    "us\u{435}r",
    "u\u{17f}er",
    "us\u{200b}er",
    "us\u{ad}er",
    "us\u{200d}er",
    "\u{feff}user",
    "user\u{200e}",
    "us\u{1}er",
    "us\u{2060}er",
    "us\u{fe0f}er",
    "us\u{34f}er",
    "user\u{a0}",
    "user\u{3000}",
    "us\u{180e}er",
    "us\u{e0001}er",
    "us\u{7f}er",
    "stra\u{df}e",
    "strasse",
    "STRASSE",
    "stra\u{1e9e}e",
    "\u{e6}",
    "ae",
    "\u{fb01}",
    "fi",
    "\u{2126}",
    "\u{3c9}",
    "\u{3a9}",
    "\u{3c3}",
    "\u{3c2}",
    "\u{212b}",
    "\u{e5}",
    "a\u{30a}",
    "K",
    "k",
    "\u{212a}",
    "1",
    "01",
    "1.0",
    "+1",
    "1e0",
    "0x1",
    "\u{ff11}",
    "\u{b9}",
    "\u{2460}",
    "\u{661}",
    "\u{130}",
    "i\u{307}",
    "i",
    "I",
    "\u{131}",
    "\u{304b}",
    "\u{30ab}",
    "\u{ff76}",
    "\u{304c}",
    "\u{304b}\u{3099}",
    "\u{30ac}",
    "\u{3042}",
    "\u{3041}",
    "\u{30a2}",
    "\u{30a1}",
    "\u{30fc}",
    "\u{2010}",
    "-",
    "\u{2212}",
    "\u{ac00}",
    "\u{1100}\u{1161}",
    "\u{4e00}",
    "\u{2f00}",
    "\u{1f600}",
    "\u{1f601}",
    "\u{1f469}\u{200d}\u{1f4bb}",
    "\u{1f469}\u{1f4bb}",
    "\u{10ffff}",
    "\u{10fffe}",
    "\u{fffd}",
    "\u{10000}",
    "\u{10001}",
    "\u{e000}",
    "?",
    "??",
    "\u{434}",
    "\u{414}",
    "\u{10428}",
    "\u{10400}",
    "co-op",
    "coop",
    "a.b",
    "ab",
    "a b",
    "user@example.com",
    "user@EXAMPLE.com",
    "null",
    "NULL",
    "true",
    "id:1",
    "id",
    ":1",
    "user:42",
    "user:42:x",
    "user/42",
    "{user}",
    "a,b",
    "a;b",
    "a|b",
    "0",
    "00",
    "-0",
];

use std::collections::HashMap;
use std::format;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::string::{String, ToString};
use std::vec::Vec;

use super::call::{Answer, Call};
use super::differ::{expect, expect_ids, expect_removed};
use super::fixture::{SUBJECT, at, full, id, rewrite, session, session_of, with, with_lifetime};
use super::probe::Probe;
use super::report::{Failure, Verdict};
use crate::record::{Session, SessionId};
use crate::rule::Lifetime;

pub(super) async fn list(probe: Probe) -> Verdict {
    probe.lists("no session of an unknown subject", SUBJECT, &[]).await?;
    let idle = with_lifetime(&session(0), Lifetime::ordered(at(0), at(0), at(0), at(3_607)));
    let ended = with_lifetime(&session(1), Lifetime::ordered(at(0), at(0), at(0), at(0)));
    let sessions = [idle, ended, session(2), full(3)];
    probe.create_all(&sessions).await?;
    probe.create(&session_of(4, "user-43")).await?;
    probe.lists("all sessions of the subject", SUBJECT, &sessions).await
}

pub(super) async fn list_follows(probe: Probe) -> Verdict {
    let mut sessions: Vec<_> = (0..6).map(session).collect();
    probe.create_all(&sessions).await?;
    probe.lists("all, as created", SUBJECT, &sessions).await?;
    let update = rewrite(&sessions[0], 60);
    expect("updated", &true, &probe.update(&update).await?)?;
    let updated = update.apply(&sessions[0]);
    sessions[0] = updated.ok_or_else(|| Failure::new("an update that applies"))?;
    probe.lists("one updated", SUBJECT, &sessions).await?;
    expect("removed", &true, &probe.remove(id(1)).await?)?;
    sessions.remove(1);
    probe.lists("one removed", SUBJECT, &sessions).await?;
    let swept = probe.sweep(at(901), 2).await?;
    expect("swept", &2, &swept.len())?;
    sessions.retain(|session| swept.iter().all(|removed| removed.id() != session.id()));
    probe.lists("two swept", SUBJECT, &sessions).await?;
    let new = session(7);
    probe.create(&new).await?;
    sessions.push(new);
    probe.lists("one created", SUBJECT, &sessions).await?;
    probe.remove_all(SUBJECT, Some(id(7))).await?;
    probe.lists("all ended but one", SUBJECT, &[session(7)]).await
}

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
        probe.lists(&what, session.subject(), &[session.clone()]).await?;
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
    let known = [
        // CRC-32, FNV-1a of 32 bits, djb2, Java's hashCode, sums of bytes.
        "plumless",
        "buckeroo",
        "costarring",
        "liquid",
        "declinate",
        "macallums",
        "hetairas",
        "mentioner",
        "heliotropes",
        "neurospora",
        "Aa",
        "BB",
        "AaAa",
        "BBBB",
        "listen",
        "silent",
        "ad",
        "bc",
    ];
    let mut found: Vec<String> = known.map(String::from).to_vec();
    // Of the standard hash, a half.
    for part in 0..6 {
        let mut seen = HashMap::new();
        for n in 0..400_000 {
            let subject = format!("user-{n}");
            let mut hasher = DefaultHasher::new();
            match part % 3 {
                0 => subject.hash(&mut hasher),
                1 => subject.as_bytes().hash(&mut hasher),
                _ => hasher.write(subject.as_bytes()),
            }
            let hash = hasher.finish();
            let half = if part < 3 { hash & u64::from(u32::MAX) } else { hash >> 32 };
            if let Some(twin) = seen.insert(half, n) {
                found.extend([subject, format!("user-{twin}")]);
                break;
            }
        }
    }
    found
}

/// Subjects that a collation, a trim, a pattern, a prefix or a case takes for one.
const LOOK_ALIKES: &[&str] = &[
    "user",
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

pub(super) async fn remove_all(probe: Probe) -> Verdict {
    let mut sessions: Vec<_> = (0..4).map(session).collect();
    sessions.push(full(4));
    sessions.push(with_lifetime(&session(5), Lifetime::ordered(at(0), at(0), at(0), at(0))));
    probe.create_all(&sessions).await?;
    for updated in [0, 4] {
        let update = rewrite(&sessions[updated], 9);
        expect("updated", &true, &probe.update(&update).await?)?;
    }
    let other = session_of(9, "user-43");
    probe.create(&other).await?;
    let ids: Vec<_> = sessions.iter().map(Session::id).collect();
    expect_ids("ended", &ids, &probe.remove_all(SUBJECT, None).await?)?;
    expect_ids("ended once more", &[], &probe.remove_all(SUBJECT, None).await?)?;
    for session in &sessions {
        probe.lacks("no session after remove_all", session.id()).await?;
        let late = rewrite(session, 10);
        expect("a late update", &false, &probe.update(&late).await?)?;
        expect("removed once more", &false, &probe.remove(session.id()).await?)?;
    }
    probe.lists("listed after remove_all", SUBJECT, &[]).await?;
    let ended = probe.remove_all("nobody", None).await?;
    expect_ids("ended of an unknown subject", &[], &ended)?;
    probe.holds("the session of another subject", &other).await?;
    expect_removed("left for a sweep", &[other], &probe.sweep(at(901), 10).await?)
}

pub(super) async fn remove_all_except(probe: Probe) -> Verdict {
    let sessions: Vec<_> = (0..4).map(|n| if n == 1 { full(1) } else { session(n) }).collect();
    probe.create_all(&sessions).await?;
    let others = [session_of(9, "user-43"), session_of(10, "user-43")];
    probe.create_all(&others).await?;
    let ended = probe.remove_all(SUBJECT, Some(id(1))).await?;
    expect_ids("the others, ended", &[id(0), id(2), id(3)], &ended)?;
    probe.holds("the excepted session", &sessions[1]).await?;
    probe.lists("listed but for the excepted", SUBJECT, &sessions[1..2]).await?;
    let again = probe.remove_all(SUBJECT, Some(id(1))).await?;
    expect_ids("nothing left but the excepted", &[], &again)?;
    let updated = super::update::must_win(&probe, &rewrite(&sessions[1], 4), &sessions[1]).await?;
    let swept = probe.sweep(updated.lifetime().expires_at(), 10).await?;
    let [one, other] = others;
    expect_removed("swept after the exception", &[updated, one, other], &swept)
}

/// An `except` that is not there, or another's, spares nothing and nobody.
pub(super) async fn unknown_except(probe: Probe) -> Verdict {
    let mut near = *id(0).as_bytes();
    near[15] ^= 1 << 7;
    let foreign = full(9);
    let foreign = with(&foreign, |parts| parts.subject = "user-43".into());
    probe.create(&foreign).await?;
    let removed = session(8);
    probe.create(&removed).await?;
    expect("removed", &true, &probe.remove(removed.id()).await?)?;
    for except in [
        id(77),
        SessionId::from_bytes(near),
        foreign.id(),
        removed.id(),
        SessionId::from_bytes([0; 16]),
    ] {
        let sessions: Vec<_> = (0..3).map(session).collect();
        probe.create_all(&sessions).await?;
        let ids: Vec<_> = sessions.iter().map(Session::id).collect();
        let ended = probe.remove_all(SUBJECT, Some(except)).await?;
        expect_ids("ended, where the excepted is not there", &ids, &ended)?;
        probe.lists("listed, where the excepted is not there", SUBJECT, &[]).await?;
        for id in ids {
            probe.lacks("no session after remove_all", id).await?;
        }
        probe.holds("the session of another subject", &foreign).await?;
        let ended = probe.remove_all(SUBJECT, Some(except)).await?;
        expect_ids("ended, where nothing is there", &[], &ended)?;
        match probe.call(0, &Call::Load(removed.id())).await? {
            Answer::Found(None) => {}
            _ => {
                return Err(Failure::new(
                    "a removed session came back as the excepted one".to_string(),
                ));
            }
        }
    }
    Ok(())
}

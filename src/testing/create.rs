use std::string::{String, ToString};
use std::sync::Arc;

use super::fixture::{at, id, renewal_at, session, session_of, with, with_lifetime};
use super::probe::{Probe, Verdict, expect, unexpected};
use crate::record::{SecretHash, Session, SessionId};
use crate::rule::Lifetime;
use crate::store::{SessionStore, StoreError};
use crate::time::Timestamp;

pub(super) async fn keeps_every_field<S: SessionStore>(store: Probe<S>) -> Verdict {
    let plain = session(0);
    let full = with(&session(1), |parts| {
        parts.profile = Arc::from("remember-me");
        parts.version = 3;
        parts.secret = SecretHash::from_bytes(*b"\0 0'\"\\%\xff\x80 hash of thirty-two   \0");
        parts.lifetime = Lifetime::ordered(at(1), at(62), at(903), at(3_604));
        parts.generation = 2;
        parts.confirmed_at = None;
    });
    for session in [&plain, &full] {
        store.create(session).await?;
    }
    for session in [&plain, &full] {
        store.holds("the session as created", session).await?;
    }
    Ok(())
}

pub(super) async fn never_replaces<S: SessionStore>(store: Probe<S>) -> Verdict {
    let held = session(0);
    store.create(&held).await?;
    let thief = with(&held, |parts| {
        parts.subject = Arc::from("mallory");
        parts.secret = SecretHash::from_bytes([9; 32]);
    });
    for taker in [&thief, &held] {
        match store.store.create(taker).await {
            Err(StoreError::Conflict) => {}
            other => return Err(unexpected("a taken id is refused as `Conflict`", &other)),
        }
        store.holds("the first session, unchanged", &held).await?;
    }
    Ok(())
}

pub(super) async fn ids_told_apart<S: SessionStore>(store: Probe<S>) -> Verdict {
    let held = session(0);
    store.create(&held).await?;
    for bit in 0..128 {
        let mut bytes = *held.id().as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        store.lacks("nothing under an id that differs", SessionId::from_bytes(bytes)).await?;
    }
    for edge in [[0x00; 16], [0x20; 16], [0xff; 16], *b"\0\0\0\0\0\0\0\0 ' \"\\\0\0\0"] {
        let edge = with(&session(1), |parts| parts.id = SessionId::from_bytes(edge));
        store.create(&edge).await?;
        store.holds("a session of an odd id", &edge).await?;
    }
    Ok(())
}

pub(super) async fn odd_texts<S: SessionStore>(store: Probe<S>) -> Verdict {
    for (n, text) in (0..).zip(ODD_TEXTS) {
        let session = with(&session_of(n, *text), |parts| {
            if text.len() <= 64 && !text.contains(char::is_control) {
                parts.profile = Arc::from(*text);
            }
        });
        store.create(&session).await?;
        store.holds("an odd subject and profile, kept whole", &session).await?;
    }
    let longest = ["x".repeat(1_024), "\u{1f600}".repeat(256), " ".repeat(1_024)];
    for (n, subject) in (1_000..).zip(longest) {
        let profile: String = subject.chars().take(16).collect();
        let session = with(&session_of(n, subject), |parts| parts.profile = profile.into());
        store.create(&session).await?;
        store.holds("a subject of 1 KiB, kept whole", &session).await?;
    }
    // Some engines cut a text off at a NUL, so that two subjects become one.
    let nul =
        Session::new(id(0), "user\0", "default", *session(0).secret(), *session(0).lifetime());
    expect("a NUL is refused", &true, &nul.is_err())
}

/// Subjects and profiles that were mangled somewhere, some time.
const ODD_TEXTS: &[&str] = &[
    " ",
    "user ",
    " user",
    "'",
    "o'brien'; DROP TABLE sessions; --",
    "\"quoted\" `ticked` [bracketed] $1 ?1 :name {tag}",
    "back\\slash\\'",
    "100%_*?",
    "line\r\nfeed\ttab\u{1}\u{7f}",
    "\u{feff}bom",
    "e\u{301}",
    "\u{e9}",
    "\u{5e9}\u{5dc}\u{5d5}\u{5dd}",
    "\u{1f469}\u{200d}\u{1f4bb}",
    "\u{10ffff}",
    "stra\u{df}e",
    "null",
];

pub(super) async fn ends_of_the_range<S: SessionStore>(store: Probe<S>) -> Verdict {
    let (min, max) = (Timestamp::MIN, Timestamp::MAX);
    let before_1970 = Timestamp::from_unix_secs(-1);
    let second_last = Timestamp::from_unix_secs(max.as_unix_secs() - 1);
    let sessions = [
        (Lifetime::ordered(min, min, max, max), Some(min)),
        (Lifetime::ordered(max, max, max, max), Some(max)),
        (Lifetime::ordered(before_1970, at(0), second_last, max), Some(before_1970)),
    ];
    for (n, (lifetime, confirmed_at)) in (0..).zip(sessions) {
        let session =
            with(&with_lifetime(&session(n), lifetime), |parts| parts.confirmed_at = confirmed_at);
        store.create(&session).await?;
        store.holds("the instants to the second", &session).await?;
    }
    let all_past = with_lifetime(&session(3), Lifetime::ordered(min, min, min, before_1970));
    store.create(&all_past).await?;
    match store.load(all_past.id()).await? {
        None if store.engine_expires => {}
        seen => expect("the instants to the second", &Some(all_past), &seen)?,
    }
    let session = with_lifetime(&session(0), Lifetime::ordered(min, min, max, max));
    let renewal = renewal_at(&session, second_last, second_last, max);
    expect("renewed a second before the last", &true, &store.update(&renewal).await?)?;
    let held = store.load(session.id()).await?;
    let lifetime = held.map(|held| *held.lifetime());
    expect("the renewed instants", &Some(Lifetime::ordered(min, second_last, max, max)), &lifetime)
}

pub(super) async fn large_counts<S: SessionStore>(store: Probe<S>) -> Verdict {
    let large = u64::from(u32::MAX) + 7;
    let session = with(&session(0), |parts| {
        parts.version = large;
        parts.generation = large + 1;
    });
    store.create(&session).await?;
    store.holds("the counts", &session).await?;
    let renewal = renewal_at(&session, at(60), at(60), at(961));
    expect("the renewal of a large version", &true, &store.update(&renewal).await?)?;
    match renewal.apply(&session) {
        Some(renewed) => store.holds("the version plus 1", &renewed).await,
        None => Err(unexpected("a renewal that applies", &renewal.id().to_string())),
    }
}

//! That each field of a session is kept whole.

use std::format;
use std::string::String;
use std::sync::Arc;
use std::vec::Vec;

use super::differ::{expect, expect_removed};
use super::fixture::{at, full, rewrite, session, session_of, with};
use super::probe::Probe;
use super::report::{Failure, Verdict};
use crate::record::{SecretHash, Session};
use crate::time::Timestamp;

pub(super) async fn all(probe: Probe) -> Verdict {
    kept(&probe, &[session(0), full(1)]).await
}

/// Created, loaded, listed, and once more after an update of what may change.
async fn kept(probe: &Probe, sessions: &[Session]) -> Verdict {
    probe.create_all(sessions).await?;
    for session in sessions {
        probe.holds("the session as created", session).await?;
    }
    for session in sessions {
        let update = rewrite(session, 1);
        expect("an update", &true, &probe.update(&update).await?)?;
        let updated = update.apply(session);
        let updated = updated.ok_or_else(|| Failure::new("an update that applies"))?;
        probe.holds("the session as updated", &updated).await?;
    }
    Ok(())
}

pub(super) async fn epochs(probe: Probe) -> Verdict {
    let epochs =
        [None, Some(0), Some(1), Some(1 << 32), Some((1 << 53) + 1), Some(1 << 63), Some(u64::MAX)];
    let sessions: Vec<_> = (0..)
        .zip(epochs)
        .map(|(n, epoch)| with(&session(n), |parts| parts.epoch = epoch))
        .collect();
    kept(&probe, &sessions).await
}

pub(super) async fn ordinals(probe: Probe) -> Verdict {
    let ordinals = [0, 1, 1 << 31, (1 << 32) + 5, (1 << 53) + 1, (1 << 63) - 1, 1 << 63, u64::MAX];
    let sessions: Vec<_> = (0..)
        .zip(ordinals)
        .map(|(n, ordinal)| with(&session(n), |parts| parts.ordinal = ordinal))
        .collect();
    kept(&probe, &sessions).await
}

pub(super) async fn abouts(probe: Probe) -> Verdict {
    let long = ["x".repeat(1_024), "\u{1f600}".repeat(256), "\u{e9}".repeat(512)];
    let odd = ODD_TEXTS.iter().map(|text| Some(String::from(*text)));
    let abouts = [None].into_iter().chain(odd).chain(long.map(Some));
    let sessions: Vec<_> = (0..)
        .zip(abouts)
        .map(|(n, about)| with(&session(n), |parts| parts.about = about.map(Arc::from)))
        .collect();
    kept(&probe, &sessions).await
}

pub(super) async fn secrets(probe: Probe) -> Verdict {
    let mut secrets = Vec::from([[0x00; 32], [0x20; 32], [0xff; 32], [0x7f; 32], [0x80; 32]]);
    let base = *b"\0 0'\"\\%\xff\x80 hash of 32 bytes \0\xff \0 ";
    for byte in 0..SecretHash::BYTES {
        for bit in [0x01, 0x20, 0x80] {
            let mut secret = base;
            secret[byte] ^= bit;
            secrets.push(secret);
        }
        let (mut spaces, mut nuls) = ([0x41; 32], [0x41; 32]);
        spaces[byte..].fill(0x20);
        nuls[byte..].fill(0x00);
        secrets.extend([spaces, nuls]);
    }
    for (n, secret) in (0..).zip(secrets) {
        let secret = SecretHash::from_bytes(secret);
        let held = with(&session_of(n, format!("user-{n}")), |parts| parts.secret = secret);
        probe.create(&held).await?;
        probe.holds("the secret as created", &held).await?;
        let other = super::fixture::session(n + 5_000);
        let plain = with(&other, |parts| parts.subject = held.subject().into());
        probe.create(&plain).await?;
        let update = rewrite(&plain, 1).with_secret(secret);
        expect("a rotation", &true, &probe.update(&update).await?)?;
        let updated = update.apply(&plain);
        let updated = updated.ok_or_else(|| Failure::new("an update that applies"))?;
        probe.holds("the secret as rotated", &updated).await?;
    }
    Ok(())
}

pub(super) async fn confirmations(probe: Probe) -> Verdict {
    let seconds =
        [0, 1, -1, i64::from(i32::MIN), i64::from(i32::MAX), 1 << 31, 1 << 32, -62_135_596_801];
    let instants = seconds.map(Timestamp::from_unix_secs);
    let ends = [Timestamp::MIN, Timestamp::MAX, at(0)];
    let confirmations =
        [None].into_iter().chain(instants.into_iter().chain(ends).map(Some)).collect::<Vec<_>>();
    for (n, confirmed_at) in (0..).zip(&confirmations) {
        let held = with(&session(n), |parts| parts.confirmed_at = *confirmed_at);
        probe.create(&held).await?;
        probe.holds("the confirmation as created", &held).await?;
        let mut held = held;
        for confirmed_at in
            [confirmations[(n as usize + 1) % confirmations.len()], None, *confirmed_at]
        {
            let update = rewrite(&held, 1).with_generation(held.generation(), confirmed_at);
            expect("an update", &true, &probe.update(&update).await?)?;
            held = update.apply(&held).ok_or_else(|| Failure::new("an update that applies"))?;
            probe.holds("the confirmation as updated", &held).await?;
        }
    }
    Ok(())
}

pub(super) async fn counts(probe: Probe) -> Verdict {
    let large = [
        (1 << 31) - 1,
        1 << 31,
        (1 << 32) - 1,
        (1 << 32) + 5,
        (1 << 53) - 1,
        1 << 53,
        (1 << 53) + 1,
        (1 << 62) + 1,
    ];
    for (n, count) in (0..).zip(large) {
        let held = with(&session(n), |parts| {
            parts.version = count;
            parts.generation = count + 1;
        });
        probe.create(&held).await?;
        probe.holds("the counts as created", &held).await?;
        for other in [count - 1, count + 1, count % (1 << 32), count ^ (1 << 32)] {
            let other = with(&held, |parts| parts.version = other);
            if other.version() != count {
                let update = rewrite(&other, 1);
                expect(
                    "an update of another large version",
                    &false,
                    &probe.update(&update).await?,
                )?;
            }
        }
        let update = rewrite(&held, 1).with_generation((count + 2) | 1, None);
        expect("an update of a large version", &true, &probe.update(&update).await?)?;
        let updated = update.apply(&held);
        let updated = updated.ok_or_else(|| Failure::new("an update that applies"))?;
        probe.holds("the version plus 1", &updated).await?;
    }
    Ok(())
}

pub(super) async fn profiles(probe: Probe) -> Verdict {
    let mut profiles: Vec<String> = ODD_TEXTS.iter().map(|text| String::from(*text)).collect();
    for length in [15, 16, 31, 32, 47, 48, 49, 63] {
        profiles.push("p".repeat(length));
        profiles.push("p".repeat(length) + "q");
    }
    profiles.extend(["\u{1f600}".repeat(16), "\u{e9}".repeat(32), "Default".into()]);
    let mut sessions = Vec::new();
    for (n, profile) in (0..).zip(&profiles) {
        let session = with(&session(n), |parts| parts.profile = profile.as_str().into());
        probe.create(&session).await?;
        sessions.push(session);
    }
    for session in &sessions {
        probe.holds("the profile as created", session).await?;
    }
    let swept = probe.sweep(at(901), u32::MAX).await?;
    expect_removed("the profile as removed", &sessions, &swept)
}

pub(super) async fn subjects(probe: Probe) -> Verdict {
    let longest = [
        "x".repeat(1_024),
        "x".repeat(1_023) + "y",
        "\u{1f600}".repeat(256),
        " ".repeat(1_024),
        "'".repeat(1_024),
    ];
    let odd = ODD_TEXTS.iter().map(|text| String::from(*text));
    let controls = ["line\r\nfeed\ttab\u{1}\u{7f}", "\u{1}", "\r", "\u{85}"].map(String::from);
    let mut sessions = Vec::new();
    for (n, subject) in (0..).zip(odd.chain(controls).chain(longest)) {
        let session = session_of(n, subject);
        probe.create(&session).await?;
        probe.holds("an odd subject, kept whole", &session).await?;
        let update = rewrite(&session, 1);
        expect("an update", &true, &probe.update(&update).await?)?;
        let updated = update.apply(&session);
        sessions.push(updated.ok_or_else(|| Failure::new("an update that applies"))?);
    }
    let swept = probe.sweep(at(902), u32::MAX).await?;
    expect_removed("an odd subject, as removed", &sessions, &swept)?;
    // Some engines cut a text off at a NUL, so that two subjects become one.
    let plain = session(0);
    let nul = Session::new(plain.id(), "user\0", "default", *plain.secret(), *plain.lifetime());
    expect("a NUL is refused", &true, &nul.is_err())
}

/// Texts that were mangled somewhere, some time.
const ODD_TEXTS: &[&str] = &[
    "x\u{a0}",
    "x\u{3000}",
    " ",
    "user ",
    " user",
    "'",
    "o'brien'; DROP TABLE sessions; --",
    "\"quoted\" `ticked` [bracketed] $1 ?1 :name {tag}",
    "back\\slash\\'",
    "100%_*?",
    "a,b;c|d:e/f",
    "\u{feff}bom",
    "e\u{301}",
    "\u{e9}",
    "\u{5e9}\u{5dc}\u{5d5}\u{5dd}",
    "\u{1f469}\u{200d}\u{1f4bb}",
    "\u{10ffff}",
    "\u{fffd}",
    "stra\u{df}e",
    "null",
    "NULL",
    "0",
    "-1",
    "1e3",
    "true",
    "{}",
    "[1]",
];

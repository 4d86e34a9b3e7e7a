use core::slice::from_ref;
use std::format;
use std::vec::Vec;

use super::alike::twin_ids;
use super::call::{Answer, Call};
use super::differ::{expect, expect_ids, expect_removed};
use super::fixture::{
    at, full, id, renewal, rewrite, secret, session, session_of, with, with_lifetime,
};
use super::probe::Probe;
use super::report::{Failure, Verdict};
use crate::record::{Session, SessionId};
use crate::rule::Lifetime;

pub(super) async fn never_replaces(probe: Probe) -> Verdict {
    let held = full(0);
    probe.create(&held).await?;
    let thief = with(&held, |parts| {
        parts.subject = "mallory".into();
        parts.secret = secret(666);
        parts.version = 0;
        parts.lifetime = Lifetime::ordered(at(0), at(0), at(1), at(2));
    });
    let sibling = with(&thief, |parts| parts.subject = held.subject().into());
    refuses(&probe, &held, &[&thief, &sibling, &held]).await?;
    let update = rewrite(&held, 5);
    expect("an update after a refused create", &true, &probe.update(&update).await?)?;
    let updated = update.apply(&held).ok_or_else(|| Failure::new("an update that applies"))?;
    refuses(&probe, &updated, &[&held, &thief]).await?;
    let removed = probe.remove_all(held.subject(), None).await?;
    expect_ids("removed once, though created again and again", &[held.id()], &removed)?;
    probe.lacks("no session once removed", held.id()).await
}

async fn refuses(probe: &Probe, held: &Session, takers: &[&Session]) -> Verdict {
    for taker in takers {
        match probe.call(0, &Call::Create(Session::clone(taker))).await? {
            Answer::Said(false) => {}
            _ => {
                return Err(Failure::new(
                    "a taken id: expected `Conflict`, seen that it was created",
                ));
            }
        }
        probe.holds("the first session, after a refused create", held).await?;
        probe.lists("listed after a refused create", held.subject(), from_ref(held)).await?;
    }
    probe.lists("listed of whom a create was refused", "mallory", &[]).await?;
    let removed = probe.remove_all("mallory", None).await?;
    expect_ids("removed of whom a create was refused", &[], &removed)?;
    let swept = probe.sweep(at(500), 10).await?;
    expect_removed("swept by the expiry of a refused create", &[], &swept)?;
    probe.holds("the first session, after a refused create", held).await
}

/// An id that was freed, by each verb, is another session's from then on.
pub(super) async fn anew(probe: Probe) -> Verdict {
    for way in 0..4_u32 {
        for sooner in [false, true] {
            let old = with(&full(way), |parts| parts.subject = format!("old-{way}").into());
            let expires_at = if sooner { at(90) } else { at(7_000) };
            let new = with(&session_of(way, format!("new-{way}")), |parts| {
                parts.secret = secret(77);
                parts.lifetime = Lifetime::ordered(at(0), at(0), expires_at, at(9_000));
                parts.confirmed_at = None;
            });
            probe.create(&old).await?;
            let update = rewrite(&old, 3);
            expect("updated", &true, &probe.update(&update).await?)?;
            match way {
                0 => expect("removed", &true, &probe.remove(old.id()).await?)?,
                1 => {
                    let removed = probe.remove_all(old.subject(), None).await?;
                    expect_ids("removed by subject", &[old.id()], &removed)?;
                }
                2 => {
                    let swept = probe.sweep(at(906), 10).await?;
                    expect("swept", &1, &swept.len())?;
                }
                _ => {
                    let removed = probe.remove_all(old.subject(), Some(id(99))).await?;
                    expect_ids("removed by subject", &[old.id()], &removed)?;
                }
            }
            is_gone(&probe, &old).await?;
            probe.create(&new).await?;
            probe.holds("a new session of a freed id", &new).await?;
            probe.lists("listed of the former subject", old.subject(), &[]).await?;
            let removed = probe.remove_all(old.subject(), None).await?;
            expect_ids("removed of the former subject", &[], &removed)?;
            expect("a write of the former session", &false, &probe.update(&update).await?)?;
            let (swept, rest) = if sooner { (at(89), at(90)) } else { (at(906), at(7_000)) };
            let early = probe.sweep(swept, 10).await?;
            expect_removed("swept by the former expiry", &[], &early)?;
            probe.holds("the new session, after all that", &new).await?;
            let swept = probe.sweep(rest, 10).await?;
            expect_removed("swept by its own expiry", from_ref(&new), &swept)?;
            is_gone(&probe, &new).await?;
        }
    }
    Ok(())
}

async fn is_gone(probe: &Probe, session: &Session) -> Verdict {
    probe.lacks("no session once removed", session.id()).await?;
    probe.lists("listed once removed", session.subject(), &[]).await
}

pub(super) async fn ids_told_apart(probe: Probe) -> Verdict {
    let held = session(0);
    probe.create(&held).await?;
    let mut others: Vec<SessionId> = (0..128)
        .map(|bit| {
            let mut bytes = *held.id().as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            SessionId::from_bytes(bytes)
        })
        .collect();
    let mut halves = *held.id().as_bytes();
    halves.rotate_left(8);
    let mut reversed = *held.id().as_bytes();
    reversed.reverse();
    let mut two = *held.id().as_bytes();
    two[3] ^= 1;
    two[11] ^= 1;
    others.extend([halves, reversed, two].map(SessionId::from_bytes));
    others.extend(
        [[0x00; 16], [0x20; 16], [0x7f; 16], [0x80; 16], [0xff; 16]].map(SessionId::from_bytes),
    );
    let texts = [*b"\0\0\0\0\0\0\0\0 ' \"\\\0\0\0", *b"0123456789abcdef", *b"0123456789ABCDEF"];
    others.extend(texts.map(SessionId::from_bytes));
    others.extend(twin_ids());
    others.sort();
    others.dedup();
    for id in &others {
        let ghost = with(&held, |parts| parts.id = *id);
        probe.lacks("nothing under an id that differs in a bit", *id).await?;
        let updated = probe.update(&renewal(&ghost, at(60), at(961))).await?;
        expect("an update of an id that differs in a bit", &false, &updated)?;
        expect("a removal of an id that differs in a bit", &false, &probe.remove(*id).await?)?;
    }
    let sessions: Vec<_> = (1..)
        .zip(&others)
        .map(|(n, id)| with(&session_of(n, format!("of-id-{n}")), |parts| parts.id = *id))
        .collect();
    probe.create_all(&sessions).await?;
    for session in &sessions {
        probe.holds("a session whose id differs in a bit", session).await?;
    }
    probe.holds("the session", &held).await?;
    for session in &sessions {
        expect("removed", &true, &probe.remove(session.id()).await?)?;
    }
    probe.holds("the session", &held).await
}

pub(super) async fn ends_of_the_range(probe: Probe) -> Verdict {
    use crate::time::Timestamp;
    let (min, max) = (Timestamp::MIN, Timestamp::MAX);
    let before_1970 = Timestamp::from_unix_secs(-1);
    let second_last = Timestamp::from_unix_secs(max.as_unix_secs() - 1);
    let year_10000 = Timestamp::from_unix_secs(253_402_300_800);
    let sessions = [
        (Lifetime::ordered(min, min, max, max), Some(min)),
        (Lifetime::ordered(max, max, max, max), Some(max)),
        (Lifetime::ordered(before_1970, at(0), second_last, max), Some(before_1970)),
        (Lifetime::ordered(at(0), year_10000, year_10000, max), Some(Timestamp::from_unix_secs(0))),
    ];
    let mut stored = Vec::new();
    for (n, (lifetime, confirmed_at)) in (0..).zip(sessions) {
        let session =
            with(&with_lifetime(&session(n), lifetime), |parts| parts.confirmed_at = confirmed_at);
        probe.create(&session).await?;
        probe.holds("the instants to the second", &session).await?;
        stored.push(session);
    }
    let renewal = super::fixture::renewal_at(&stored[0], second_last, second_last, max);
    expect("an update a second before the last", &true, &probe.update(&renewal).await?)?;
    let renewed =
        renewal.apply(&stored[0]).ok_or_else(|| Failure::new("an update that applies"))?;
    probe.holds("the renewed instants", &renewed).await?;
    let late = super::fixture::renewal_at(&stored[2], max, max, max);
    expect("an update at the cap, the last second", &false, &probe.update(&late).await?)
}

use std::vec::Vec;

use super::differ::{expect, expect_removed};
use super::fixture::{
    at, full, id, renewal, renewal_at, rewrite, secret, session, session_of, with,
};
use super::probe::Probe;
use super::report::{Failure, Verdict};
use crate::record::Session;
use crate::store::Update;
use crate::time::Timestamp;

/// The write must apply, and leave the session as it says, and whole.
pub(super) async fn must_win(probe: &Probe, update: &Update, held: &Session) -> Verdict<Session> {
    expect("an update that applies", &true, &probe.update(update).await?)?;
    let updated = update.apply(held).ok_or_else(|| Failure::new("an update that applies"))?;
    probe.holds("the updated session", &updated).await?;
    Ok(updated)
}

pub(super) async fn never_creates(probe: Probe) -> Verdict {
    let never_stored = session(0);
    let updated = probe.update(&renewal(&never_stored, at(60), at(961))).await?;
    expect("an update of no session", &false, &updated)?;
    nothing(&probe, &never_stored).await?;
    for way in 0..3 {
        let held = session(way);
        probe.create(&held).await?;
        let done = match way {
            0 => {
                probe.remove(held.id()).await?;
                "no session after remove"
            }
            1 => {
                probe.remove_all(held.subject(), None).await?;
                "no session after remove_all"
            }
            _ => {
                probe.sweep(at(901), 10).await?;
                "no session after remove_expired"
            }
        };
        probe.lacks(done, held.id()).await?;
        for update in [renewal(&held, at(60), at(961)), rewrite(&held, 1)] {
            expect("an update of a removed session", &false, &probe.update(&update).await?)?;
            nothing(&probe, &held).await?;
        }
    }
    Ok(())
}

async fn nothing(probe: &Probe, session: &Session) -> Verdict {
    probe.lacks("no session after it", session.id()).await?;
    probe.lists("listed after it", session.subject(), &[]).await?;
    expect_removed("swept after it", &[], &probe.sweep(Timestamp::MAX, 10).await?)?;
    expect("removed after it", &false, &probe.remove(session.id()).await?)
}

/// Each field of an update alone, the others as they were.
pub(super) async fn one_field(
    probe: Probe,
    change: fn(Update, &Session, u32) -> Update,
) -> Verdict {
    for (n, first) in [session(0), full(1)].into_iter().enumerate() {
        let mut held = first;
        probe.create(&held).await?;
        for step in 1..=4 {
            let same = Update::new(&held, at(70), held.lifetime());
            held =
                must_win(&probe, &change(same, &held, step + u32::try_from(n).unwrap_or(0)), &held)
                    .await?;
        }
    }
    Ok(())
}

pub(super) fn renewed_at(_: Update, held: &Session, step: u32) -> Update {
    let lifetime = held.lifetime();
    renewal_at(held, at(70), at(100 + i64::from(step)), lifetime.expires_at())
}

pub(super) fn expires_at(_: Update, held: &Session, step: u32) -> Update {
    let shift = if step.is_multiple_of(2) { 1_000 } else { 500 };
    renewal_at(held, at(70), held.lifetime().renewed_at(), at(shift + i64::from(step)))
}

pub(super) fn new_secret(same: Update, _: &Session, step: u32) -> Update {
    same.with_secret(secret(step * 1_000_003))
}

pub(super) fn generation(same: Update, held: &Session, step: u32) -> Update {
    let generation = if step.is_multiple_of(2) { 0 } else { u64::from(step) * 5 };
    same.with_generation(generation, held.confirmed_at())
}

pub(super) fn confirmed_at(same: Update, held: &Session, step: u32) -> Update {
    let confirmed_at = match step {
        1 | 4 => None,
        2 => Some(at(77)),
        3 => Some(Timestamp::from_unix_secs(0)),
        _ => Some(at(12)),
    };
    same.with_generation(held.generation(), confirmed_at)
}

/// A write of what is there already.
pub(super) fn nothing_else(same: Update, _: &Session, _: u32) -> Update {
    same
}

pub(super) async fn counts(probe: Probe) -> Verdict {
    let mut held = session(0);
    probe.create(&held).await?;
    for step in 1..=300 {
        let update = renewal(&held, at(step), at(step + 901));
        held = must_win(&probe, &update, &held).await?;
    }
    expect("the version after so many updates", &300, &held.version())
}

pub(super) async fn others(probe: Probe) -> Verdict {
    let mut held = full(5);
    let others: Vec<_> = [4, 6, 7]
        .into_iter()
        .map(session)
        .chain([session_of(8, "user-43"), with(&full(9), |parts| parts.secret = secret(5))])
        .collect();
    probe.create(&held).await?;
    probe.create_all(&others).await?;
    for by in 1..=3 {
        held = must_win(&probe, &rewrite(&held, by), &held).await?;
        for other in &others {
            probe.holds("another session, after an update", other).await?;
        }
    }
    Ok(())
}

pub(super) async fn shortens(probe: Probe) -> Verdict {
    let mut held = session(0);
    probe.create(&held).await?;
    for (renewed, expires) in [(60, 121), (60, 60), (61, 3_607), (61, 62)] {
        let update = renewal(&held, at(renewed), at(expires));
        held = must_win(&probe, &update, &held).await?;
    }
    expect_removed("swept before its new end", &[], &probe.sweep(at(61), 10).await?)?;
    expect_removed("swept at its new end", &[held], &probe.sweep(at(62), 10).await?)
}

/// What a refused write would have set is nowhere, in no index either.
pub(super) async fn refused_writes_nothing(probe: Probe) -> Verdict {
    let held = full(0);
    probe.create(&held).await?;
    for version in [12, 14] {
        let stale = with(&held, |parts| parts.version = version);
        for expires in [100, 3_000] {
            let update = renewal(&stale, at(70), at(expires)).with_secret(secret(9));
            expect("an update of another version", &false, &probe.update(&update).await?)?;
            probe.holds("the session, unchanged by a refused update", &held).await?;
            let swept = probe.sweep(at(902), 10).await?;
            expect_removed("swept by the end of a refused update", &[], &swept)?;
        }
    }
    let swept = probe.sweep(at(903), 10).await?;
    expect_removed("swept by its own end", &[held], &swept)?;
    probe.lacks("no session once swept", id(0)).await
}

/// A rotation, and what the rotated-away secret may still do: nothing.
pub(super) async fn rotates(probe: Probe) -> Verdict {
    let mut held = full(0);
    probe.create(&held).await?;
    let stale = held.clone();
    for n in 1..=5 {
        let rotation = Update::new(&held, at(70), held.lifetime())
            .with_secret(secret(100 + n))
            .with_generation(0, Some(at(70)));
        held = must_win(&probe, &rotation, &held).await?;
        let late = rewrite(&stale, 2);
        expect("a write from before the rotation", &false, &probe.update(&late).await?)?;
        probe.holds("the rotated session", &held).await?;
    }
    probe.lists("listed after rotations", held.subject(), &[held.clone()]).await
}

//! A store has no clock: these sessions ended long ago, or go on by today's.

use core::slice::from_ref;
use std::vec::Vec;

use chrono::TimeDelta;

use super::call::{Answer, Call};
use super::differ::{expect, expect_ids, expect_removed};
use super::fixture::{SUBJECT, at, full, renewal_at, session, with, with_lifetime};
use super::probe::Probe;
use super::report::{Failure, Verdict};
use super::update::must_win;
use crate::record::Session;
use crate::rule::Lifetime;
use crate::store::Update;
use crate::time::Timestamp;

const fn unix(seconds: i64) -> Timestamp {
    Timestamp::from_unix_secs(seconds)
}

/// By any clock of today: ended, past its idle limit only, and begun.
fn past() -> Vec<Session> {
    let lifetimes = [
        Lifetime::ordered(
            unix(1_000_000_000),
            unix(1_000_000_600),
            unix(1_000_003_600),
            unix(1_000_007_200),
        ),
        Lifetime::ordered(unix(1_000_000_000), unix(1_000_000_600), unix(1_000_003_600), at(0)),
        Lifetime::ordered(unix(1_000_000_000), unix(1_000_000_600), at(0), at(0)),
        Lifetime::ordered(unix(-500), unix(-400), unix(-9), unix(90)),
        Lifetime::ordered(Timestamp::MIN, Timestamp::MIN, Timestamp::MIN, unix(-1)),
        Lifetime::ordered(unix(0), unix(0), unix(0), unix(0)),
    ];
    (0..)
        .zip(lifetimes)
        .map(|(n, lifetime)| with(&full(n), |parts| parts.lifetime = lifetime))
        .collect()
}

pub(super) async fn keeps(probe: Probe) -> Verdict {
    let sessions = past();
    if probe.settings.engine_expires {
        return may_expire(&probe, &sessions).await;
    }
    probe.create_all(&sessions).await?;
    for session in &sessions {
        probe.holds("a session of the past", session).await?;
        match probe.call(0, &Call::Create(session.clone())).await? {
            Answer::Said(false) => {}
            _ => {
                return Err(Failure::new(
                    "the id of a past session: expected `Conflict`, seen that it was created",
                ));
            }
        }
    }
    probe.lists("the sessions of the past", SUBJECT, &sessions).await?;
    expect("removed, a session of the past", &true, &probe.remove(sessions[0].id()).await?)?;
    probe.lists("the sessions of the past", SUBJECT, &sessions[1..]).await?;
    let ids: Vec<_> = sessions[2..].iter().map(Session::id).collect();
    let ended = probe.remove_all(SUBJECT, Some(sessions[1].id())).await?;
    expect_ids("ended, of the past", &ids, &ended)?;
    probe.holds("the excepted session of the past", &sessions[1]).await
}

/// Gone, or there unchanged.
async fn may_expire(probe: &Probe, sessions: &[Session]) -> Verdict {
    for session in sessions {
        probe.create(session).await?;
        if let Some(seen) = probe.load(session.id()).await? {
            let seen = Some(&seen);
            super::differ::expect_session("a session of the past", Some(session), seen)?;
        }
    }
    let Some(living) = sessions.iter().find(|one| one.lifetime().expires_at() == at(0)) else {
        return Ok(());
    };
    probe.holds("a session of the past that still lives", living).await
}

pub(super) async fn updates(probe: Probe) -> Verdict {
    if probe.settings.engine_expires {
        return Ok(());
    }
    for session in past() {
        probe.create(&session).await?;
        let lifetime = *session.lifetime();
        let second = TimeDelta::seconds(1);
        let last = lifetime.absolute_expires_at().saturating_sub(second);
        if last >= lifetime.absolute_expires_at() {
            continue;
        }
        // Instants of different lengths and signs, compared as numbers.
        let cap = lifetime.absolute_expires_at();
        let late = renewal_at(&session, cap, cap, cap);
        expect("an update at a cap of the past", &false, &probe.update(&late).await?)?;
        let same = Update::new(&session, last, &lifetime);
        let session = must_win(&probe, &same, &session).await?;
        let to_the_cap = renewal_at(&session, last, cap, cap);
        let session = must_win(&probe, &to_the_cap, &session).await?;
        expect("removed", &true, &probe.remove(session.id()).await?)?;
    }
    for (stored, next) in [(-10, -9), (-9, 5), (9, 10), (999_999_999, 1_000_000_000)] {
        let held = with_lifetime(
            &session(50),
            Lifetime::ordered(unix(-1_000), unix(stored), unix(next), unix(10_000_000_000)),
        );
        probe.create(&held).await?;
        let back = renewal_at(&held, unix(stored), unix(stored - 1), unix(next));
        expect("an update that goes back", &false, &probe.update(&back).await?)?;
        let on = renewal_at(&held, unix(9_999_999_999), unix(next), unix(1_000_000_001));
        must_win(&probe, &on, &held).await?;
        expect("removed", &true, &probe.remove(held.id()).await?)?;
    }
    Ok(())
}

/// Sweeps go by `before` alone, on either side of the machine's clock.
pub(super) async fn sweeps(probe: Probe) -> Verdict {
    let future = |n, seconds| {
        with_lifetime(
            &session(n),
            Lifetime::ordered(at(0), at(0), at(seconds), at(seconds + 50_000)),
        )
    };
    // Long after today, but before `before`.
    let (early, late) = (future(90, 100), future(91, 200));
    probe.create_all([&early, &late]).await?;
    let swept = probe.sweep(at(150), 10).await?;
    expect_removed("swept by a `before` in 2100", &[early], &swept)?;
    expect_removed(
        "swept by a `before` of today",
        &[],
        &probe.sweep(unix(1_800_000_000), 10).await?,
    )?;
    probe.holds("a session that ends in 2100", &late).await?;
    expect("removed", &true, &probe.remove(late.id()).await?)?;
    if probe.settings.engine_expires {
        return Ok(());
    }
    // Long before today, but after `before`.
    let seconds =
        [-1_000_000, -10, -9, -1, 0, 5, 9, 10, 50, 999_999_999, 1_000_000_000, 1_700_000_000];
    let ended: Vec<_> = (0..)
        .zip(seconds)
        .map(|(n, at)| {
            let start = unix(-2_000_000);
            with_lifetime(&session(n), Lifetime::ordered(start, start, unix(at), unix(at + 7)))
        })
        .collect();
    probe.create_all(&ended).await?;
    probe.create(&late).await?;
    for (session, seconds) in ended.iter().zip(seconds) {
        let early = probe.sweep(unix(seconds - 1), 10).await?;
        expect_removed("swept a second before its end in the past", &[], &early)?;
        probe.holds("a session of the past that ends a second later", session).await?;
        let swept = probe.sweep(unix(seconds), 10).await?;
        expect_removed("swept at its end in the past", from_ref(session), &swept)?;
    }
    probe.holds("a session that ends in 2100", &late).await
}

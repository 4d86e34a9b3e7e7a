use std::vec::Vec;

use super::differ::{expect, expect_ids, expect_removed};
use super::fixture::{
    SUBJECT, at, expiring, full, id, renewal, rewrite, session, with, with_lifetime,
};
use super::probe::Probe;
use super::report::{Failure, Verdict};
use crate::record::Session;
use crate::rule::Lifetime;
use crate::store::Removed;
use crate::time::Timestamp;

pub(super) async fn half_open(probe: Probe) -> Verdict {
    let (before, on, after) = (expiring(0, at(-1)), expiring(1, at(0)), expiring(2, at(1)));
    probe.create_all([&before, &on, &after]).await?;
    for (now, swept, left) in [
        (at(-2), None, [Some(&before), Some(&on), Some(&after)]),
        (at(-1), Some(&before), [None, Some(&on), Some(&after)]),
        (at(0), Some(&on), [None, None, Some(&after)]),
    ] {
        let swept: Vec<Session> = swept.into_iter().cloned().collect();
        expect_removed("swept at its own second", &swept, &probe.sweep(now, 10).await?)?;
        let left: Vec<Session> = left.into_iter().flatten().cloned().collect();
        probe.lists("left by the sweep", SUBJECT, &left).await?;
        for session in &left {
            probe.holds("a session that expires a second later", session).await?;
        }
        for session in &swept {
            probe.lacks("no session once swept", session.id()).await?;
        }
    }
    Ok(())
}

pub(super) async fn limit(probe: Probe) -> Verdict {
    let expired: Vec<_> = (0..9).map(|n| expiring(n, at(0))).collect();
    probe.create_all(&expired).await?;
    let mut left = 9;
    for limit in [0, 3, 1, 0, 2] {
        let swept = probe.sweep(at(0), limit).await?;
        expect("swept with a limit", &(limit as usize), &swept.len())?;
        left -= swept.len();
        expect("left by a sweep with a limit", &left, &probe.list(SUBJECT).await?.len())?;
    }
    for limit in [1 << 31, u32::MAX] {
        let swept = probe.sweep(at(0), limit).await?;
        expect("swept with a large limit", &left, &swept.len())?;
        left = 0;
    }
    Ok(())
}

pub(super) async fn tells_whom(probe: Probe) -> Verdict {
    let sessions: Vec<Session> = (0..12_u32)
        .map(|n| {
            let cap = at(2_000 + i64::from(n) * 7);
            with(&full(n), |parts| {
                parts.subject = std::format!("subject-{}", n % 5).into();
                parts.profile = std::format!("profile-{}", n % 3).into();
                parts.lifetime = Lifetime::ordered(at(1), at(62), at(900 + i64::from(n)), cap);
            })
        })
        .collect();
    probe.create_all(&sessions).await?;
    let mut held = Vec::new();
    for session in &sessions {
        let update = rewrite(session, 11);
        expect("updated", &true, &probe.update(&update).await?)?;
        held.push(update.apply(session).ok_or_else(|| Failure::new("an update that applies"))?);
    }
    let first = probe.sweep(at(915), 100).await?;
    expect_removed("the removed sessions, as they were last", &held[..5], &first)?;
    let mut rest = Vec::new();
    loop {
        let swept = probe.sweep(at(10_000), 3).await?;
        let last = swept.len() < 3;
        rest.extend(swept);
        if last || rest.len() > sessions.len() {
            break;
        }
    }
    expect_removed("the removed sessions, as they were last", &held[5..], &rest)
}

pub(super) async fn resumes(probe: Probe) -> Verdict {
    let expired: Vec<_> = (0..25).map(|n| expiring(n, at(-i64::from(n % 3)))).collect();
    probe.create_all(&expired).await?;
    let mut told: Vec<Removed> = Vec::new();
    for removed in [10, 10, 5, 0] {
        let swept = probe.sweep(at(0), 10).await?;
        expect("swept with limit 10 of 25", &removed, &swept.len())?;
        told.extend(swept);
    }
    expect_removed("told by all sweeps", &expired, &told)?;
    probe.lists("left over", SUBJECT, &[]).await
}

/// Sessions that were renewed do not stand before those that expired.
pub(super) async fn past_the_renewed(probe: Probe) -> Verdict {
    let sessions: Vec<_> = (0..40).map(|n| expiring(n, at(i64::from(n)))).collect();
    probe.create_all(&sessions).await?;
    for session in &sessions[..30] {
        let renewal = renewal(session, at(0), at(900));
        expect("renewed", &true, &probe.update(&renewal).await?)?;
    }
    let swept = probe.sweep(at(100), 10).await?;
    expect_removed("swept past 30 that were renewed", &sessions[30..], &swept)
}

/// Many sessions that expire in the same second are each removed alone.
pub(super) async fn in_one_second(probe: Probe) -> Verdict {
    let sessions: Vec<_> = (0..30).map(|n| expiring(n, at(0))).collect();
    probe.create_all(&sessions).await?;
    expect("removed", &true, &probe.remove(id(3)).await?)?;
    let renewal = renewal(&sessions[4], at(0), at(900));
    expect("renewed", &true, &probe.update(&renewal).await?)?;
    let swept = probe.sweep(at(0), 100).await?;
    let expected = sessions.iter().filter(|one| ![id(3), id(4)].contains(&one.id()));
    let expected: Vec<Session> = expected.cloned().collect();
    expect_removed("swept of those that expire in one second", &expected, &swept)
}

pub(super) async fn spares_the_living(probe: Probe) -> Verdict {
    let living: Vec<_> = (0..5).map(|n| expiring(n, at(1 + 1_000 * i64::from(n)))).collect();
    probe.create_all(&living).await?;
    probe.create(&expiring(9, at(0))).await?;
    for swept in [1, 0] {
        let seen = probe.sweep(at(0), u32::MAX).await?;
        expect("swept among the living", &swept, &seen.len())?;
    }
    probe.lists("the living", SUBJECT, &living).await?;
    for session in &living {
        probe.holds("a living session", session).await?;
    }
    let ended = probe.remove_all(SUBJECT, None).await?;
    expect_ids("the living, ended", &living.iter().map(Session::id).collect::<Vec<_>>(), &ended)
}

pub(super) async fn follows_renewals(probe: Probe) -> Verdict {
    let sessions: Vec<_> = (0..4).map(session).collect();
    probe.create_all(&sessions).await?;
    let mut held = Vec::new();
    for (session, expires_at) in sessions.iter().zip([961, 121, 901, 3_607]) {
        let renewal = renewal(session, at(60), at(expires_at));
        expect("renewed", &true, &probe.update(&renewal).await?)?;
        held.push(renewal.apply(session).ok_or_else(|| Failure::new("an update that applies"))?);
    }
    for (now, swept) in [
        (120, None),
        (121, Some(1)),
        (900, None),
        (901, Some(2)),
        (960, None),
        (961, Some(0)),
        (3_606, None),
        (3_607, Some(3)),
    ] {
        let expected: Vec<Session> = swept.map(|n: usize| held[n].clone()).into_iter().collect();
        let swept = probe.sweep(at(now), 10).await?;
        expect_removed("swept by the renewed expires_at", &expected, &swept)?;
    }
    Ok(())
}

pub(super) async fn ends_of_the_range(probe: Probe) -> Verdict {
    let (min, max) = (Timestamp::MIN, Timestamp::MAX);
    let last = with_lifetime(&session(0), Lifetime::ordered(min, min, max, max));
    let other = expiring(1, at(0));
    probe.create_all([&last, &other]).await?;
    expect_removed("expired at the first second", &[], &probe.sweep(min, 10).await?)?;
    let second_last = Timestamp::from_unix_secs(max.as_unix_secs() - 1);
    let swept = probe.sweep(second_last, 10).await?;
    expect_removed("expired at the last second but one", &[other], &swept)?;
    probe.holds("the session of the last second", &last).await?;
    expect_removed("expired at the last second", &[last], &probe.sweep(max, 10).await?)
}

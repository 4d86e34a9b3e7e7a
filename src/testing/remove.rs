use super::differ::{expect, expect_ids, expect_removed};
use super::fixture::{SUBJECT, at, full, renewal, rewrite, session, session_of};
use super::probe::Probe;
use super::report::Verdict;
use crate::time::Timestamp;
use core::slice::from_ref;

pub(super) async fn idempotent(probe: Probe) -> Verdict {
    let held = full(0);
    for _ in 0..3 {
        probe.create(&held).await?;
        for removed in [true, false, false] {
            let seen = probe.remove(held.id()).await?;
            expect("whether this call removed it", &removed, &seen)?;
            probe.lacks("no session once removed", held.id()).await?;
        }
        probe.lists("listed once removed", SUBJECT, &[]).await?;
        let ended = probe.remove_all(SUBJECT, None).await?;
        expect_ids("told by remove_all once removed", &[], &ended)?;
        let swept = probe.sweep(Timestamp::MAX, 10).await?;
        expect_removed("told by a sweep once removed", &[], &swept)?;
    }
    probe.create(&held).await?;
    probe.holds("a new session of the freed id", &held).await
}

pub(super) async fn others(probe: Probe) -> Verdict {
    let (held, other, foreign) = (session(0), full(1), session_of(2, "user-43"));
    probe.create_all([&held, &other, &foreign]).await?;
    expect("removed", &true, &probe.remove(held.id()).await?)?;
    probe.lists("the other session of the subject", SUBJECT, from_ref(&other)).await?;
    probe.holds("the other session of the subject", &other).await?;
    probe.holds("the session of another subject", &foreign).await?;
    let swept = probe.sweep(Timestamp::MAX, 10).await?;
    expect_removed("swept of the others", &[other, foreign], &swept)
}

pub(super) async fn before_renewal(probe: Probe) -> Verdict {
    let held = session(0);
    probe.create(&held).await?;
    for in_flight in [renewal(&held, at(60), at(961)), rewrite(&held, 2)] {
        let removed = probe.remove(held.id()).await?;
        expect("logged out", &(in_flight != rewrite(&held, 2)), &removed)?;
        expect("the update in flight", &false, &probe.update(&in_flight).await?)?;
        probe.lacks("no session after a logout", held.id()).await?;
        probe.lists("listed after a logout", SUBJECT, &[]).await?;
    }
    Ok(())
}

pub(super) async fn after_renewal(probe: Probe) -> Verdict {
    let held = session(0);
    probe.create(&held).await?;
    let update = rewrite(&held, 60);
    expect("updated", &true, &probe.update(&update).await?)?;
    expect("logged out", &true, &probe.remove(held.id()).await?)?;
    probe.lacks("no session after a logout", held.id()).await?;
    probe.lists("listed after a logout", SUBJECT, &[]).await?;
    for late in [renewal(&held, at(120), at(1_021)), update] {
        expect("a late update", &false, &probe.update(&late).await?)?;
    }
    let swept = probe.sweep(Timestamp::MAX, 10).await?;
    expect_removed("told by a sweep after a logout", &[], &swept)?;
    probe.lacks("no session after a late update", held.id()).await
}

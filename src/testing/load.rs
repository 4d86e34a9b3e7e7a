use super::differ::{expect, expect_ids, expect_removed};
use super::fixture::{SUBJECT, at, expiring, full, id, renewal, session};
use super::probe::Probe;
use super::report::Verdict;
use crate::time::Timestamp;

pub(super) async fn nothing(probe: Probe) -> Verdict {
    probe.lacks("nothing to load", id(0)).await?;
    expect("nothing to remove", &false, &probe.remove(id(0)).await?)?;
    expect_removed("nothing to sweep", &[], &probe.sweep(Timestamp::MAX, 10).await?)?;
    probe.lists("nothing to list", SUBJECT, &[]).await?;
    for except in [None, Some(id(0))] {
        expect_ids("nothing to end", &[], &probe.remove_all(SUBJECT, except).await?)?;
    }
    let update = renewal(&session(0), at(60), at(961));
    expect("nothing to update", &false, &probe.update(&update).await?)
}

pub(super) async fn writes_nothing(probe: Probe) -> Verdict {
    let held = expiring(0, at(900));
    probe.create(&held).await?;
    for _ in 0..20 {
        probe.holds("the session, unchanged by loading", &held).await?;
        probe.lacks("nothing under an id that was looked for", id(77)).await?;
        probe.lists("nothing of a subject that was looked for", "nobody", &[]).await?;
    }
    let swept = probe.sweep(at(900), 10).await?;
    expect_removed("swept at its expires_at, though loaded", &[held], &swept)?;

    let held = full(1);
    probe.create(&held).await?;
    probe.holds("the session as created", &held).await?;
    let won = probe.update(&renewal(&held, at(70), at(961))).await?;
    expect("an update of the version before loading", &true, &won)
}

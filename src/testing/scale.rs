//! As many sessions as show a scan, a page limit, an eviction or a lost batch.

use std::format;
use std::string::String;
use std::vec::Vec;

use super::differ::{expect, expect_ids, expect_removed};
use super::fixture::{SUBJECT, at, expiring, id, renewal_at, session, session_of};
use super::probe::Probe;
use super::report::Verdict;
use super::schedule::join_all;
use crate::record::Session;

/// How many calls run together.
const CALLS: usize = 32;

/// Every second session expires at 0, the others later; every fourth is renewed.
pub(super) async fn swept(probe: Probe) -> Verdict {
    let sessions: Vec<_> =
        (0..probe.settings.large).map(|n| expiring(n, at(i64::from(n % 2)))).collect();
    create(&probe, &sessions).await?;
    let renewals: Vec<_> = sessions
        .iter()
        .step_by(4)
        .map(|session| renewal_at(session, at(-1), at(-1), at(900)))
        .collect();
    for batch in renewals.chunks(CALLS) {
        for won in join_all(batch.iter().map(|renewal| probe.update(renewal))).await {
            expect("a renewal among many", &true, &won?)?;
        }
    }
    let ended: Vec<Session> = sessions.iter().skip(2).step_by(4).cloned().collect();
    let mut swept = Vec::new();
    loop {
        let removed = probe.sweep(at(0), 1_000).await?;
        let last = removed.len() < 1_000;
        swept.extend(removed);
        if last || swept.len() > sessions.len() {
            break;
        }
    }
    expect_removed("swept of many", &ended, &swept)?;
    for (n, session) in sessions.iter().enumerate() {
        if n % 16 < 4 {
            let held = probe.load(session.id()).await?.is_some();
            expect("a session among many lives", &(n % 4 != 2), &held)?;
        }
    }
    let rest = probe.sweep(at(900), u32::MAX).await?;
    expect("swept of many at once", &(sessions.len() - ended.len()), &rest.len())?;
    probe.lists("left of many", SUBJECT, &[]).await
}

/// All of one subject.
pub(super) async fn one_subject(probe: Probe) -> Verdict {
    let sessions: Vec<_> = (0..probe.settings.large).map(session).collect();
    create(&probe, &sessions).await?;
    all_there(&probe, &sessions).await?;
    probe.lists("listed of many", SUBJECT, &sessions).await?;
    let spared = sessions[sessions.len() / 2].id();
    let ended: Vec<_> = sessions.iter().map(Session::id).filter(|id| *id != spared).collect();
    expect_ids("ended of many", &ended, &probe.remove_all(SUBJECT, Some(spared)).await?)?;
    expect_ids("the spared, ended", &[spared], &probe.remove_all(SUBJECT, None).await?)?;
    for id in ended {
        probe.lacks("no session after remove_all of many", id).await?;
    }
    expect_removed("left of many", &[], &probe.sweep(at(901), u32::MAX).await?)
}

/// Each of its own subject.
pub(super) async fn subjects(probe: Probe) -> Verdict {
    let sessions: Vec<_> = (0..probe.settings.large).map(|n| session_of(n, subject(n))).collect();
    create(&probe, &sessions).await?;
    all_there(&probe, &sessions).await?;
    for batch in sessions.chunks(CALLS) {
        let listed = join_all(batch.iter().map(|session| probe.list(session.subject()))).await;
        for (session, listed) in batch.iter().zip(listed) {
            let listed: Vec<_> = listed?.iter().map(Session::id).collect();
            expect_ids("listed of one among many subjects", &[session.id()], &listed)?;
        }
    }
    for n in (0..probe.settings.large).step_by(2) {
        let ended = probe.remove_all(&subject(n), None).await?;
        expect_ids("ended of one among many subjects", &[id(n)], &ended)?;
    }
    let rest: Vec<Session> = sessions.iter().skip(1).step_by(2).cloned().collect();
    expect_removed("left of the others", &rest, &probe.sweep(at(901), u32::MAX).await?)
}

fn subject(n: u32) -> String {
    format!("user-{n}")
}

pub(super) async fn create(probe: &Probe, sessions: &[Session]) -> Verdict {
    for batch in sessions.chunks(CALLS) {
        for created in join_all(batch.iter().map(|session| probe.create(session))).await {
            created?;
        }
    }
    Ok(())
}

async fn all_there(probe: &Probe, sessions: &[Session]) -> Verdict {
    let mut missing = Vec::new();
    for batch in sessions.chunks(CALLS) {
        let loaded = join_all(batch.iter().map(|session| probe.load(session.id()))).await;
        for (session, loaded) in batch.iter().zip(loaded) {
            if loaded?.as_ref() != Some(session) {
                missing.push(session.id());
            }
        }
    }
    expect_ids("of many, missing or changed once all are created", &[], &missing)
}

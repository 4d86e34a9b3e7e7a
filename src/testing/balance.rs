//! Threads that run against each other, and whether what they were told adds up.

use core::sync::atomic::{AtomicI64, Ordering};
use std::boxed::Box;
use std::format;
use std::vec::Vec;

use super::call::{Answer, Call, Race};
use super::differ::expect;
use super::fixture::{Random, at, full, id, rewrite, with};
use super::pace::Pace;
use super::probe::Probe;
use super::race::{clear, held};
use super::report::{Failure, Verdict};
use super::threads::together;
use crate::record::{Session, SessionId};
use crate::rule::Lifetime;

pub(super) type Caller<'a> = Box<dyn FnOnce() -> Verdict + Send + 'a>;

pub(super) async fn adds_up(probe: Probe) -> Verdict {
    if !probe.on_threads {
        return Ok(());
    }
    for verbs in [Verbs::CreateAndRemove, Verbs::All] {
        for ids in [1, 3] {
            created_and_removed(&probe, verbs, ids).await?;
        }
    }
    updated(&probe).await?;
    of_one_subject(&probe).await
}

#[derive(Clone, Copy)]
enum Verbs {
    All,
    CreateAndRemove,
}

/// As often as an id was created it was removed, once less if it is there.
async fn created_and_removed(probe: &Probe, verbs: Verbs, ids: u32) -> Verdict {
    let balances: Vec<(SessionId, AtomicI64)> =
        (0..ids).map(|n| (id(n), AtomicI64::new(0))).collect();
    let calls: Vec<Call> = (0..ids).flat_map(|n| make_and_end(n, verbs)).collect();
    let (balances, calls) = (&balances, &calls);
    let change = |id: SessionId, by| {
        if let Some((_, balance)) = balances.iter().find(|(of, _)| *of == id) {
            balance.fetch_add(by, Ordering::AcqRel);
        }
    };
    let caller = |thread: usize| {
        move || {
            let (mut random, mut pace) = (Random(thread as u64), Pace::of_thread(thread));
            while pace.goes_on() {
                let call = &calls[random.below(calls.len())];
                match (call, probe.block_on(probe.call(thread, call))?) {
                    (Call::Create(session), Answer::Said(true)) => change(session.id(), 1),
                    (Call::Remove(id), Answer::Said(true)) => change(*id, -1),
                    (_, Answer::Removed(removed)) => {
                        for id in removed {
                            change(id, -1);
                        }
                    }
                    (_, Answer::Swept(swept)) => {
                        for removed in swept {
                            change(removed.id(), -1);
                        }
                    }
                    _ => {}
                }
            }
            Ok(())
        }
    };
    together((0..6).map(caller).collect())?;
    for (n, (id, balance)) in (0..).zip(balances) {
        let there = i64::from(probe.load(*id).await?.is_some());
        let times = balance.load(Ordering::Acquire);
        expect("how often it was created more often than removed", &there, &times)?;
        expect("whether it was removed", &(there == 1), &probe.remove(*id).await?)?;
        probe.lists("listed once removed", of(n).subject(), &[]).await?;
    }
    Ok(())
}

/// A session of its own subject, so that each verb ends it alone.
fn of(n: u32) -> Session {
    with(&full(n), |parts| parts.subject = format!("subject-{n}").into())
}

fn make_and_end(n: u32, verbs: Verbs) -> Vec<Call> {
    let (create, remove) = (Call::Create(of(n)), Call::Remove(id(n)));
    let (all, sweep) = (Call::RemoveAll(format!("subject-{n}"), None), Call::Sweep(at(903), 1));
    match verbs {
        Verbs::All => [create.clone(), create.clone(), create, remove, all, sweep].into(),
        Verbs::CreateAndRemove => [create, remove].into(),
    }
}

/// A session's version is the number of updates that were told to have won.
async fn updated(probe: &Probe) -> Verdict {
    let held = with(&full(50), |parts| {
        parts.version = 0;
        parts.lifetime = Lifetime::ordered(at(1), at(2), at(903), at(1_000_000_000));
    });
    probe.create(&held).await?;
    let (wins, id) = (&AtomicI64::new(0), held.id());
    let caller = |thread: usize| {
        move || {
            let mut pace = Pace::of_thread(thread);
            let handle = if thread.is_multiple_of(2) { probe.clone() } else { probe.turned() };
            while pace.goes_on() {
                let Some(seen) = probe.block_on(handle.load(id))? else {
                    return Err(Failure::new("a session among updates: expected it, seen none"));
                };
                pace.rests();
                if probe.block_on(handle.update(&rewrite(&seen, 1)))? {
                    wins.fetch_add(1, Ordering::AcqRel);
                }
            }
            Ok(())
        }
    };
    together((0..4).map(caller).collect())?;
    let version = probe.load(id).await?.map(|seen| i128::from(seen.version()));
    let wins = i128::from(wins.load(Ordering::Acquire));
    expect("the version after so many updates", &Some(wins), &version)?;
    expect("removed", &true, &probe.remove(id).await?)
}

/// What one thread creates of it.
fn family(thread: u32) -> Vec<Session> {
    let of = |n| with(&full(n), |parts| parts.subject = "family".into());
    (0..1_000).map(|n| of(thread * 10_000 + n)).collect()
}

/// Sessions of one subject that come and go are listed just as they are loaded. An
/// id comes once, so that what is lost stays lost.
async fn of_one_subject(probe: &Probe) -> Verdict {
    let sessions: Vec<Vec<Session>> = (0..6).map(family).collect();
    let caller = |thread: usize| {
        let own = &sessions[thread];
        move || {
            let mut pace = Pace::of_thread(thread);
            for four in own.chunks(4) {
                if !pace.goes_on() {
                    break;
                }
                for session in four {
                    let create = Call::Create(session.clone());
                    probe.block_on(probe.call(thread, &create))?;
                    pace.rests();
                }
                let remove = Call::Remove(four[1].id());
                probe.block_on(probe.call(thread, &remove))?;
            }
            Ok(())
        }
    };
    together((0..6).map(caller).collect())?;
    let race = Race { before: sessions.concat(), calls: Vec::new() };
    let there = held(probe, &race).await?;
    clear(probe, &there, 1).await?;
    probe.lists("listed once all are removed", "family", &[]).await
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_id_of_the_family_comes_once() {
        let ids: BTreeSet<_> = (0..6).flat_map(family).map(|session| session.id()).collect();
        assert_eq!(ids.len(), 6_000);
    }
}

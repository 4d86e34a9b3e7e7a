//! Threads that run against each other as fast as they can, and whether what they
//! were told adds up.

use core::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use core::time::Duration;
use std::boxed::Box;
use std::format;
use std::time::Instant;
use std::vec::Vec;

use super::call::{Answer, Call, Race};
use super::differ::{expect, expect_session};
use super::fixture::{Random, at, expiring, full, id, renewal, rewrite, session_of, with};
use super::probe::Probe;
use super::race::{clear, held};
use super::report::{Failure, Verdict};
use super::threads::together;
use crate::record::Session;

/// How long they run against each other.
const TIME: Duration = Duration::from_millis(250);
/// So many calls are made between two looks at the clock.
const CALLS: usize = 64;

pub(super) async fn adds_up(probe: Probe) -> Verdict {
    if !probe.on_threads {
        return Ok(());
    }
    for (threads, ids) in [(2, 1), (2, 3), (8, 1), (8, 3)] {
        created_and_removed(&probe, threads, ids).await?;
    }
    updated(&probe).await?;
    ended(&probe).await?;
    renewed(&probe).await?;
    of_one_subject(&probe).await
}

/// A session of its own subject, so that each verb ends it alone.
fn of(n: u32) -> Session {
    with(&full(n), |parts| parts.subject = format!("subject-{n}").into())
}

/// As often as an id was created it was removed, once less if it is there.
async fn created_and_removed(probe: &Probe, threads: usize, ids: u32) -> Verdict {
    let balances: Vec<_> = (0..ids).map(|_| AtomicI64::new(0)).collect();
    let balances = &balances;
    let caller = |thread: usize| {
        move || {
            let (mut random, started) = (Random(thread as u64), Instant::now());
            let calls: Vec<Vec<Call>> = (0..balances.len() as u32).map(each_verb).collect();
            let mut made = 0;
            while made % CALLS != 0 || started.elapsed() < TIME {
                made += 1;
                let n = random.below(calls.len());
                let call = &calls[n][random.below(calls[n].len())];
                let change = |id, by| {
                    for (n, balance) in (0..).zip(balances) {
                        if super::fixture::id(n) == id {
                            balance.fetch_add(by, Ordering::AcqRel);
                        }
                    }
                };
                match (call, probe.block_on(probe.call(thread, call))?) {
                    (Call::Create(session), Answer::Said(true)) => change(session.id(), 1),
                    (Call::Remove(id), Answer::Said(true)) => change(*id, -1),
                    (_, Answer::Removed(removed)) => removed.iter().for_each(|id| change(*id, -1)),
                    (_, Answer::Swept(swept)) => {
                        swept.iter().for_each(|removed| change(removed.id(), -1));
                    }
                    _ => {}
                }
            }
            Ok(())
        }
    };
    together((0..threads).map(caller).collect())?;
    for (n, balance) in (0..).zip(balances) {
        let there = i64::from(probe.load(id(n)).await?.is_some());
        let times = balance.load(Ordering::Acquire);
        expect("how often it was created more often than removed", &there, &times)?;
        expect("whether it was removed", &(there == 1), &probe.remove(id(n)).await?)?;
        probe.lists("listed once removed", of(n).subject(), &[]).await?;
    }
    Ok(())
}

/// What makes and ends session number `n`.
fn each_verb(n: u32) -> Vec<Call> {
    let (create, remove) = (Call::Create(of(n)), Call::Remove(id(n)));
    let (all, sweep) = (Call::RemoveAll(format!("subject-{n}"), None), Call::Sweep(at(903), 1));
    [&create, &create, &create, &remove, &all, &sweep].map(Call::clone).into()
}

/// A session's version is the number of updates that were told to have won.
async fn updated(probe: &Probe) -> Verdict {
    let held = with(&full(50), |parts| {
        parts.version = 0;
        parts.lifetime = crate::rule::Lifetime::ordered(at(1), at(2), at(903), at(1_000_000_000));
    });
    probe.create(&held).await?;
    let (wins, id) = (&AtomicI64::new(0), held.id());
    let caller = |thread: usize| {
        move || {
            let started = Instant::now();
            while started.elapsed() < TIME {
                let handle = if thread == 0 { probe.clone() } else { probe.turned() };
                let Some(seen) = probe.block_on(handle.load(id))? else {
                    return Err(Failure::new("a session among updates: expected it, seen none"));
                };
                if probe.block_on(handle.update(&rewrite(&seen, 1)))? {
                    wins.fetch_add(1, Ordering::AcqRel);
                }
            }
            Ok(())
        }
    };
    together((0..2).map(caller).collect())?;
    let version = probe.load(id).await?.map(|seen| i128::from(seen.version()));
    let wins = i128::from(wins.load(Ordering::Acquire));
    expect("the version after so many updates", &Some(wins), &version)?;
    expect("removed", &true, &probe.remove(id).await?)
}

/// A session that was ended stays ended, whatever updates are under way.
async fn ended(probe: &Probe) -> Verdict {
    let other = &probe.turned();
    let make = move || {
        let started = Instant::now();
        let mut end = 0;
        while started.elapsed() < TIME {
            let held = session_of(60, "busy");
            probe.block_on(probe.create(&held))?;
            end += 1;
            let ended = if end % 2 == 0 {
                probe.block_on(probe.remove(held.id()))?
            } else {
                probe.block_on(probe.remove_all("busy", None))?.len() == 1
            };
            expect("ended", &true, &ended)?;
            for _ in 0..3 {
                let seen = probe.block_on(probe.load(held.id()))?;
                expect_session("loaded after its end", None, seen.as_ref())?;
            }
            let listed = probe.block_on(probe.list("busy"))?;
            expect("listed after its end", &0, &listed.len())?;
        }
        Ok(())
    };
    against(make, |done| {
        while !done.load(Ordering::Acquire) {
            let held = session_of(60, "busy");
            probe.block_on(other.update(&rewrite(&held, 1)))?;
        }
        Ok(())
    })
}

/// A session that was renewed is not swept, whatever sweeps are under way.
async fn renewed(probe: &Probe) -> Verdict {
    let other = &probe.turned();
    let renew = move || {
        let started = Instant::now();
        while started.elapsed() < TIME {
            let held = expiring(61, at(0));
            probe.block_on(probe.create(&held))?;
            if probe.block_on(probe.update(&renewal(&held, at(-1), at(900))))? {
                for _ in 0..3 {
                    let there = probe.block_on(probe.load(held.id()))?.is_some();
                    expect("whether a renewed session is there, among sweeps", &true, &there)?;
                }
                let removed = probe.block_on(probe.remove(held.id()))?;
                expect("whether a renewed session was removed, among sweeps", &true, &removed)?;
            } else {
                let there = probe.block_on(probe.load(held.id()))?.is_some();
                expect("whether a session that was not renewed is there", &false, &there)?;
            }
        }
        Ok(())
    };
    against(renew, |done| {
        while !done.load(Ordering::Acquire) {
            probe.block_on(other.sweep(at(0), 5))?;
        }
        Ok(())
    })
}

/// Sessions of one subject that come and go are listed just as they are loaded.
async fn of_one_subject(probe: &Probe) -> Verdict {
    let of = |n: u32| with(&full(n), |parts| parts.subject = "family".into());
    let sessions: Vec<_> = (0..24).map(of).collect();
    let sessions = &sessions;
    let caller = |thread: usize| {
        move || {
            let (mut random, started) = (Random(thread as u64 + 7), Instant::now());
            while started.elapsed() < TIME {
                let held = &sessions[random.below(sessions.len())];
                let call = match random.below(8) {
                    0..=3 => Call::Create(held.clone()),
                    4 | 5 => Call::Remove(held.id()),
                    6 => Call::Update(rewrite(held, 1)),
                    _ => Call::RemoveAll("family".into(), Some(held.id())),
                };
                probe.block_on(probe.call(thread, &call))?;
            }
            Ok(())
        }
    };
    together((0..4).map(caller).collect())?;
    let there = held(probe, &Race { before: sessions.clone(), calls: Vec::new() }).await?;
    clear(probe, &there, 1).await
}

/// Runs one until it ends, and the other until then.
fn against(
    one: impl FnOnce() -> Verdict + Send,
    other: impl FnOnce(&AtomicBool) -> Verdict + Send,
) -> Verdict {
    let done = &AtomicBool::new(false);
    let one = move || {
        let found = one();
        done.store(true, Ordering::Release);
        found
    };
    let callers: [Box<dyn FnOnce() -> Verdict + Send + '_>; 2] =
        [Box::new(one), Box::new(move || other(done))];
    together(callers.into())
}

//! Threads that run against each other as fast as they can, and whether what they
//! were told adds up.

use core::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use core::time::Duration;
use std::boxed::Box;
use std::format;
use std::time::Instant;
use std::vec::Vec;

use super::call::{Answer, Call};
use super::differ::{expect, expect_session};
use super::fixture::{Random, at, full, id, rewrite, session_of, with};
use super::probe::Probe;
use super::report::{Failure, Verdict};
use super::threads::together;
use crate::record::Session;

/// How long they run against each other.
const TIME: Duration = Duration::from_millis(250);
const IDS: u32 = 3;

pub(super) async fn adds_up(probe: Probe) -> Verdict {
    if !probe.on_threads {
        return Ok(());
    }
    for threads in [2, 4] {
        created_and_removed(&probe, threads).await?;
    }
    updated(&probe).await?;
    ended(&probe).await
}

/// A session of its own subject, so that each verb ends it alone.
fn of(n: u32) -> Session {
    with(&full(n), |parts| parts.subject = format!("subject-{n}").into())
}

/// As often as an id was created it was removed, once less if it is there.
async fn created_and_removed(probe: &Probe, threads: usize) -> Verdict {
    let balances: Vec<_> = (0..IDS).map(|_| AtomicI64::new(0)).collect();
    let balances = &balances;
    let caller = |thread: usize| {
        move || {
            let (mut random, started) = (Random(thread as u64), Instant::now());
            while started.elapsed() < TIME {
                let n = u32::try_from(random.below(IDS as usize)).unwrap_or(0);
                let call = match random.below(8) {
                    0..=3 => Call::Create(of(n)),
                    4 | 5 => Call::Remove(id(n)),
                    6 => Call::RemoveAll(format!("subject-{n}"), None),
                    _ => Call::Sweep(at(903), 1),
                };
                let change = |id, by| {
                    for (n, balance) in (0..).zip(balances) {
                        if super::fixture::id(n) == id {
                            balance.fetch_add(by, Ordering::AcqRel);
                        }
                    }
                };
                match (&call, probe.block_on(probe.call(thread, &call))?) {
                    (Call::Create(_), Answer::Said(true)) => change(id(n), 1),
                    (Call::Remove(_), Answer::Said(true)) => change(id(n), -1),
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
    let (done, other) = (&AtomicBool::new(false), &probe.turned());
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
    let make = move || {
        let made = make();
        done.store(true, Ordering::Release);
        made
    };
    let update = move || {
        while !done.load(Ordering::Acquire) {
            let held = session_of(60, "busy");
            probe.block_on(other.update(&rewrite(&held, 1)))?;
        }
        Ok(())
    };
    let callers: [Box<dyn FnOnce() -> Verdict + Send + '_>; 2] = [Box::new(make), Box::new(update)];
    together(callers.into())
}

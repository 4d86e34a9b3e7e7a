//! One thread that knows what must be there, against one that never rests.

use core::sync::atomic::{AtomicBool, Ordering};
use std::boxed::Box;
use std::format;
use std::vec::Vec;

use super::balance::Caller;
use super::differ::{expect, expect_session};
use super::fixture::{at, expiring, renewal, rewrite, session_of};
use super::pace::Pace;
use super::probe::Probe;
use super::report::Verdict;
use super::threads::together;
use crate::record::Session;

/// A session that was ended stays ended, whatever updates are under way.
pub(super) fn ended(probe: &Probe) -> Verdict {
    if !probe.on_threads {
        return Ok(());
    }
    let (one, other) = (probe, &probe.turned());
    duel(
        |who, naps| {
            let held = busy(who);
            let subject = held.subject();
            one.block_on(one.create(&held))?;
            for by_subject in [false, true] {
                pace(naps).rests();
                let ended = if by_subject {
                    one.block_on(one.create(&held))?;
                    one.block_on(one.remove_all(subject, None))?.len() == 1
                } else {
                    one.block_on(one.remove(held.id()))?
                };
                expect("whether it was ended, among updates", &true, &ended)?;
                for _ in 0..3 {
                    let seen = one.block_on(one.load(held.id()))?;
                    expect_session("loaded after its end", None, seen.as_ref())?;
                }
                let listed = one.block_on(one.list(subject))?;
                expect("listed after its end", &0, &listed.len())?;
            }
            Ok(())
        },
        |who| other.block_on(other.update(&rewrite(&busy(who), 1))).map(drop),
    )
}

/// A session that was renewed is not swept, whatever sweeps are under way.
pub(super) fn renewed(probe: &Probe) -> Verdict {
    if !probe.on_threads {
        return Ok(());
    }
    let (one, other) = (probe, &probe.turned());
    duel(
        |who, naps| {
            let held = expiring(who, at(0));
            one.block_on(one.create(&held))?;
            pace(naps).rests();
            let renewed = one.block_on(one.update(&renewal(&held, at(-1), at(900))))?;
            for _ in 0..3 {
                let there = one.block_on(one.load(held.id()))?.is_some();
                expect("whether it is there if it was renewed, among sweeps", &renewed, &there)?;
            }
            let removed = one.block_on(one.remove(held.id()))?;
            expect("whether it was removed if it was renewed, among sweeps", &renewed, &removed)
        },
        |_| other.block_on(other.sweep(at(0), 5)).map(drop),
    )
}

fn pace(naps: bool) -> Pace {
    if naps { Pace::napping() } else { Pace::hot() }
}

fn busy(who: u32) -> Session {
    session_of(who, format!("busy-{who}"))
}

/// Runs `one` again and again, for each of a few sessions, and `other` meanwhile; in
/// turn, one of them naps.
fn duel(
    one: impl Fn(u32, bool) -> Verdict + Send + Sync,
    other: impl Fn(u32) -> Verdict + Send + Sync,
) -> Verdict {
    for (one_naps, others_nap) in [(true, false), (false, true), (false, false)] {
        let (done, one, other) = (&AtomicBool::new(false), &one, &other);
        let mut callers: Vec<Caller<'_>> = Vec::new();
        let (ones, others) = if one_naps { (4, 1) } else { (1, 4) };
        for who in 0..ones {
            callers.push(Box::new(move || {
                // It naps within its turn.
                let mut pace = Pace::hot();
                let mut found = Ok(());
                while found.is_ok() && pace.goes_on() {
                    found = one(who, one_naps);
                }
                done.store(true, Ordering::Release);
                found
            }));
        }
        for who in 0..others {
            callers.push(Box::new(move || {
                let pace = pace(others_nap);
                for whom in (0..ones).cycle().skip(who) {
                    if done.load(Ordering::Acquire) {
                        break;
                    }
                    pace.rests();
                    other(whom)?;
                }
                Ok(())
            }));
        }
        together(callers)?;
    }
    Ok(())
}

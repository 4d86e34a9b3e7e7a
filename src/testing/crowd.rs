//! Many callers at once, and readers among writes.

use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::boxed::Box;
use std::format;
use std::string::{String, ToString};
use std::time::Instant;
use std::vec::Vec;

use super::balance::Caller;
use super::call::{Call, Race};
use super::differ::expect_session;
use super::fixture::{Random, at, full, id, renewal, rewrite, secret, session_of, with};
use super::pace::Pace;
use super::probe::{Checking, Probe};
use super::race::{clear, held};
use super::report::{Failure, Verdict};
use super::schedule::join_all;
use super::threads::together;
use crate::record::Session;
use crate::rule::Lifetime;
use crate::store::yield_now;

/// How long threads work against each other.
const ON_THREADS: Duration = Duration::from_millis(400);

/// 32 callers, then 64, of few sessions; each is answered.
pub(super) async fn all_answered(probe: Probe) -> Verdict {
    for callers in [32, 64] {
        for seed in 0..4 {
            let calls: Vec<_> = {
                let mut random = Random(seed);
                (0..callers).map(|_| any(&mut random)).collect()
            };
            let calls = calls.iter().enumerate();
            for answer in join_all(calls.map(|(n, call)| probe.call(n, call))).await {
                answer?;
            }
        }
        let same = Call::Load(id(0));
        for answer in join_all((0..callers).map(|n| probe.call(n, &same))).await {
            answer?;
        }
    }
    agree(&probe).await
}

/// Threads that each make many calls of few sessions, in no order.
pub(super) async fn on_threads(probe: Probe) -> Verdict {
    if !probe.on_threads {
        return all_answered(probe).await;
    }
    for (threads, time) in [(8, ON_THREADS), (64, ON_THREADS / 2), (2, ON_THREADS)] {
        let probe = &probe;
        let callers = (0..threads).map(|n: usize| {
            move || {
                let (mut random, started) = (Random(n as u64 + 100), Instant::now());
                while started.elapsed() < time {
                    probe.block_on(probe.call(n, &any(&mut random)))?;
                }
                Ok(())
            }
        });
        together(callers.collect())?;
        agree(probe).await?;
    }
    Ok(())
}

const IDS: u32 = 6;

fn of(n: u32) -> Session {
    with(&full(n), |parts| parts.subject = subject(n % 2).into())
}

fn subject(n: u32) -> String {
    format!("crowd-{n}")
}

fn any(random: &mut Random) -> Call {
    let below = |random: &mut Random, bound| u32::try_from(random.below(bound)).unwrap_or(0);
    let n = below(random, IDS as usize);
    match random.below(14) {
        0..=3 => Call::Create(of(n)),
        4..=6 => {
            let version = u64::from(below(random, 3)) + 13;
            Call::Update(rewrite(&with(&of(n), |parts| parts.version = version), 1 + n))
        }
        7 => Call::Remove(id(n)),
        8 | 9 => Call::Load(id(n)),
        10 | 11 => Call::List(subject(n % 2)),
        12 => Call::RemoveAll(subject(n % 2), (n == 0).then(|| id(n))),
        _ => Call::Sweep(at(904), 2),
    }
}

/// After all that, every view agrees.
async fn agree(probe: &Probe) -> Verdict {
    for turn in 0..3 {
        let before: Vec<_> = (0..IDS).map(of).collect();
        let race = Race { before, calls: Vec::new() };
        let there = held(probe, &race).await?;
        clear(probe, &there, turn).await?;
        probe.create_all(&race.before).await?;
    }
    let race = Race { before: (0..IDS).map(of).collect(), calls: Vec::new() };
    let there = held(probe, &race).await?;
    clear(probe, &there, 0).await
}

/// The session at its version `n`, each field of which tells `n`.
fn at_version(n: u32) -> Session {
    with(&full(0), |parts| {
        let second = i64::from(n);
        parts.version = u64::from(n);
        parts.generation = u64::from(n) + 7;
        parts.secret = secret(n);
        parts.confirmed_at = (!n.is_multiple_of(5)).then(|| at(second));
        let far = at(100_000_000);
        parts.lifetime = Lifetime::ordered(at(-1), at(second), at(second + 901), far);
    })
}

/// A session that is read while it is written is as it was or as it is.
pub(super) async fn whole_reads(probe: Probe) -> Verdict {
    if !probe.on_threads {
        return Ok(());
    }
    probe.create(&at_version(0)).await?;
    let (probe, done) = (&probe, &AtomicBool::new(false));
    let write = || {
        let written = write_versions(probe);
        done.store(true, Ordering::Release);
        written
    };
    let read = |listed: bool, naps: bool| {
        move || {
            let pace = if naps { Pace::napping() } else { Pace::hot() };
            let mut last = 0;
            while !done.load(Ordering::Acquire) {
                pace.rests();
                let seen = if listed {
                    probe.block_on(probe.list(at_version(0).subject()))?.pop()
                } else {
                    probe.block_on(probe.turned().load(id(0)))?
                };
                is_whole(seen.as_ref(), &mut last)?;
            }
            Ok(())
        }
    };
    let mut callers: Vec<Caller<'_>> = Vec::from([Box::new(write) as Caller<'_>]);
    for (listed, naps) in
        [(false, false), (false, true), (false, true), (true, false), (true, true)]
    {
        callers.push(Box::new(read(listed, naps)));
    }
    together(callers)
}

fn write_versions(probe: &Probe) -> Verdict {
    let started = Instant::now();
    for n in 1..100_000 {
        let (held, next) = (at_version(n - 1), at_version(n));
        let (renewed_at, expires_at) = (next.lifetime().renewed_at(), next.lifetime().expires_at());
        let update = renewal(&held, renewed_at, expires_at)
            .with_secret(*next.secret())
            .with_generation(next.generation(), next.confirmed_at());
        if !probe.block_on(probe.update(&update))? {
            return Err(Failure::new(
                "an update of the version that is there: expected true, seen false",
            ));
        }
        if started.elapsed() > ON_THREADS {
            break;
        }
    }
    Ok(())
}

fn is_whole(seen: Option<&Session>, last: &mut u64) -> Verdict {
    let version = seen.map_or(0, Session::version);
    let expected = at_version(u32::try_from(version).unwrap_or(0));
    expect_session("read while it is written", Some(&expected), seen)?;
    if version < *last {
        return Err(Failure::new(format!("read version {version} after version {last}")));
    }
    *last = version;
    Ok(())
}

/// So many create meanwhile, and each so many sessions.
const CREATORS: u32 = 32;
const EACH: u32 = 60;

/// `remove_all` and `list` are one pass, and return though others create.
pub(super) async fn one_pass(probe: Probe) -> Verdict {
    for round in 0..2_u32 {
        let subject = format!("busy-{round}");
        let of = |n| with(&session_of(n, subject.as_str()), |parts| parts.secret = secret(n));
        let before: Vec<_> = (0..8).map(of).collect();
        probe.create_all(&before).await?;
        let returned = AtomicBool::new(false);
        let long = async {
            let call = match round {
                0 => Call::RemoveAll(subject.clone(), None),
                _ => Call::List(subject.clone()),
            };
            let answer = probe.call(0, &call).await.map(drop);
            returned.store(true, Ordering::Release);
            answer
        };
        let meanwhile = |creator: u32| {
            let (probe, of, returned) = (&probe, &of, &returned);
            async move {
                // Not all in step.
                for _ in 0..creator % 5 {
                    yield_now().await;
                }
                for n in 1..=EACH {
                    if returned.load(Ordering::Acquire) {
                        return Ok(());
                    }
                    probe.create(&of(creator * 1_000 + n)).await?;
                    yield_now().await;
                }
                Err(not_returned())
            }
        };
        let mut all: Vec<Checking<'_>> = Vec::new();
        all.push(Box::pin(long));
        for creator in 1..=CREATORS {
            all.push(Box::pin(meanwhile(creator)));
        }
        join_all(all).await.into_iter().collect::<Verdict>()?;
        probe.remove_all(&subject, None).await?;
    }
    if probe.on_threads { one_pass_on_threads(&probe) } else { Ok(()) }
}

fn one_pass_on_threads(probe: &Probe) -> Verdict {
    let subject = "busy";
    let returned = &AtomicBool::new(false);
    let mut callers: Vec<Caller<'_>> = Vec::new();
    for thread in 0..8 {
        callers.push(Box::new(move || {
            for n in 0..20_000_u32 {
                if returned.load(Ordering::Acquire) {
                    return Ok(());
                }
                let new = session_of(thread * 1_000_000 + n, subject.to_string());
                probe.block_on(probe.create(&new))?;
            }
            Err(not_returned())
        }));
    }
    callers.push(Box::new(move || {
        let answer = probe.block_on(probe.remove_all(subject, None)).map(drop);
        returned.store(true, Ordering::Release);
        answer
    }));
    together(callers)
}

fn not_returned() -> Failure {
    Failure::new("a call about all sessions of a subject does not return while others create some")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests;

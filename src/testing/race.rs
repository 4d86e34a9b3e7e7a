//! Calls that meet: polled in every order, and on threads.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::format;
use std::string::String;
use std::time::Instant;
use std::vec::Vec;

use super::call::{Answer, Call, Race, Told, explain};
use super::differ::{expect, expect_ids, expect_removed, expect_session};
use super::fixture::Random;
use super::probe::Probe;
use super::report::Verdict;
use super::schedule::{Plan, race};
use super::threads::in_step;
use crate::record::{Session, SessionId};
use crate::store::Removed;
use crate::time::Timestamp;

/// So many races of one kind run on threads, if the time lasts.
const ROUNDS: u32 = 20_000;
const BATCH: u32 = 200;
/// A race's sessions have numbers from one on that no other race has.
const SPACE: u32 = 100;
/// How long races of one kind run on threads.
const ON_THREADS: Duration = Duration::from_millis(300);
/// So many polls of a call have an order of their own.
const DEEP: usize = 8;
const SHUFFLES: u64 = 24;
/// So often it is looked whether a server has come to its end.
const LOOKS: u32 = 50;

/// Runs races of one kind, which `race` makes of sessions from a number on that no
/// other race has.
pub(super) async fn run(probe: &Probe, race: impl Fn(u32) -> Race + Send + Sync) -> Verdict {
    in_every_order(probe, &race).await?;
    if probe.on_threads { on_threads(probe, &race).await } else { Ok(()) }
}

/// Runs a race of many calls in a few orders, in this task only.
pub(super) async fn crowd(probe: &Probe, race: impl Fn(u32) -> Race + Send + Sync) -> Verdict {
    let shuffled = (0..6).map(|seed| Plan::Shuffled(Random(seed)));
    for (n, plan) in (0..).zip([Plan::InTurn, Plan::Reversed].into_iter().chain(shuffled)) {
        one(probe, &race(n * SPACE), n, plan).await?;
    }
    Ok(())
}

async fn in_every_order(probe: &Probe, race: &(impl Fn(u32) -> Race + Sync)) -> Verdict {
    let mut n = 0;
    let first = one(probe, &race(n), n, Plan::InTurn).await?;
    let mut plans = Vec::from([Plan::Reversed]);
    if first.len() == 2 {
        let deep = |polls: usize| polls.min(DEEP);
        for one in 0..=deep(first[0]) {
            plans.extend((0..=deep(first[1])).map(|other| Plan::Split(one, other)));
        }
    }
    if first.iter().any(|polls| *polls > 1) {
        plans.extend((0..SHUFFLES).map(|seed| Plan::Shuffled(Random(seed))));
    }
    for plan in plans {
        n += 1;
        one(probe, &race(n * SPACE), n, plan).await?;
    }
    Ok(())
}

/// One race, judged and cleared away; how often each call was polled.
async fn one(probe: &Probe, calls: &Race, n: u32, plan: Plan) -> Verdict<Vec<usize>> {
    probe.create_all(&calls.before).await?;
    let running = calls.calls.iter().enumerate().map(|(caller, call)| probe.call(caller, call));
    let (answers, polls) = race(running, plan.clone()).await;
    let answers = answers.into_iter().collect::<Verdict<Vec<_>>>()?;
    let judged = judge(probe, calls, &answers).await;
    let left = judged.map_err(|failure| failure.within(&format!("polled {}", plan.shown())))?;
    clear(probe, &left, n).await?;
    Ok(polls)
}

async fn on_threads(probe: &Probe, race: &(impl Fn(u32) -> Race + Sync)) -> Verdict {
    let until = Instant::now() + ON_THREADS;
    let firsts = (0..ROUNDS).step_by(BATCH as usize);
    for (turn, first) in (0..).zip(firsts).take_while(|_| Instant::now() < until) {
        let mut races: Vec<_> = (first..first + BATCH).map(|step| race(step * SPACE)).collect();
        let answers = in_step(probe, &races, until)?;
        races.truncate(answers.len());
        let left = if races.iter().any(Race::sweeps) {
            judge_sweeps(probe, &races, &answers).await?
        } else {
            let mut left = Vec::new();
            for (race, answers) in races.iter().zip(&answers) {
                let judged = judge(probe, race, answers).await;
                left.extend(judged.map_err(|failure| failure.within("on threads"))?);
            }
            left
        };
        clear(probe, &left, turn).await?;
    }
    Ok(())
}

/// A sweep takes sessions of other steps too, so all are judged together; what is
/// there.
async fn judge_sweeps(
    probe: &Probe,
    races: &[Race],
    answers: &[Vec<Answer>],
) -> Verdict<Vec<Session>> {
    // Which sweeps told of an id, by race and call.
    let mut swept = BTreeMap::<SessionId, BTreeSet<(usize, usize)>>::new();
    for (n, answers) in answers.iter().enumerate() {
        for (call, answer) in answers.iter().enumerate() {
            if let Answer::Swept(removed) = answer {
                for id in removed.iter().map(Removed::id) {
                    swept.entry(id).or_default().insert((n, call));
                }
            }
        }
    }
    let mut all = Vec::new();
    for (n, race) in races.iter().enumerate() {
        let after = held(probe, race).await?;
        let ids: BTreeSet<_> = race.ids().into_iter().collect();
        let mut calls: BTreeSet<_> = (0..race.calls.len()).map(|call| (n, call)).collect();
        calls.extend(ids.iter().filter_map(|id| swept.get(id)).flatten());
        let told = calls.into_iter().map(|(n, call)| (&races[n].calls[call], &answers[n][call]));
        let told: Vec<(&Call, Answer)> =
            told.map(|(call, answer)| (call, answer.about(&ids))).collect();
        let told: Vec<Told<'_>> = told.iter().map(|(call, answer)| (*call, answer)).collect();
        explain(&race.before, &told, &after).map_err(|failure| failure.within("on threads"))?;
        all.extend(after);
    }
    Ok(all)
}

/// Whether the answers and what is there now can be explained; what is there.
async fn judge(probe: &Probe, race: &Race, answers: &[Answer]) -> Verdict<Vec<Session>> {
    let after = held(probe, race).await?;
    let told: Vec<Told<'_>> = race.calls.iter().zip(answers).collect();
    explain(&race.before, &told, &after)?;
    Ok(after)
}

/// What is there of a race's sessions, by each handle, by id and by subject.
pub(super) async fn held(probe: &Probe, race: &Race) -> Verdict<Vec<Session>> {
    let mut held = Vec::new();
    for id in race.ids() {
        let session = probe.load(id).await?;
        let other = probe.turned().load(id).await?;
        expect_session("loaded once more", session.as_ref(), other.as_ref())?;
        held.extend(session);
    }
    for subject in race.subjects() {
        let of_subject: Vec<_> =
            held.iter().filter(|session| session.subject() == subject).cloned().collect();
        probe.lists("listed after a race, by what load finds", &subject, &of_subject).await?;
    }
    Ok(held)
}

/// Removes what a race left, by each of the verbs in turn, which must find it.
pub(super) async fn clear(probe: &Probe, left: &[Session], turn: u32) -> Verdict {
    let what = "removed after a race, by what load finds";
    let subjects: BTreeSet<_> = left.iter().map(Session::subject).collect();
    match turn % 3 {
        0 => {
            for session in left {
                expect(what, &true, &probe.remove(session.id()).await?)?;
            }
        }
        1 => {
            for subject in subjects {
                let of_subject = left.iter().filter(|session| session.subject() == subject);
                let expected: Vec<_> = of_subject.map(Session::id).collect();
                expect_ids(what, &expected, &probe.remove_all(subject, None).await?)?;
            }
        }
        _ => {
            let mut swept = probe.sweep(Timestamp::MAX, u32::MAX).await?;
            // A server may still hold a row that a dropped call wrote.
            for _ in 0..LOOKS {
                if probe.on_threads || swept.len() >= left.len() {
                    break;
                }
                probe.wait().await;
                swept.extend(probe.sweep(Timestamp::MAX, u32::MAX).await?);
            }
            expect_removed("swept after a race, by what load finds", left, &swept)?;
        }
    }
    Ok(())
}

impl Plan {
    fn shown(&self) -> String {
        match self {
            Self::InTurn => String::from("in turn"),
            Self::Reversed => String::from("in turn, the last first"),
            Self::Shuffled(_) => String::from("in a random order"),
            Self::Split(one, other) => {
                format!("{one} times the first, then {other} times the second")
            }
        }
    }
}

//! Calls one after another, through one handle or two, against a model.

use std::collections::BTreeMap;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::call::{Answer, Call, explain, name};
use super::differ::{expect, expect_ids, expect_removed, expect_session, expect_sessions};
use super::fixture::{Random, SUBJECT, at, full, id, rewrite, session_of, with};
use super::probe::Probe;
use super::report::{Failure, Verdict};
use crate::record::{Session, SessionId};
use crate::store::Removed;

const IDS: usize = 7;
const SUBJECTS: [&str; 3] = [SUBJECT, "user-43", "User-42"];
const SEEDS: u64 = 3;
const CALLS: usize = 400;

/// What a store holds.
#[derive(Default)]
pub(super) struct Model(BTreeMap<SessionId, Session>);

impl Model {
    /// Makes the call through handle `caller`; its answer must be the one right
    /// answer.
    pub(super) async fn call(&mut self, probe: &Probe, caller: usize, call: &Call) -> Verdict {
        let answer = probe.call(caller, call).await?;
        match (call, &answer) {
            (Call::Create(session), Answer::Said(created)) => {
                let free = !self.0.contains_key(&session.id());
                expect("whether it was created", &free, created)?;
                self.0.entry(session.id()).or_insert_with(|| session.clone());
                Ok(())
            }
            (Call::List(subject), Answer::Listed(listed)) => {
                expect_sessions("listed", &self.of(subject), listed)
            }
            (Call::Load(id), Answer::Found(found)) => {
                expect_session("loaded", self.0.get(id), found.as_ref())
            }
            (Call::Remove(id), Answer::Said(removed)) => {
                let there = self.0.remove(id).is_some();
                expect("whether it was removed", &there, removed)
            }
            (Call::RemoveAll(subject, except), Answer::Removed(removed)) => {
                let ended = self.of(subject).iter().map(Session::id).collect::<Vec<_>>();
                let ended: Vec<_> = ended.into_iter().filter(|id| Some(*id) != *except).collect();
                self.0.retain(|id, _| !ended.contains(id));
                expect_ids("ended", &ended, removed)
            }
            (Call::Sweep(before, limit), Answer::Swept(swept)) => {
                let due = |one: &&Session| one.lifetime().expires_at() <= *before;
                let due: Vec<_> = self.0.values().filter(due).cloned().collect();
                let expected = due.len().min(*limit as usize);
                expect("how many were swept", &expected, &swept.len())?;
                let ids: Vec<_> = swept.iter().map(Removed::id).collect();
                let of_due: Vec<_> =
                    due.into_iter().filter(|one| ids.contains(&one.id())).collect();
                self.0.retain(|id, _| !ids.contains(id));
                expect_removed("swept", &of_due, swept)
            }
            (Call::Update(update), Answer::Said(won)) => {
                let updated = self.0.get(&update.id()).and_then(|held| update.apply(held));
                expect("whether it was updated", &updated.is_some(), won)?;
                self.0.extend(updated.map(|updated| (updated.id(), updated)));
                Ok(())
            }
            (call, _) => explain(&[], &[(call, &answer)], &[]),
        }
    }

    /// All of it is seen through both handles.
    pub(super) async fn is_seen(&self, probe: &Probe, id: SessionId, subject: &str) -> Verdict {
        for probe in [probe, &probe.turned()] {
            let seen = probe.load(id).await?;
            expect_session("loaded after it", self.0.get(&id), seen.as_ref())?;
            expect_sessions("listed after it", &self.of(subject), &probe.list(subject).await?)?;
        }
        Ok(())
    }

    fn of(&self, subject: &str) -> Vec<Session> {
        self.0.values().filter(|one| one.subject() == subject).cloned().collect()
    }
}

/// Random calls of few ids and subjects, so that they meet in every order.
pub(super) async fn random(probe: Probe) -> Verdict {
    for seed in 0..SEEDS {
        let mut random = Random(seed);
        let mut model = Model::default();
        let mut past: Vec<Session> = Vec::new();
        let mut recent: Vec<&'static str> = Vec::new();
        for _ in 0..CALLS {
            let n = u32::try_from(random.below(IDS)).unwrap_or(0);
            let subject = SUBJECTS[random.below(SUBJECTS.len())];
            let call = any(&mut random, &model, &past, n, subject);
            let caller = random.below(2);
            recent.push(name(&call));
            let told = model.call(&probe, caller, &call).await;
            let seen = match told {
                Ok(()) => model.is_seen(&probe, id(n), subject).await,
                Err(failure) => Err(failure),
            };
            seen.map_err(|failure| {
                let from = recent.len().saturating_sub(4);
                failure.within(&format!("after {}", recent[from..].join(", ")))
            })?;
            past.extend(model.0.get(&id(n)).cloned());
        }
        for subject in SUBJECTS {
            model.call(&probe, 0, &Call::RemoveAll(String::from(subject), None)).await?;
        }
    }
    Ok(())
}

fn any(random: &mut Random, model: &Model, past: &[Session], n: u32, subject: &str) -> Call {
    let by = u32::try_from(random.below(40)).unwrap_or(0);
    match random.below(12) {
        0..=3 => Call::Create(with(
            &if by % 2 == 0 { full(n) } else { session_of(n, subject) },
            |parts| {
                parts.subject = subject.into();
                parts.secret = super::fixture::secret(by);
            },
        )),
        4..=7 => {
            let now = model.0.get(&id(n)).filter(|_| by % 4 != 0);
            let then = past.get(random.below(past.len())).cloned();
            let held = now.cloned().or(then).unwrap_or_else(|| full(n));
            Call::Update(rewrite(&held, by))
        }
        8 => Call::Remove(id(n)),
        9 => {
            let except = (by % 2 == 0).then(|| id(by % 8));
            Call::RemoveAll(subject.to_string(), except)
        }
        10 => Call::Sweep(at(890 + 4 * i64::from(by)), [0, 1, 2, u32::MAX][random.below(4)]),
        _ if by % 2 == 0 => Call::Load(id(n)),
        _ => Call::List(subject.to_string()),
    }
}

/// Each write through one handle, then each verb through the other, which has seen
/// what was there before.
pub(super) async fn each_pair(probe: Probe) -> Verdict {
    for probe in [&probe, &probe.turned()] {
        let mut n = 0;
        for write in 0..5 {
            for read in 0..7 {
                n += 1;
                pair(probe, n, write, read).await?;
            }
        }
    }
    Ok(())
}

async fn pair(probe: &Probe, n: u32, write: u32, read: u32) -> Verdict {
    let subject = format!("pair-{n}");
    let held = with(&full(n), |parts| parts.subject = subject.as_str().into());
    let sibling = with(&full(n + 1_000), |parts| parts.subject = subject.as_str().into());
    let mut model = Model::default();
    let (load, list) = (Call::Load(held.id()), Call::List(subject.clone()));
    model.call(probe, 0, &Call::Create(sibling)).await?;
    if write > 0 {
        model.call(probe, 0, &Call::Create(held.clone())).await?;
    }
    for caller in [1, 0, 1] {
        for look in [&load, &list] {
            model.call(probe, caller, look).await?;
        }
    }
    let update = rewrite(&held, 5);
    let first = match write {
        0 => Call::Create(held.clone()),
        1 => Call::Remove(held.id()),
        2 => Call::RemoveAll(subject.clone(), None),
        3 => Call::Sweep(at(903), u32::MAX),
        _ => Call::Update(update),
    };
    model.call(probe, 0, &first).await?;
    let now = update.apply(&held).ok_or_else(|| Failure::new("an update that applies"))?;
    let then = match read {
        0 => load,
        1 => list,
        2 => Call::Update(rewrite(&held, 6)),
        3 => Call::Update(rewrite(&now, 6)),
        4 => Call::Remove(held.id()),
        5 => Call::RemoveAll(subject.clone(), None),
        _ => Call::Sweep(at(2_000), u32::MAX),
    };
    let place =
        format!("{} through one handle, then {} through the other", name(&first), name(&then));
    let seen = match model.call(probe, 1, &then).await {
        Ok(()) => model.is_seen(probe, held.id(), &subject).await,
        Err(failure) => Err(failure),
    };
    seen.map_err(|failure| failure.within(&place))?;
    model.call(probe, 1, &Call::Create(held.clone())).await?;
    model.is_seen(probe, held.id(), &subject).await?;
    model.call(probe, 0, &Call::RemoveAll(subject.clone(), None)).await?;
    model.is_seen(probe, held.id(), &subject).await
}

/// What a handle stored that is dropped then.
pub(super) async fn stores(probe: Probe) -> Verdict {
    let sessions = [full(0), session_of(1, "user-43"), full(2)];
    probe.create_all(&sessions).await?;
    expect("updated", &true, &probe.update(&rewrite(&sessions[0], 5)).await?)?;
    expect("removed", &true, &probe.remove(sessions[2].id()).await?)
}

/// Is there for another.
pub(super) async fn outlives(probe: Probe) -> Verdict {
    let other = session_of(1, "user-43");
    let updated = rewrite(&full(0), 5).apply(&full(0));
    let updated = updated.ok_or_else(|| Failure::new("an update that applies"))?;
    probe.holds("what a dropped handle updated", &updated).await?;
    probe.holds("what a dropped handle created", &other).await?;
    probe.lacks("what a dropped handle removed", id(2)).await?;
    let swept = probe.sweep(at(3_000), 10).await?;
    expect_removed("swept of what a dropped handle stored", &[updated, other], &swept)
}

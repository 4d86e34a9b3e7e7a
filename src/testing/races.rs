//! Which calls are raced.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::call::{Call, Race};
use super::fixture::{at, expiring, full, renewal, rewrite, session_of, with};
use super::probe::Probe;
use super::race::{crowd, run};
use super::report::Verdict;
use crate::record::Session;

const CROWD: u32 = 32;

pub(super) async fn creates(probe: Probe) -> Verdict {
    let race = |n| {
        let (one, other) = (
            of(n),
            with(&session_of(n, format!("thief-{n}")), |parts| {
                parts.generation = 9;
            }),
        );
        Race { before: Vec::new(), calls: [one, other].map(Call::Create).into() }
    };
    run(&probe, race).await?;
    // The id may be free by then.
    let race = |n| {
        let taken = of(n);
        let new = session_of(n, format!("new-{n}"));
        Race { calls: [Call::Create(new), Call::Remove(taken.id())].into(), before: [taken].into() }
    };
    run(&probe, race).await?;
    crowd(&probe, |n| {
        let of = |racer| session_of(n, format!("racer-{n}-{racer}"));
        Race { before: Vec::new(), calls: (0..CROWD).map(of).map(Call::Create).collect() }
    })
    .await
}

pub(super) async fn updates(probe: Probe) -> Verdict {
    for other in [2, 1] {
        let race = |n| {
            let held = of(n);
            let updates = [1, other].map(|by| Call::Update(rewrite(&held, by)));
            Race { calls: updates.into(), before: [held].into() }
        };
        run(&probe, race).await?;
    }
    crowd(&probe, |n| {
        let held = of(n);
        let calls = (0..CROWD).map(|by| Call::Update(rewrite(&held, by))).collect();
        Race { before: [held].into(), calls }
    })
    .await
}

pub(super) async fn logout(probe: Probe) -> Verdict {
    let race = |n| {
        let held = of(n);
        let calls = [Call::Update(rewrite(&held, 1)), Call::Remove(held.id())].into();
        Race { before: [held].into(), calls }
    };
    run(&probe, race).await?;
    crowd(&probe, |n| {
        let held = of(n);
        let mut calls: Vec<_> = (1..4).map(|by| Call::Update(rewrite(&held, by))).collect();
        calls.insert(1, Call::Remove(held.id()));
        Race { before: [held].into(), calls }
    })
    .await
}

pub(super) async fn removals(probe: Probe) -> Verdict {
    let race = |n| {
        let held = of(n);
        Race {
            calls: [Call::Remove(held.id()), Call::Remove(held.id())].into(),
            before: [held].into(),
        }
    };
    run(&probe, race).await?;
    crowd(&probe, |n| {
        let held = of(n);
        let calls = (0..CROWD).map(|_| Call::Remove(held.id())).collect();
        Race { before: [held].into(), calls }
    })
    .await
}

pub(super) async fn told_once(probe: Probe) -> Verdict {
    for way in 0..4 {
        let race = |n| {
            let held = of(n);
            let (id, subject) = (held.id(), held.subject().to_string());
            let all = || Call::RemoveAll(subject.clone(), None);
            let sweep = || Call::Sweep(at(903), 5);
            let calls = match way {
                0 => [Call::Remove(id), all()],
                1 => [Call::Remove(id), sweep()],
                2 => [all(), all()],
                _ => [all(), sweep()],
            };
            Race { before: [held].into(), calls: calls.into() }
        };
        run(&probe, race).await?;
    }
    Ok(())
}

pub(super) async fn remove_all(probe: Probe) -> Verdict {
    let race = |n| {
        let sessions = several(n);
        let calls = [
            Call::Update(rewrite(&sessions[0], 1)),
            Call::RemoveAll(sessions[0].subject().to_string(), None),
        ];
        Race { calls: calls.into(), before: sessions }
    };
    run(&probe, race).await?;
    let race = |n| {
        let sessions = several(n);
        let all = Call::RemoveAll(sessions[0].subject().to_string(), None);
        let mut calls: Vec<_> =
            sessions.iter().map(|session| Call::Update(rewrite(session, 1))).collect();
        calls.push(all);
        Race { before: sessions, calls }
    };
    crowd(&probe, race).await
}

pub(super) async fn sweep_and_renewals(probe: Probe) -> Verdict {
    let race = |n| {
        let held = expiring_of(n, 0);
        let calls = [Call::Update(renewal(&held, at(-1), at(900))), Call::Sweep(at(0), 1)];
        Race { before: [held].into(), calls: calls.into() }
    };
    run(&probe, race).await?;
    crowd(&probe, |n| {
        let held: Vec<_> = (0..8).map(|more| expiring_of(n, more)).collect();
        let renew = |held: &Session| Call::Update(renewal(held, at(-1), at(900)));
        let mut calls: Vec<_> = held.iter().map(renew).collect();
        calls.insert(2, Call::Sweep(at(0), 20));
        Race { before: held, calls }
    })
    .await
}

pub(super) async fn sweeps(probe: Probe) -> Verdict {
    for limit in [1, 10] {
        let race = |n| {
            let held: Vec<_> = (0..3).map(|more| expiring_of(n, more)).collect();
            Race {
                before: held,
                calls: [Call::Sweep(at(0), limit), Call::Sweep(at(0), limit)].into(),
            }
        };
        run(&probe, race).await?;
    }
    crowd(&probe, |n| {
        let held: Vec<_> = (0..50).map(|more| expiring_of(n, more)).collect();
        Race { before: held, calls: (0..8).map(|_| Call::Sweep(at(0), 50)).collect() }
    })
    .await
}

pub(super) async fn reads(probe: Probe) -> Verdict {
    for listed in [false, true] {
        for way in 0..3 {
            let race = |n| {
                let held = of(n);
                let read = if listed {
                    Call::List(held.subject().to_string())
                } else {
                    Call::Load(held.id())
                };
                let (before, call) = match way {
                    0 => (Vec::from([held.clone()]), Call::Update(rewrite(&held, 1))),
                    1 => (Vec::from([held.clone()]), Call::Remove(held.id())),
                    _ => (Vec::new(), Call::Create(held)),
                };
                Race { before, calls: [call, read].into() }
            };
            run(&probe, race).await?;
        }
    }
    Ok(())
}

/// Sessions of one subject, of which one is made or ended while another is.
pub(super) async fn of_one_subject(probe: Probe) -> Verdict {
    for way in 0..8 {
        let race = |n| {
            let (one, other) = (of(n), of_same(n, 1));
            let (id, subject) = (one.id(), one.subject().to_string());
            let there = || Vec::from([one.clone()]);
            let both = || Vec::from([one.clone(), other.clone()]);
            let create = || Call::Create(other.clone());
            let (before, calls) = match way {
                0 => (Vec::new(), [Call::Create(one.clone()), create()]),
                1 => (there(), [Call::Remove(id), create()]),
                2 => (there(), [Call::RemoveAll(subject, None), create()]),
                3 => (there(), [Call::RemoveAll(subject, Some(id)), create()]),
                4 => (there(), [Call::Sweep(at(903), 5), Call::Create(late(&other))]),
                5 => (both(), [Call::Remove(id), Call::Remove(other.id())]),
                6 => (both(), [Call::Update(rewrite(&one, 1)), Call::Remove(other.id())]),
                _ => (both(), [Call::Update(rewrite(&one, 1)), Call::Update(rewrite(&other, 2))]),
            };
            Race { before, calls: calls.into() }
        };
        run(&probe, race).await?;
    }
    crowd(&probe, |n| Race {
        before: Vec::new(),
        calls: (0..CROWD).map(|more| Call::Create(of_same(n, more))).collect(),
    })
    .await
}

/// A session in whose race nobody else has the same subject.
fn of(n: u32) -> Session {
    of_same(n, 0)
}

fn of_same(n: u32, more: u32) -> Session {
    with(&full(n + more), |parts| parts.subject = subject(n).into())
}

fn several(n: u32) -> Vec<Session> {
    (0..3).map(|more| of_same(n, more)).collect()
}

fn expiring_of(n: u32, more: u32) -> Session {
    with(&expiring(n + more, at(0)), |parts| parts.subject = subject(n).into())
}

/// The session, past what a sweep among its race takes.
fn late(session: &Session) -> Session {
    let lifetime = crate::rule::Lifetime::ordered(at(0), at(0), at(2_000), at(3_000));
    with(session, |parts| parts.lifetime = lifetime)
}

fn subject(n: u32) -> String {
    format!("racer-{n}")
}

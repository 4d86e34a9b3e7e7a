//! Calls of the store polled together.

use std::vec::Vec;

use super::fixture::{SUBJECT, at, expiring, id, renewal, session, session_of};
use super::join::{join, join_all, yield_now};
use super::probe::{Probe, Verdict, expect, unexpected};
use crate::store::{SessionStore, StoreError};

const RACERS: u32 = 32;

pub(super) async fn creates<S: SessionStore>(store: Probe<S>) -> Verdict {
    let sessions: Vec<_> = (0..RACERS).map(|n| session_of(0, std::format!("user-{n}"))).collect();
    let outcomes = join_all(sessions.iter().map(|session| store.store.create(session))).await;
    let mut winner = None;
    for (session, outcome) in sessions.iter().zip(outcomes) {
        match outcome {
            Err(StoreError::Conflict) => {}
            Ok(()) if winner.is_none() => winner = Some(session),
            other => return Err(unexpected("one `Ok`, the others `Conflict`", &other)),
        }
    }
    match winner {
        Some(winner) => store.holds("the winner's session", winner).await,
        None => Err(unexpected("one winner", &"none")),
    }
}

pub(super) async fn renewals<S: SessionStore>(store: Probe<S>) -> Verdict {
    let mut held = session(0);
    store.create(&held).await?;
    for round in 1..=4 {
        let renewals: Vec<_> = (0..RACERS)
            .map(|n| i64::from(n) + 60 * round)
            .map(|second| renewal(&held, at(second), at(second + 901)))
            .collect();
        let outcomes = join_all(renewals.iter().map(|renewal| store.update(renewal))).await;
        let outcomes: Vec<bool> = outcomes.into_iter().collect::<Verdict<_>>()?;
        let winners: Vec<_> =
            renewals.iter().zip(outcomes).filter(|(_, won)| *won).map(|(one, _)| one).collect();
        expect("winners of one version", &1, &winners.len())?;
        let renewed = winners.first().and_then(|winner| winner.apply(&held));
        held = renewed.ok_or_else(|| unexpected("a winner that applies", &winners))?;
        store.holds("what the winner wrote", &held).await?;
    }
    Ok(())
}

pub(super) async fn logout<S: SessionStore>(store: Probe<S>) -> Verdict {
    for n in 0..RACERS {
        let held = session(n);
        store.create(&held).await?;
        let renewal = renewal(&held, at(60), at(961));
        let removed = if n % 2 == 0 {
            join(store.update(&renewal), store.remove(held.id())).await.1?
        } else {
            join(store.remove(held.id()), store.update(&renewal)).await.0?
        };
        expect("logged out", &true, &removed)?;
        store.lacks("no session after a logout", held.id()).await?;
    }
    Ok(())
}

pub(super) async fn removals<S: SessionStore>(store: Probe<S>) -> Verdict {
    let held = session(0);
    store.create(&held).await?;
    let removed = join_all((0..RACERS).map(|_| store.remove(held.id()))).await;
    let removed: Vec<bool> = removed.into_iter().collect::<Verdict<_>>()?;
    expect("calls that removed it", &1, &removed.iter().filter(|removed| **removed).count())
}

pub(super) async fn sweep_and_renewals<S: SessionStore>(store: Probe<S>) -> Verdict {
    for n in 0..RACERS {
        let held = expiring(n, at(0));
        store.create(&held).await?;
        let renewal = renewal(&held, at(-1), at(900));
        let (won, swept) = if n % 2 == 0 {
            join(store.update(&renewal), store.sweep(at(0), 1)).await
        } else {
            let (swept, won) = join(store.sweep(at(0), 1), store.update(&renewal)).await;
            (won, swept)
        };
        match (won?, swept?) {
            // The sweep may pass over a session that is being written.
            (true, 0) => {
                let lifetime = store.load(held.id()).await?.map(|held| *held.lifetime());
                let renewed = renewal.apply(&held).map(|renewed| *renewed.lifetime());
                expect("the renewed session", &renewed, &lifetime)?;
            }
            (false, 1) => store.lacks("no session once swept", held.id()).await?,
            other => return Err(unexpected("either renewed or swept, not both", &other)),
        }
    }
    Ok(())
}

pub(super) async fn sweeps<S: SessionStore>(store: Probe<S>) -> Verdict {
    const EXPIRED: u32 = 200;
    for n in 0..EXPIRED {
        store.create(&expiring(n, at(0))).await?;
    }
    let mut swept = 0;
    // Sweepers may pass over what another holds, so one more looks for the rest.
    for sweepers in [8, 1] {
        for outcome in join_all((0..sweepers).map(|_| store.sweep(at(0), EXPIRED))).await {
            swept += outcome?;
        }
    }
    expect("sessions swept by all", &u64::from(EXPIRED), &swept)
}

pub(super) async fn remove_all<S: SessionStore>(store: Probe<S>) -> Verdict {
    let sessions: Vec<_> = (0..RACERS).map(session).collect();
    for session in &sessions {
        store.create(session).await?;
    }
    let renewals: Vec<_> =
        sessions.iter().map(|session| renewal(session, at(60), at(961))).collect();
    let renew = join_all(renewals.iter().map(|renewal| store.update(renewal)));
    let (renewed, removed) = join(renew, store.remove_all(SUBJECT, None)).await;
    renewed.into_iter().collect::<Verdict<Vec<bool>>>()?;
    expect("sessions ended", &u64::from(RACERS), &removed?)?;
    for session in &sessions {
        store.lacks("no session after remove_all", session.id()).await?;
    }
    expect("listed after remove_all", &Vec::new(), &store.list(SUBJECT).await?)
}

/// Rotates a session so many times, as `Sessions` does, from one number to the
/// next; ends where it has been ended. Others come between: `pause` rounds while
/// both are there, and one more while one is, so that nobody keeps in step.
async fn rotations<S: SessionStore>(store: &Probe<S>, times: u32, pause: u32) -> Verdict {
    for n in 0..times {
        let successor = session(n + 1);
        store.create(&successor).await?;
        for _ in 0..pause {
            yield_now().await;
        }
        if !store.remove(id(n)).await? {
            store.remove(successor.id()).await?;
            return Ok(());
        }
        for _ in 0..=pause {
            yield_now().await;
        }
    }
    Ok(())
}

pub(super) async fn rotations_and_lists<S: SessionStore>(store: Probe<S>) -> Verdict {
    for pause in 0..4 {
        store.create(&session(0)).await?;
        let lists = async {
            for _ in 0..RACERS {
                let listed = store.list(SUBJECT).await?;
                if !(1..=2).contains(&listed.len()) {
                    return Err(unexpected("the session, its successor or both", &listed));
                }
                yield_now().await;
            }
            Ok(())
        };
        let (rotated, listed) = join(rotations(&store, RACERS, pause), lists).await;
        rotated?;
        listed?;
        expect("the last successor", &true, &store.remove(id(RACERS)).await?)?;
    }
    Ok(())
}

pub(super) async fn rotations_and_remove_all<S: SessionStore>(store: Probe<S>) -> Verdict {
    for late in 0..12 {
        store.create(&session(0)).await?;
        let remove_all = async {
            for _ in 0..late {
                yield_now().await;
            }
            store.remove_all(SUBJECT, None).await
        };
        let (rotated, removed) = join(rotations(&store, 8, late % 3), remove_all).await;
        rotated?;
        removed?;
        expect("left of a rotated session", &Vec::new(), &store.list(SUBJECT).await?)?;
    }
    Ok(())
}

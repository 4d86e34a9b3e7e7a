//! Calls that are dropped after so many polls.

use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::Poll;
use std::boxed::Box;
use std::format;
use std::string::ToString;
use std::vec::Vec;

use super::call::{Answer, Call, Race, explain, name};
use super::differ::{expect, expect_session};
use super::fixture::{at, full, renewal, rewrite, session_of, with};
use super::probe::Probe;
use super::race::{clear, held};
use super::report::{Failure, Verdict};
use super::schedule::Strict;
use crate::record::Session;

/// A call of more polls than this is dropped only at these.
const POLLS: usize = 100;
/// So often it is looked whether a server has come to its end.
const LOOKS: u32 = 50;

/// Each verb, by number.
const VERBS: u32 = 9;

fn calls(n: u32, verb: u32) -> Race {
    let subject = format!("cancelled-{n}");
    let held: Vec<_> = (0..3)
        .map(|more| with(&full(n + more), |parts| parts.subject = subject.as_str().into()))
        .collect();
    let new = with(&full(n + 5), |parts| parts.subject = subject.as_str().into());
    let id = held[1].id();
    let call = match verb {
        0 => Call::Create(new),
        1 => Call::Update(rewrite(&held[1], 1)),
        2 => Call::Remove(id),
        3 => Call::RemoveAll(subject, Some(held[0].id())),
        4 => Call::RemoveAll(subject, None),
        5 => Call::Sweep(at(903), 10),
        6 => Call::Load(id),
        7 => Call::List(subject),
        _ => Call::Create(with(&held[1], |parts| parts.subject = "thief".into())),
    };
    Race { before: held, calls: [call].into() }
}

/// Each verb alone, dropped after 0, 1, 2... polls: whole or absent, and found by
/// every verb.
pub(super) async fn alone(probe: Probe) -> Verdict {
    let mut n = 0;
    for verb in 0..VERBS {
        for turn in 0..3 {
            for polls in 0..POLLS {
                n += 10;
                let race = calls(n, verb);
                probe.create_all(&race.before).await?;
                let answer = {
                    let mut call = Box::pin(probe.call(0, &race.calls[0]));
                    polled(call.as_mut(), polls).await.transpose()?
                };
                let done = answer.is_some();
                let place = format!("{}, dropped after {polls} polls", name(&race.calls[0]));
                let after = settled(&probe, &race, answer).await;
                let after = after.map_err(|failure| failure.within(&place))?;
                let found = answers(&probe, &race, after, turn).await;
                found.map_err(|failure| failure.within(&place))?;
                if done {
                    break;
                }
            }
        }
    }
    Ok(())
}

/// Each verb, dropped while another call waits for it; and dropped while it waits.
pub(super) async fn among_others(probe: Probe) -> Verdict {
    let mut n = 0;
    for verb in 0..VERBS {
        for other in 0..VERBS {
            for polls in 1..POLLS {
                n += 10;
                let race = calls(n, verb);
                let waiting = calls(n, other);
                probe.create_all(&race.before).await?;
                let (first, then) = (&race.calls[0], &waiting.calls[0]);
                let mut dropped = Strict::new(probe.call(0, first));
                let mut waits = Strict::new(probe.call(1, then));
                let done = polled(Pin::new(&mut dropped), polls).await.transpose()?.is_some();
                let answered = polled(Pin::new(&mut waits), 1).await.transpose()?.is_some();
                if polls % 2 == 0 {
                    drop(waits);
                    if !done {
                        dropped.await?;
                    }
                } else {
                    drop(dropped);
                    if !answered {
                        waits.await?;
                    }
                }
                let both =
                    Race { before: race.before, calls: [first.clone(), then.clone()].into() };
                let place = format!("{} and {}, one of them dropped", name(first), name(then));
                let after =
                    agreed(&probe, &both).await.map_err(|failure| failure.within(&place))?;
                clear(&probe, &after, n / 10).await.map_err(|failure| failure.within(&place))?;
                if done {
                    break;
                }
            }
        }
    }
    Ok(())
}

/// The output, if it comes within so many polls.
async fn polled<F: Future + ?Sized>(mut future: Pin<&mut F>, times: usize) -> Option<F::Output> {
    let mut polls = 0;
    poll_fn(|context| {
        if polls == times {
            return Poll::Ready(None);
        }
        polls += 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if polls == times => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// What is there once all views agree.
async fn agreed(probe: &Probe, race: &Race) -> Verdict<Vec<Session>> {
    if !probe.on_threads {
        probe.wait().await;
    }
    let mut looked = held(probe, race).await;
    for _ in 0..LOOKS {
        if looked.is_ok() {
            break;
        }
        probe.wait().await;
        looked = held(probe, race).await;
    }
    looked
}

/// As [`agreed`], where each session is as it was or as the call makes it.
async fn settled(probe: &Probe, race: &Race, answer: Option<Answer>) -> Verdict<Vec<Session>> {
    let after = agreed(probe, race).await?;
    let call = &race.calls[0];
    if let Some(answer) = answer {
        explain(&race.before, &[(call, &answer)], &after)?;
        return Ok(after);
    }
    for id in race.ids() {
        let of = |sessions: &[Session]| sessions.iter().find(|one| one.id() == id).cloned();
        let (was, is) = (of(&race.before), of(&after));
        let made = effect(call, was.as_ref());
        let made = if call.about().is_none_or(|about| about == id) { made } else { was.clone() };
        if is != was && is != made {
            let what = "a session after a dropped call, which is neither as before nor whole";
            return expect_session(what, made.as_ref(), is.as_ref()).map(|()| after.clone());
        }
    }
    Ok(after)
}

/// What a call makes of a session.
fn effect(call: &Call, session: Option<&Session>) -> Option<Session> {
    let same = session.cloned();
    match call {
        Call::Create(new) => same.or_else(|| Some(new.clone())),
        Call::List(_) | Call::Load(_) => same,
        Call::Remove(_) => None,
        Call::RemoveAll(_, except) => same.filter(|session| Some(session.id()) == *except),
        Call::Sweep(before, _) => same.filter(|one| one.lifetime().expires_at() > *before),
        Call::Update(update) => session.and_then(|session| update.apply(session)).or(same),
    }
}

/// Every verb still answers, and finds what is there.
async fn answers(probe: &Probe, race: &Race, after: Vec<Session>, turn: u32) -> Verdict {
    let mut written = Vec::new();
    for held in &after {
        let update = rewrite(held, 7);
        expect("an update after a dropped call", &true, &probe.update(&update).await?)?;
        let updated = update.apply(held);
        written.push(updated.ok_or_else(|| Failure::new("an update that applies"))?);
    }
    for held in &written {
        probe.holds("updated after a dropped call", held).await?;
    }
    clear(probe, &written, turn).await?;
    for id in race.ids() {
        let gone = with(&session_of(0, "gone"), |parts| parts.id = id);
        let update = renewal(&gone, at(60), at(961));
        expect("an update of none after a dropped call", &false, &probe.update(&update).await?)?;
        expect("removed after a dropped call", &false, &probe.remove(id).await?)?;
        let subject = format!("anew-{turn}");
        let anew = with(&session_of(0, subject.as_str()), |parts| parts.id = id);
        probe.create(&anew).await?;
        probe.holds("created anew after a dropped call", &anew).await?;
        expect("removed anew", &true, &probe.remove(id).await?)?;
        probe.lists("listed once removed", &subject, &[]).await?;
    }
    for subject in race.subjects() {
        probe.lists("listed once all are removed", &subject, &[]).await?;
        let ghosts = probe.remove_all(&subject.to_string(), None).await?;
        expect("removed of what is not there", &0, &ghosts.len())?;
    }
    let ghosts = probe.sweep(crate::time::Timestamp::MAX, 100).await?;
    expect("swept of what is not there", &0, &ghosts.len())
}

//! Calls that are dropped after so many polls.

use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::Poll;
use std::boxed::Box;
use std::format;
use std::vec::Vec;

use super::call::{Answer, Call, Race, explain, name};
use super::differ::{expect, expect_ids, expect_removed, expect_session};
use super::fixture::{at, full, renewal, rewrite, session_of, with};
use super::probe::Probe;
use super::race::{clear, held};
use super::report::{Failure, Verdict};
use super::schedule::Strict;
use crate::record::Session;
use crate::rule::Lifetime;
use crate::time::Timestamp;

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
            for waiter_is_dropped in [false, true] {
                for polls in 1..POLLS {
                    n += 10;
                    if one_dropped(&probe, [verb, other], n, polls, waiter_is_dropped).await? {
                        break;
                    }
                }
            }
        }
    }
    Ok(())
}

/// Whether the first call came to its end before one of both could be dropped.
async fn one_dropped(
    probe: &Probe,
    verbs: [u32; 2],
    n: u32,
    polls: usize,
    waiter_is_dropped: bool,
) -> Verdict<bool> {
    let [Race { before, calls: first }, Race { calls: then, .. }] =
        verbs.map(|verb| calls(n, verb));
    let race = Race { before, calls: [&first[..], &then[..]].concat() };
    let [first, then] = [&race.calls[0], &race.calls[1]];
    probe.create_all(&race.before).await?;
    let mut running = Strict::new(probe.call(0, first));
    let mut waiting = Strict::new(probe.call(1, then));
    let done = polled(Pin::new(&mut running), polls).await.transpose()?.is_some();
    let answered = polled(Pin::new(&mut waiting), 1).await.transpose()?.is_some();
    if waiter_is_dropped {
        drop(waiting);
        if !done {
            running.await?;
        }
    } else {
        drop(running);
        if !answered {
            waiting.await?;
        }
    }
    let left = async {
        let after = rewritten(probe, &race, &agreed(probe, &race).await?).await?;
        clear(probe, &after, n / 10).await
    };
    let place = format!("{} and {}, one of them dropped", name(first), name(then));
    left.await.map_err(|failure| failure.within(&place))?;
    Ok(done)
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

/// Each session can be written still.
async fn rewritten(probe: &Probe, race: &Race, held: &[Session]) -> Verdict<Vec<Session>> {
    let (what, mut written) = ("an update after a dropped call", Vec::new());
    for held in held {
        let mut held = held.clone();
        if !probe.update(&rewrite(&held, 7)).await? {
            // A busy server may have carried out the dropped call since it was looked at.
            let now = probe.load(held.id()).await?;
            let is_late = |call| now.as_ref() != Some(&held) && effect(call, Some(&held)) == now;
            if !race.calls.iter().any(is_late) {
                expect(what, &true, &false)?;
            }
            let Some(now) = now else { continue };
            held = now;
            expect(what, &true, &probe.update(&rewrite(&held, 7)).await?)?;
        }
        let updated = rewrite(&held, 7).apply(&held);
        written.push(updated.ok_or_else(|| Failure::new("an update that applies"))?);
    }
    for held in &written {
        probe.holds("updated after a dropped call", held).await?;
    }
    Ok(written)
}

/// Every verb still answers, and finds what is there.
async fn answers(probe: &Probe, race: &Race, after: Vec<Session>, turn: u32) -> Verdict {
    let written = rewritten(probe, race, &after).await?;
    clear(probe, &written, turn).await?;
    let nobody = "ended of a subject that has no session left";
    for id in race.ids() {
        let gone = with(&session_of(0, "gone"), |parts| parts.id = id);
        let update = renewal(&gone, at(60), at(961));
        expect("an update of none after a dropped call", &false, &probe.update(&update).await?)?;
        expect("removed after a dropped call", &false, &probe.remove(id).await?)?;
        let subject = format!("anew-{turn}");
        let lifetime = Lifetime::ordered(at(0), at(0), at(5_000), at(6_000));
        let anew = with(&session_of(0, subject.as_str()), |parts| {
            parts.id = id;
            parts.lifetime = lifetime;
        });
        probe.create(&anew).await?;
        probe.holds("created anew after a dropped call", &anew).await?;
        for former in race.subjects() {
            probe.lists("listed of a subject that has no session left", &former, &[]).await?;
            expect_ids(nobody, &[], &probe.remove_all(&former, None).await?)?;
        }
        expect_removed("swept too early", &[], &probe.sweep(at(4_999), 10).await?)?;
        probe.holds("created anew after a dropped call", &anew).await?;
        match turn {
            0 => expect("removed anew", &true, &probe.remove(id).await?)?,
            1 => expect_ids("ended anew", &[id], &probe.remove_all(&subject, None).await?)?,
            _ => expect_removed("swept anew", &[anew], &probe.sweep(at(5_000), 10).await?)?,
        }
        probe.lists("listed once removed", &subject, &[]).await?;
    }
    let ghosts = probe.sweep(Timestamp::MAX, 100).await?;
    expect_removed("swept of what is not there", &[], &ghosts)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests;

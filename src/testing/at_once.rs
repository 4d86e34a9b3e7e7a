//! Whether a store that says it never waits does not.

use std::format;

use super::call::{Call, name};
use super::differ::expect;
use super::fixture::{SUBJECT, at, expiring, full, id, rewrite, session_of};
use super::probe::Probe;
use super::report::Verdict;
use super::schedule::{Plan, race};

/// The three verbs of a request, of a session that is there and of one that is not, each
/// while another call may have begun.
pub(super) async fn in_one_poll(probe: Probe) -> Verdict {
    if !probe.never_waits {
        return Ok(());
    }
    let (held, bystander) = (full(0), full(1));
    let there = [bystander.clone(), session_of(3, "others"), expiring(4, at(0))];
    let (update, id_of_none) = (rewrite(&held, 1), id(2));
    let others = [
        Call::Create(full(5)),
        Call::List(SUBJECT.into()),
        Call::Load(bystander.id()),
        Call::Remove(id_of_none),
        Call::RemoveAll("others".into(), None),
        Call::Sweep(at(0), 10),
        Call::Update(rewrite(&bystander, 1)),
    ];
    // Of what is there, was written meanwhile, and is gone.
    let calls = [
        Call::Load(held.id()),
        Call::Update(update),
        Call::Update(update),
        Call::Remove(held.id()),
        Call::Remove(held.id()),
        Call::Load(held.id()),
        Call::Update(update),
    ];
    for other in &others {
        probe.create(&held).await?;
        for call in &calls {
            for session in &there {
                // It may be there already.
                probe.call(0, &Call::Create(session.clone())).await?;
            }
            let both = [probe.call(0, other), probe.call(0, call)];
            let (answers, polls) = race(both, Plan::Split(1, 1)).await;
            for answer in answers {
                answer?;
            }
            let what = format!("polls of {}, once {} had begun", name(call), name(other));
            expect(&what, &1, &polls[1])?;
        }
    }
    Ok(())
}

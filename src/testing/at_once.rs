//! What a store that never waits says of itself.

use std::format;

use super::call::{Call, name};
use super::differ::expect;
use super::fixture::{SUBJECT, at, full, rewrite};
use super::probe::Probe;
use super::report::Verdict;
use super::schedule::{Plan, race};

/// The three verbs of a request, each while another call has begun.
pub(super) async fn in_one_poll(probe: Probe) -> Verdict {
    if !probe.never_waits {
        return Ok(());
    }
    let others = [
        Call::Create(full(1)),
        Call::List(SUBJECT.into()),
        Call::Sweep(at(0), 10),
        Call::RemoveAll("nobody".into(), None),
    ];
    for other in &others {
        let held = full(0);
        probe.create(&held).await?;
        let (update, id) = (rewrite(&held, 1), held.id());
        for call in [Call::Load(id), Call::Update(update), Call::Remove(id)] {
            let calls = [probe.call(0, other), probe.call(0, &call)];
            let (answers, polls) = race(calls, Plan::Split(1, 1)).await;
            for answer in answers {
                answer?;
            }
            let what = format!("polls of {}, while {} had begun", name(&call), name(other));
            expect(&what, &1, &polls[1])?;
        }
    }
    Ok(())
}

//! Calls of a store as values, and whether what they were told can be right.

use std::collections::BTreeSet;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::differ::differences;
use super::report::{Failure, Verdict};
use crate::record::{Session, SessionId};
use crate::store::{Removed, Update};
use crate::time::Timestamp;

#[derive(Clone)]
pub(super) enum Call {
    Create(Session),
    List(String),
    Load(SessionId),
    Remove(SessionId),
    RemoveAll(String, Option<SessionId>),
    Sweep(Timestamp, u32),
    Update(Update),
}

pub(super) enum Answer {
    Found(Option<Session>),
    Listed(Vec<Session>),
    Removed(Vec<SessionId>),
    /// Of a create, `false` is a conflict.
    Said(bool),
    Swept(Vec<Removed>),
}

/// Calls that are made together, where `before` is there.
pub(super) struct Race {
    pub(super) before: Vec<Session>,
    pub(super) calls: Vec<Call>,
}

/// A call, and what it was told.
pub(super) type Told<'a> = (&'a Call, &'a Answer);

/// Fails unless the calls, in some order, one at a time, lead from `before` to
/// `after` with these answers; each session by itself, since a call about many
/// goes from one to the next.
pub(super) fn explain(before: &[Session], told: &[Told<'_>], after: &[Session]) -> Verdict {
    let mut ids: BTreeSet<_> = before.iter().map(Session::id).collect();
    ids.extend(told.iter().filter_map(|(call, _)| match call {
        Call::Create(session) => Some(session.id()),
        Call::Load(id) | Call::Remove(id) => Some(*id),
        Call::Update(update) => Some(update.id()),
        Call::List(_) | Call::RemoveAll(..) | Call::Sweep(..) => None,
    }));
    for (call, answer) in told {
        let told = match answer {
            Answer::Found(found) => found.iter().map(Session::id).collect(),
            Answer::Listed(listed) => listed.iter().map(Session::id).collect(),
            Answer::Removed(removed) => removed.clone(),
            Answer::Swept(swept) => swept.iter().map(Removed::id).collect::<Vec<_>>(),
            Answer::Said(_) => Vec::new(),
        };
        if let Some(id) = told.iter().find(|id| !ids.contains(id)) {
            return Err(Failure::new(format!("{} told of {id}, which nobody made", name(call))));
        }
    }
    for id in ids {
        let of = |sessions: &[Session]| sessions.iter().find(|session| session.id() == id).cloned();
        let (before, after) = (of(before), of(after));
        if !leads(id, before.as_ref(), told, after.as_ref()) {
            return Err(unexplained(id, before.as_ref(), told, after.as_ref()));
        }
    }
    Ok(())
}

fn leads(
    id: SessionId,
    before: Option<&Session>,
    told: &[Told<'_>],
    after: Option<&Session>,
) -> bool {
    // What fits and changes nothing can always come first.
    let mut rest = Vec::new();
    let mut changes = Vec::new();
    for (index, one) in told.iter().enumerate() {
        match step(id, before, *one) {
            Some(state) if state.as_ref() == before => {}
            Some(state) => {
                changes.push((rest.len(), state));
                rest.push(*one);
            }
            None => rest.push(told[index]),
        }
    }
    if rest.is_empty() {
        return before == after;
    }
    changes.into_iter().any(|(index, state)| {
        let mut rest = rest.clone();
        rest.remove(index);
        leads(id, state.as_ref(), &rest, after)
    })
}

/// The session of `id` after this call, if its answer is right where `state` is
/// there.
#[expect(clippy::option_option, reason = "whether it is right, and what is there then")]
fn step(id: SessionId, state: Option<&Session>, told: Told<'_>) -> Option<Option<Session>> {
    let same = || state.cloned();
    let is = |right: bool, then: Option<Session>| right.then_some(then);
    match told {
        (Call::Create(session), Answer::Said(made)) if session.id() == id => {
            if *made {
                is(state.is_none(), Some(session.clone()))
            } else {
                is(state.is_some(), same())
            }
        }
        (Call::Load(asked), Answer::Found(found)) if *asked == id => {
            is(found.as_ref() == state, same())
        }
        (Call::Update(update), Answer::Said(won)) if update.id() == id => {
            let updated = state.and_then(|session| update.apply(session));
            let then = if *won { updated.clone() } else { same() };
            is(*won == updated.is_some(), then)
        }
        (Call::Remove(asked), Answer::Said(removed)) if *asked == id => {
            is(*removed == state.is_some(), None)
        }
        (Call::List(subject), Answer::Listed(listed)) => {
            let mut of_id = listed.iter().filter(|session| session.id() == id);
            let (seen, again) = (of_id.next(), of_id.next());
            let there = state.filter(|session| session.subject() == subject);
            is(again.is_none() && seen == there, same())
        }
        (Call::RemoveAll(subject, except), Answer::Removed(removed)) => {
            let there = state.filter(|session| session.subject() == subject && *except != Some(id));
            let times = removed.iter().filter(|removed| **removed == id).count();
            let then = if there.is_some() { None } else { same() };
            is(times == usize::from(there.is_some()), then)
        }
        (Call::Sweep(before, _), Answer::Swept(swept)) => {
            let mut of_id = swept.iter().filter(|removed| removed.id() == id);
            match (of_id.next(), of_id.next()) {
                // It may pass over what is being written.
                (None, _) => Some(same()),
                (Some(removed), None) => {
                    let due = state.filter(|session| session.lifetime().expires_at() <= *before);
                    is(due.map(Removed::of).as_ref() == Some(removed), None)
                }
                (Some(_), Some(_)) => None,
            }
        }
        (Call::Create(_) | Call::Load(_) | Call::Remove(_) | Call::Update(_), _) => Some(same()),
        _ => None,
    }
}

/// Which calls with which answers lead nowhere, for people.
fn unexplained(
    id: SessionId,
    before: Option<&Session>,
    told: &[Told<'_>],
    after: Option<&Session>,
) -> Failure {
    let known = [before, after];
    let mut lines: Vec<String> = Vec::new();
    for one in told {
        let said = match one.1 {
            Answer::Said(said) => format!("{said}"),
            Answer::Found(found) => seen(found.as_ref(), known),
            Answer::Listed(listed) => seen(listed.iter().find(|session| session.id() == id), known),
            Answer::Removed(removed) => times(removed.iter().filter(|told| **told == id).count()),
            Answer::Swept(swept) => times(swept.iter().filter(|told| told.id() == id).count()),
        };
        lines.push(format!("{} said {said}", name(one.0)));
        if lines.len() == 6 && told.len() > 7 {
            lines.push(format!("{} more calls", told.len() - 6));
            break;
        }
    }
    let (was, then) = (seen(before, known), seen(after, known));
    let told = lines.join(", ");
    Failure::new(format!(
        "no order of the raced calls explains what was seen: first {was}; {told}; then {then}"
    ))
}

pub(super) const fn name(call: &Call) -> &'static str {
    match call {
        Call::Create(_) => "create",
        Call::List(_) => "list",
        Call::Load(_) => "load",
        Call::Remove(_) => "remove",
        Call::RemoveAll(..) => "remove_all",
        Call::Sweep(..) => "remove_expired",
        Call::Update(_) => "update",
    }
}

fn times(count: usize) -> String {
    format!("that it removed it {count} times")
}

/// `known` is what was and what is there.
fn seen(session: Option<&Session>, known: [Option<&Session>; 2]) -> String {
    let Some(session) = session else { return "no session".to_string() };
    let of_version = known.into_iter().flatten().find(|one| one.version() == session.version());
    match of_version.map(|known| differences(known, session)) {
        Some(torn) if !torn.is_empty() => {
            format!("version {} with {}", session.version(), torn.join("; "))
        }
        _ => format!("version {}", session.version()),
    }
}

impl Call {
    /// The one session that it is about, if it is about one.
    pub(super) fn about(&self) -> Option<SessionId> {
        match self {
            Self::Create(session) => Some(session.id()),
            Self::Load(id) | Self::Remove(id) => Some(*id),
            Self::Update(update) => Some(update.id()),
            Self::List(_) | Self::RemoveAll(..) | Self::Sweep(..) => None,
        }
    }
}

impl Answer {
    /// What it says of these sessions.
    pub(super) fn about(&self, ids: &BTreeSet<SessionId>) -> Self {
        match self {
            Self::Found(found) => Self::Found(found.clone()),
            Self::Said(said) => Self::Said(*said),
            Self::Listed(listed) => {
                let listed = listed.iter().filter(|session| ids.contains(&session.id()));
                Self::Listed(listed.cloned().collect())
            }
            Self::Removed(removed) => {
                Self::Removed(removed.iter().filter(|id| ids.contains(id)).copied().collect())
            }
            Self::Swept(swept) => {
                let swept = swept.iter().filter(|removed| ids.contains(&removed.id()));
                Self::Swept(swept.cloned().collect())
            }
        }
    }
}

impl Race {
    /// Of all sessions that it is about.
    pub(super) fn ids(&self) -> Vec<SessionId> {
        let mut ids: BTreeSet<_> = self.before.iter().map(Session::id).collect();
        ids.extend(self.calls.iter().filter_map(Call::about));
        ids.into_iter().collect()
    }

    pub(super) fn subjects(&self) -> BTreeSet<String> {
        let mut subjects: BTreeSet<_> =
            self.before.iter().map(|session| String::from(session.subject())).collect();
        subjects.extend(self.calls.iter().filter_map(|call| match call {
            Call::Create(session) => Some(String::from(session.subject())),
            Call::List(subject) | Call::RemoveAll(subject, _) => Some(subject.clone()),
            _ => None,
        }));
        subjects
    }

    pub(super) fn sweeps(&self) -> bool {
        self.calls.iter().any(|call| matches!(call, Call::Sweep(..)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests;

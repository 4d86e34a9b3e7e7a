//! Laws 13 and 14, of what holds for the subject: judged by when it came to hold, how long
//! nodes may remember what held before, and what clients and the store saw.

use crate::scope::Scope;
use crate::script::{Answer, Bound, Row, Sec, Verb};
use crate::world::{Flight, Law, World};

/// What holds at first.
pub const FIRST: Bound = Bound { epoch: 2, tight: false };

/// Whether a session of this epoch is revoked.
#[must_use]
pub fn revokes(bound: Option<Bound>, epoch: Option<u8>) -> bool {
    bound.is_none_or(|bound| Some(bound.epoch) != epoch)
}

/// Since when something holds. No scope goes back.
fn since(world: &World, is: impl Fn(Option<Bound>) -> bool) -> Option<Sec> {
    world.bounds.iter().find(|(_, bound)| is(*bound)).map(|(since, _)| *since)
}

/// Whether a row is revoked today.
#[must_use]
pub fn is_revoked(world: &World, row: &Row) -> bool {
    world.bounds.last().is_some_and(|(_, bound)| revokes(*bound, row.epoch))
}

/// Since when the client's session is revoked.
#[must_use]
pub fn revoked(world: &World) -> Option<Sec> {
    since(world, |bound| revokes(bound, Some(FIRST.epoch)))
}

/// That the client's session is revoked, once no node remembers better.
#[must_use]
pub fn finished(scope: &Scope, world: &World) -> Option<Law> {
    let since = revoked(world)?;
    (world.now - since >= scope.cache).then_some(Law::Epoch)
}

/// Whether the tighter policy holds, by every node.
#[must_use]
pub fn tightened(scope: &Scope, world: &World) -> bool {
    let since = since(world, |bound| bound.is_some_and(|bound| bound.tight));
    since.is_some_and(|since| world.now - since >= scope.cache)
}

/// When the tighter policy ends the session, if it has come to hold: a node that remembers
/// the former one is told by the row.
#[must_use]
pub fn ends_by(scope: &Scope, world: &World) -> Option<Sec> {
    let [.., cap] = scope.rules.tight;
    since(world, |bound| bound.is_some_and(|bound| bound.tight)).map(|_| cap)
}

/// Whether the tighter policy has come to hold and has ended this row, as it stands.
#[must_use]
pub fn has_ended(scope: &Scope, world: &World, row: &Row) -> bool {
    let [max_age, _, cap] = scope.rules.tight;
    let end = (row.renewed + max_age).min(row.created + cap);
    world.bounds.iter().any(|(_, bound)| bound.is_some_and(|bound| bound.tight)) && world.now >= end
}

/// The policies that hold for a request: its node's, and that of the bound that it has
/// heard, or that held for everybody when it was sent.
pub(crate) fn in_force(scope: &Scope, flight: &Flight) -> impl Iterator<Item = [Sec; 3]> {
    let heard = |(_, answer): &(_, Answer)| {
        matches!(answer, Answer::Bound(Some(Bound { tight: true, .. })))
    };
    let is_tight = flight.tight || flight.script.heard.iter().any(heard);
    let node = scope.rules.of(flight.script.tight);
    [Some(node), is_tight.then_some(scope.rules.tight)].into_iter().flatten()
}

/// A request has written.
pub(crate) fn written(
    scope: &Scope,
    flight: &Flight,
    before: &Row,
    after: &Row,
    at: Sec,
) -> Option<Law> {
    if !scope.rules.bounds || after.renewed == before.renewed {
        return None;
    }
    if flight.after == Some(Law::Epoch) {
        return Some(Law::Epoch);
    }
    let goes_too_far = |[max_age, _, cap]: [Sec; 3]| {
        let end = |row: &Row| (row.renewed + max_age).min(row.created + cap);
        at >= before.expires.min(end(before)) || after.expires > end(after)
    };
    in_force(scope, flight).any(goes_too_far).then_some(Law::Bound)
}

/// A request has been answered, and served if it was: it saw one bound, and nobody is let
/// in without.
pub(crate) fn answered(scope: &Scope, flight: &Flight, is_served: bool) -> Option<Law> {
    let told = |(_, answer): &&(_, Answer)| matches!(answer, Answer::Bound(_));
    let asked = flight.script.heard.iter().filter(told).count();
    // A rotation is asked for by a session that was authenticated.
    let most = if matches!(flight.script.verb, Verb::Rotate(..)) { 2 } else { 1 };
    let is_blind = scope.rules.bounds && asked == 0;
    (asked > most || is_blind && is_served).then_some(Law::Bound)
}

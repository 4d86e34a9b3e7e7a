//! Which acts a state allows.

use crate::act::Act;
use crate::scope::Scope;
use crate::script::{Id, Secret, Token, Verb};
use crate::world::{Who, World};

/// The name of the secret of the first rotation.
const FIRST_ROTATION: Secret = 32;

/// The requests that may come in.
pub(crate) fn begins(scope: &Scope, world: &World, acts: &mut Vec<Act>) {
    let spent = &world.spent;
    if world.flights.len() >= scope.parallel {
        return;
    }
    // Without a skew or a deployment, one node is as good as another.
    let nodes = if scope.skew == 0 && scope.deploys == 0 { 1 } else { scope.nodes };
    for node in 0..nodes {
        let mut begin = |may, who, verb| {
            if may {
                acts.push(Act::Begin(who, node, verb));
            }
        };
        if scope.rules.limit.is_some() {
            devices(scope, world, |may, verb| begin(may, Who::Client, verb));
            continue;
        }
        let jar = world.jar;
        begin(spent.requests < scope.requests, Who::Client, Verb::Authenticate(jar));
        begin(spent.polls < scope.polls, Who::Client, Verb::Peek(jar));
        let secret = FIRST_ROTATION + spent.rotations;
        begin(spent.rotations < scope.rotations, Who::Client, Verb::Rotate(jar, secret));
        let loot = world.loot.unwrap_or(Token::Opaque(0, 0));
        let steals = spent.thefts < scope.thefts;
        let has_loot = world.loot.is_some() || !scope.rules.signs();
        begin(steals && has_loot, Who::Thief, Verb::Authenticate(loot));
        // These ask no clock of the node before the store is done.
        if node == 0 {
            begin(spent.logouts < scope.logouts, Who::Client, Verb::End(jar.id()));
            begin(spent.logouts < scope.logouts, Who::Client, Verb::EndAll);
        }
        begin(spent.lists < scope.lists, Who::Client, Verb::List);
        begin(spent.sweeps < scope.sweeps, Who::Operator, Verb::Sweep);
    }
}

/// Requests of several devices: sign-ins under any name that is left, since ids are
/// random, and what the sessions from before do.
fn devices(scope: &Scope, world: &World, mut begin: impl FnMut(bool, Verb)) {
    let spent = &world.spent;
    let seeds = Id::try_from(scope.seeds.len()).unwrap_or(Id::MAX);
    for name in seeds..seeds + scope.sign_ins {
        let is_left = !spent.sign_ins.contains(&name);
        begin(is_left, Verb::Start(name, None));
        for replaced in 0..seeds {
            let may = is_left && spent.replacements < scope.replacements;
            begin(may, Verb::Start(name, Some(replaced)));
        }
    }
    for name in 0..seeds {
        let token = Token::Opaque(name, name);
        begin(spent.requests < scope.requests, Verb::Authenticate(token));
        begin(spent.logouts < scope.logouts, Verb::End(name));
    }
    begin(spent.logouts < scope.logouts, Verb::EndAll);
}

/// How requests and answers under way may go on.
pub(crate) fn moves(scope: &Scope, world: &World, acts: &mut Vec<Act>) {
    let spent = &world.spent;
    for (slot, flight) in world.flights.iter().enumerate() {
        // A copy of the request before would do the same.
        if slot > 0 && world.flights[slot - 1] == *flight {
            continue;
        }
        if let Some((since, _)) = &flight.unheard {
            if *since < world.now {
                acts.push(Act::Hear(slot));
            }
        } else {
            acts.push(Act::Execute(slot));
            if scope.late {
                acts.push(Act::ExecuteSilently(slot));
            }
            if spent.failures < scope.failures && flight.who == Who::Client {
                acts.extend([Act::Fail(slot, false), Act::Fail(slot, true)]);
            }
        }
        if spent.cancels < scope.cancels && flight.who == Who::Client {
            acts.push(Act::Cancel(slot));
        }
    }
    for slot in 0..world.mail.len() {
        acts.push(Act::Deliver(slot));
        if spent.losses < scope.losses {
            acts.push(Act::Lose(slot));
        }
    }
}

/// What else may happen.
pub(crate) fn happens(scope: &Scope, world: &World, acts: &mut Vec<Act>) {
    let spent = &world.spent;
    for node in 0..scope.nodes {
        if spent.deploys < scope.deploys && !world.tight[node] {
            acts.push(Act::Deploy(node));
        }
    }
    for (place, bound) in scope.bounds.iter().enumerate() {
        let is_new = world.bounds.iter().all(|(_, held)| held != bound);
        if spent.changes < scope.changes && is_new {
            acts.push(Act::Change(place));
        }
    }
    if scope.rules.signs() && spent.thefts < scope.thefts && world.loot != Some(world.jar) {
        acts.push(Act::Steal);
    }
    let since = world.flights.iter().map(|flight| flight.sent);
    let oldest = since.chain(world.mail.iter().map(|mail| mail.sent)).min();
    let in_time = |(oldest, transit)| world.now - oldest < transit;
    if world.now < scope.horizon && oldest.zip(scope.transit).is_none_or(in_time) {
        acts.push(Act::Tick);
    }
}

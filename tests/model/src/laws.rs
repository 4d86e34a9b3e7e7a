//! How the model sees whether a law is broken: each law is judged by what the client and the store saw, not by the rule
//! under test written again.

use crate::scope::Scope;
use crate::script::{Answer, Call, Outcome, Refusal, Renewal, Sec, Token, Verb};
use crate::store::Effect;
use crate::world::{Flight, Law, Memory, Who, World};

/// What has been finished, after which nobody is to be served.
#[must_use]
pub const fn finished(memory: &Memory) -> Option<Law> {
    if memory.logged_out {
        Some(Law::Logout)
    } else if memory.reused {
        Some(Law::Reuse)
    } else {
        None
    }
}

/// A call has been carried out.
pub fn executed(
    scope: &Scope,
    world: &mut World,
    flight: &mut Flight,
    call: Call,
    effect: &Effect,
) {
    let World { memory, now, .. } = world;
    flight.stale |= memory.ended;
    if let (Call::Update(write), Some(Answer::Written(true))) = (call, effect.answer) {
        let Memory { broken, grown, won, .. } = memory;
        if let Some(row) =
            flight.last_look().map(|(_, row)| row).filter(|row| row.generation < write.generation)
        {
            succeed(grown, (write.id, row.generation), Law::Generation, broken);
        }
        succeed(won, (write.id, write.version), Law::Version, broken);
    }
    if let Some((before, after)) = &effect.written {
        let known = |(id, generation, _): &(u8, u8, Sec)| {
            (*id, *generation) == (after.id, after.generation)
        };
        if after.confirmed.is_some() && !memory.confirmed.iter().any(known) {
            memory.confirmed.push((after.id, after.generation, *now));
        }
        let throttle = scope.rules.policy[1].min(scope.rules.tight[1]);
        let renewed = after.renewed - before.renewed;
        if renewed != 0 && renewed < throttle {
            memory.broken.get_or_insert(Law::Throttle);
        }
    }
    for row in &effect.removed {
        memory.gone.push(row.id);
        let is_honest = match flight.script.verb {
            Verb::End(_) | Verb::EndAll | Verb::Rotate(_) => true,
            Verb::Sweep => *now + [0, scope.skew][flight.node] >= row.expires,
            // For reuse, of which only a thief is guilty.
            Verb::Authenticate(_) | Verb::Peek(_) => world.spent.thefts > 0,
            Verb::Start => false,
        };
        if !is_honest {
            memory.broken.get_or_insert(Law::Honest);
        }
    }
    memory.gone.sort_unstable();
    memory.ended |= match flight.script.verb {
        Verb::End(_) => !effect.removed.is_empty(),
        Verb::EndAll => effect.answer.is_some(),
        _ => false,
    };
}

fn succeed<T: PartialEq + Ord>(successors: &mut Vec<T>, of: T, law: Law, broken: &mut Option<Law>) {
    if successors.contains(&of) {
        broken.get_or_insert(law);
    } else {
        successors.push(of);
        successors.sort_unstable();
    }
}

/// The second of activity that a service counts as, by its node's clock.
///
/// A client that was idle for longer than it may count on, and was served by luck,
/// can count on more only once it has a new token.
#[must_use]
pub fn counted(scope: &Scope, world: &World, flight: &Flight, outcome: Outcome) -> Option<Sec> {
    let Outcome::Served { renewal, token, .. } = outcome else { return None };
    if renewal == Renewal::Deferred || !matches!(flight.script.verb, Verb::Authenticate(_)) {
        return None;
    }
    let (at, _) = *flight.script.heard.first()?;
    let is_opaque = scope.rules.grace.is_none();
    let is_active = at - flight.counted < guaranteed_idle(scope, world);
    (is_opaque || is_active || token.is_some()).then_some(at)
}

/// The idle time that a client can count on, whichever node judges it. The token
/// of an extension may be lost, or be overtaken by the one before, and the next
/// comes only after another `update_age`.
fn guaranteed_idle(scope: &Scope, world: &World) -> Sec {
    let [loose, tight] = [scope.rules.policy, scope.rules.tight];
    let [max_age, update_age, _] =
        if scope.deploys > 0 { [loose[0].min(tight[0]), loose[1].max(tight[1]), 0] } else { loose };
    let token = if scope.rules.grace.is_some() { world.spent.losses.max(1) } else { 0 };
    let without_token = Sec::try_from(token).unwrap_or(Sec::MAX).saturating_mul(update_age);
    max_age - update_age - scope.skew - without_token
}

/// A request has been answered.
pub fn answered(scope: &Scope, world: &mut World, flight: &Flight, outcome: Outcome) {
    let broken = match outcome {
        Outcome::Served { at, cookie, token, .. } => {
            let law = served(scope, world, flight, at, cookie);
            if let (Verb::Rotate(old), Some(_)) = (flight.script.verb, token) {
                let memory = &mut world.memory;
                succeed(&mut memory.rotated, old.id(), Law::Version, &mut memory.broken);
            }
            law
        }
        Outcome::Ended(found) => {
            let everywhere = matches!(flight.script.verb, Verb::EndAll);
            let is_logout = flight.who == Who::Client && (found || everywhere);
            world.memory.logged_out |= is_logout;
            None
        }
        Outcome::Refused(Refusal::Reused) => {
            world.memory.reused = true;
            let token = flight.token();
            let lives = token.is_some_and(|token| world.store.row(token.id()).is_some());
            lives.then_some(Law::Reuse).or_else(|| refused(scope, world, flight, Refusal::Reused))
        }
        Outcome::Refused(refusal) => refused(scope, world, flight, refusal),
    };
    world.memory.broken = world.memory.broken.or(broken);
}

fn served(
    scope: &Scope,
    world: &World,
    flight: &Flight,
    at: Sec,
    cookie: Option<Sec>,
) -> Option<Law> {
    let [.., cap] = scope.rules.policy;
    let [.., cap_in_force] = scope.rules.of(flight.script.tight);
    if at >= cap.min(cap_in_force) || cookie.is_some_and(|ends| ends > cap.min(cap_in_force)) {
        return Some(Law::Cap);
    }
    let knows_better = flight.stale && !knows_nothing(flight);
    flight
        .after
        .or(knows_better.then_some(Law::Logout))
        .or_else(|| superseded(scope, world, flight))
}

/// Whether the store failed it, so that it had to go by what it knew.
fn knows_nothing(flight: &Flight) -> bool {
    flight.script.heard.iter().any(|(_, answer)| *answer == Answer::Failed)
}

/// A token that is served although its successor was confirmed longer ago than
/// the grace, or has a successor of its own.
fn superseded(scope: &Scope, world: &World, flight: &Flight) -> Option<Law> {
    let (token, grace) = (flight.token()?, scope.rules.grace?);
    let (id, presented) = (token.id(), token.generation());
    // By the last row that the request has seen.
    let (heard, row) = flight.last_look()?;
    let over = world.memory.confirmed.iter().any(|(of, generation, since)| {
        (*of, *generation) == (id, presented + 1)
            && row.confirmed.is_some()
            && row.generation == presented + 1
            && heard - [0, scope.skew][flight.node] >= since + grace + scope.skew
    });
    (over || row.generation > presented + 1).then_some(Law::Reuse)
}

fn refused(scope: &Scope, world: &World, flight: &Flight, refusal: Refusal) -> Option<Law> {
    if flight.who != Who::Client {
        return None;
    }
    let now = flight.script.heard.last().map_or(flight.script.began, |(at, _)| *at);
    let [.., cap] = scope.rules.policy;
    let [.., cap_in_force] = scope.rules.of(flight.script.tight);
    let is_due = match refusal {
        Refusal::Cap => now >= cap.min(cap_in_force),
        Refusal::Idle => now - flight.counted >= guaranteed_idle(scope, world),
        Refusal::Reused => world.spent.thefts > 0,
        Refusal::Store => knows_nothing(flight),
        Refusal::Unknown => {
            let id = flight.token().map(Token::id);
            id.is_some_and(|id| world.memory.gone.contains(&id))
        }
        Refusal::Other => false,
    };
    (!is_due).then_some(Law::Honest)
}

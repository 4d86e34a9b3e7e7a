//! How the model sees whether a law is broken: each law is judged by what the client and
//! the store saw, not by the rule under test written again.

use crate::bounds;
use crate::limit;
use crate::scope::Scope;
use crate::script::{Answer, Call, Outcome, Refusal, Renewal, Sec, Token, Verb};
use crate::store::Effect;
use crate::world::{Flight, Law, Memory, Who, World};

/// What has been finished, after which nobody is to be served.
#[must_use]
pub fn finished(scope: &Scope, world: &World) -> Option<Law> {
    let memory = &world.memory;
    if memory.logged_out {
        Some(Law::Logout)
    } else if memory.reused {
        Some(Law::Reuse)
    } else {
        bounds::finished(scope, world)
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
    if let (Call::Update(write), Some(Answer::Written(true))) = (call, &effect.answer) {
        let Memory { broken, grown, won, .. } = memory;
        let seen = flight.last_look().map(|(_, row)| row);
        if let Some(row) = seen.filter(|row| row.generation < write.generation) {
            succeed(grown, (row.secret, row.generation), Law::Generation, broken);
        }
        succeed(won, (write.id, write.version), Law::Version, broken);
    }
    if let (Call::Update(write), Some((before, after))) = (call, &effect.written) {
        if let Some(law) = bounds::written(scope, flight, before, after, write.at) {
            memory.broken.get_or_insert(law);
        }
        let known = |(secret, generation, _): &(u8, u8, Sec)| {
            (*secret, *generation) == (after.secret, after.generation)
        };
        if after.confirmed.is_some() && !memory.confirmed.iter().any(known) {
            memory.confirmed.push((after.secret, after.generation, *now));
        }
        if after.secret != before.secret {
            memory.superseded.push(before.secret);
            memory.superseded.sort_unstable();
            if flight.token().map(Token::secret) != Some(before.secret) {
                memory.broken.get_or_insert(Law::Rotation);
            }
        }
        // By one clock.
        let is_late = scope.skew == 0 && after.renewed > *now;
        if is_late || matches!(flight.script.verb, Verb::Peek(_)) {
            memory.broken.get_or_insert(Law::LastSeen);
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
            Verb::End(_) | Verb::EndAll => true,
            // No session that lives by any clock, where they differ by less.
            Verb::Sweep => {
                let ahead = scope.ahead(flight.node);
                *now + ahead.min(scope.rules.retention) >= row.expires + scope.rules.retention
            }
            // For reuse, of which only a thief is guilty.
            Verb::Authenticate(_) | Verb::Rotate(..) => world.spent.thefts > 0,
            Verb::List | Verb::Peek(_) => false,
            // See limit.rs.
            Verb::Start(..) => scope.rules.limit.is_some(),
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
    limit::executed(scope, world, flight, effect);
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
#[must_use]
pub fn counted(flight: &Flight, outcome: Outcome) -> Option<Sec> {
    let Outcome::Served { renewal, .. } = outcome else { return None };
    if renewal == Renewal::Deferred || !matches!(flight.script.verb, Verb::Authenticate(_)) {
        return None;
    }
    let (at, _) = *flight.script.heard.first()?;
    Some(at)
}

/// The idle time that a client can count on, whichever node judges it, and whatever
/// answer is lost.
fn guaranteed_idle(scope: &Scope) -> Sec {
    let [loose, tight] = [scope.rules.policy, scope.rules.tight];
    let [max_age, update_age, _] = if scope.deploys + scope.changes > 0 {
        [loose[0].min(tight[0]), loose[1].max(tight[1]), 0]
    } else {
        loose
    };
    max_age - update_age.max(1) + 1
}

/// A request has been answered.
pub fn answered(scope: &Scope, world: &mut World, flight: &Flight, outcome: Outcome) {
    if scope.rules.limit.is_some() {
        return limit::answered(scope, world, flight, outcome);
    }
    let is_let_in = matches!(outcome, Outcome::Listed(true) | Outcome::Served { .. });
    let broken = match outcome {
        Outcome::Listed(true) => flight.after,
        Outcome::Listed(false) => None,
        Outcome::Served { at, cookie, token, renewal } => {
            let law = served(scope, world, flight, at, cookie);
            if let (Verb::Rotate(old, _), Some(_)) = (flight.script.verb, token) {
                let memory = &mut world.memory;
                succeed(&mut memory.rotated, old.secret(), Law::Version, &mut memory.broken);
            }
            law.or_else(|| unseen(scope, world, flight, renewal))
        }
        Outcome::Ended(found) => {
            // Whether or not it says that there was one.
            world.memory.logged_out |= flight.who == Who::Client;
            let is_told = found && matches!(flight.script.verb, Verb::End(_));
            world.memory.told += u8::from(is_told);
            (world.memory.told > 1).then_some(Law::Version)
        }
        // A poll ends nothing.
        Outcome::Refused(Refusal::Reused) if !matches!(flight.script.verb, Verb::Peek(_)) => {
            world.memory.reused = true;
            let token = flight.token();
            let lives = token.is_some_and(|token| world.store.row(token.id()).is_some());
            lives.then_some(Law::Reuse).or_else(|| refused(scope, world, flight, Refusal::Reused))
        }
        Outcome::Refused(refusal) => refused(scope, world, flight, refusal),
    };
    let broken = broken.or_else(|| bounds::answered(scope, flight, is_let_in));
    world.memory.broken = world.memory.broken.or(broken);
}

fn served(
    scope: &Scope,
    world: &World,
    flight: &Flight,
    at: Sec,
    cookie: Option<Sec>,
) -> Option<Law> {
    let cap = cap(scope, flight);
    if at >= cap || cookie.is_some_and(|ends| ends != cap) {
        return Some(Law::Cap);
    }
    let knows_better = flight.stale && !knows_nothing(flight);
    flight
        .after
        .or(knows_better.then_some(Law::Logout))
        .or_else(|| superseded(scope, world, flight))
}

/// The stored cap, or that of a policy in force.
fn cap(scope: &Scope, flight: &Flight) -> Sec {
    let [.., stored] = scope.rules.policy;
    bounds::in_force(scope, flight).map(|[.., cap]| cap).min().unwrap_or(stored).min(stored)
}

/// Activity that counted, by one clock, and is not in the row to within `update_age`.
fn unseen(scope: &Scope, world: &World, flight: &Flight, renewal: Renewal) -> Option<Law> {
    let counts = matches!(flight.script.verb, Verb::Authenticate(_));
    // A request writes once more where another was first or its write failed, and not a
    // third time.
    let heard = &flight.script.heard;
    let is_lost = |answer: &Answer| matches!(answer, Answer::Failed | Answer::Written(false));
    let losses = heard.iter().filter(|(_, answer)| is_lost(answer)).count();
    if scope.skew != 0 || !counts || renewal == Renewal::Deferred || losses > 1 {
        return None;
    }
    let row = world.store.row(flight.token()?.id())?;
    let (at, _) = flight.script.heard.first()?;
    let [_, update_age, _] = scope.rules.policy;
    (*at >= row.renewed + update_age.max(1)).then_some(Law::LastSeen)
}

/// Whether the store failed it, so that it had to go by what it knew.
fn knows_nothing(flight: &Flight) -> bool {
    let failed = |(_, answer): &(_, Answer)| matches!(answer, Answer::Failed | Answer::NotTold);
    flight.script.heard.iter().any(failed)
}

/// A token that is served although its successor was confirmed longer ago than
/// the grace, or has a successor of its own.
fn superseded(scope: &Scope, world: &World, flight: &Flight) -> Option<Law> {
    let (token, grace) = (flight.token()?, scope.rules.grace?);
    let (secret, presented) = (token.secret(), token.generation());
    // By the last row that the request has seen.
    let (heard, row) = flight.last_look()?;
    let over = world.memory.confirmed.iter().any(|(of, generation, since)| {
        (*of, *generation) == (secret, presented + 1)
            && row.confirmed.is_some()
            && row.generation == presented + 1
            && heard - scope.ahead(flight.node) >= since + grace + scope.spread()
    });
    // Another family is none of this one's generations, but for that of its own rotation.
    let is_former = row.secret != secret || row.generation > presented + 1;
    let is_former = is_former && flight.script.verb.makes() != Some(row.secret);
    (over || is_former).then_some(Law::Reuse)
}

fn refused(scope: &Scope, world: &World, flight: &Flight, refusal: Refusal) -> Option<Law> {
    if flight.who != Who::Client {
        return None;
    }
    let now = flight.script.heard.last().map_or(flight.script.began, |(at, _)| *at);
    let is_superseded = |token: &Token| world.memory.superseded.contains(&token.secret());
    let is_due = match refusal {
        Refusal::Cap => now >= cap(scope, flight),
        Refusal::Idle => {
            let is_over = now - flight.counted >= guaranteed_idle(scope);
            // By the row, which a node with the tightened policy may have renewed to its cap.
            let [.., tight_cap] = scope.rules.tight;
            let is_capped = world.spent.deploys > 0 && now >= tight_cap;
            is_over || is_capped || bounds::ends_by(scope, world).is_some_and(|end| now >= end)
        }
        Refusal::Revoked => bounds::revoked(world).is_some(),
        Refusal::Reused => world.spent.thefts > 0,
        Refusal::Store => knows_nothing(flight),
        Refusal::Unknown => flight.token().is_some_and(|token| {
            let names_row =
                scope.rules.grace.is_some() || matches!(flight.script.verb, Verb::Rotate(..));
            world.memory.gone.contains(&token.id()) || names_row && is_superseded(token)
        }),
        Refusal::WrongSecret => flight.token().is_some_and(is_superseded),
        Refusal::Displaced | Refusal::Other | Refusal::Raced | Refusal::TooMany => false,
    };
    (!is_due).then_some(Law::Honest)
}

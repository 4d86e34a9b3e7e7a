//! The laws, and what must be known to happen, as properties of stateright.

use stateright::{Model, Property};

use crate::limit;
use crate::model::Check;
use crate::script::{Answer, Driver, Refusal, Sec};
use crate::world::{Flight, Law, World};

fn holds<D: Driver>(law: Law, name: &'static str) -> Property<Check<D>> {
    // A property takes no closure that captures.
    let condition: fn(&Check<D>, &World) -> bool = match law {
        Law::Bound => |_, world| world.memory.broken != Some(Law::Bound),
        Law::Epoch => |_, world| world.memory.broken != Some(Law::Epoch),
        Law::Cap => |_, world| world.memory.broken != Some(Law::Cap),
        Law::Generation => |_, world| world.memory.broken != Some(Law::Generation),
        Law::Honest => |_, world| world.memory.broken != Some(Law::Honest),
        Law::LastSeen => |_, world| world.memory.broken != Some(Law::LastSeen),
        Law::Limit => |check, world| {
            world.memory.broken != Some(Law::Limit) && limit::holds(check.scope(), world)
        },
        Law::Logout => |_, world| world.memory.broken != Some(Law::Logout),
        Law::Reuse => |_, world| world.memory.broken != Some(Law::Reuse),
        Law::Rotation => |_, world| world.memory.broken != Some(Law::Rotation),
        Law::Throttle => |_, world| world.memory.broken != Some(Law::Throttle),
        Law::Version => |_, world| world.memory.broken != Some(Law::Version),
    };
    Property::always(name, condition)
}

/// The laws as properties.
#[must_use]
pub fn properties<D: Driver>() -> Vec<Property<Check<D>>>
where
    Check<D>: Model<State = World>,
{
    vec![
        holds(Law::Bound, BOUND),
        holds(Law::Cap, CAP),
        holds(Law::Epoch, EPOCH),
        holds(Law::Generation, GENERATION),
        holds(Law::Honest, HONEST),
        holds(Law::LastSeen, LAST_SEEN),
        holds(Law::Limit, LIMIT),
        holds(Law::Logout, LOGOUT),
        holds(Law::Reuse, REUSE),
        holds(Law::Rotation, ROTATION),
        holds(Law::Throttle, THROTTLE),
        holds(Law::Version, VERSION),
        Property::always(LEFT, |_: &Check<D>, world: &World| {
            !world.memory.logged_out || world.store.rows.is_empty()
        }),
        Property::always(CANCEL, |check: &Check<D>, world: &World| {
            limit::leaves_nothing(check.scope(), world)
        }),
        Property::always(ONE_ROW, |check: &Check<D>, world: &World| {
            check.scope().rules.limit.is_some() || world.store.rows.len() <= 1
        }),
        Property::sometimes(CAP_REACHED, |check: &Check<D>, world: &World| {
            world.now >= check.scope().rules.policy[2]
        }),
        Property::sometimes(DIFFERENT_POLICIES, |_: &Check<D>, world: &World| {
            let tight = |tight| world.flights.iter().any(|flight| flight.script.tight == tight);
            tight(true) && tight(false)
        }),
        Property::sometimes(FORGIVEN, |_: &Check<D>, world: &World| {
            let forgiven = |row: &&crate::script::Row| row.generation == world.jar.generation() + 1;
            world.store.rows.iter().any(|row| forgiven(&row))
                && world.spent.losses > 0
                && world.mail.iter().any(|mail| mail.token.generation() > world.jar.generation())
        }),
        Property::sometimes(HEARD_LATE, |_: &Check<D>, world: &World| {
            let late = |(since, _): &(Sec, Answer)| *since < world.now;
            world.flights.iter().any(|flight| flight.unheard.as_ref().is_some_and(late))
        }),
        Property::sometimes(IN_GRACE, |_: &Check<D>, world: &World| {
            world.flights.iter().any(|flight| {
                let row = flight.token().and_then(|token| world.store.row(token.id()));
                row.zip(flight.token()).is_some_and(|(row, token)| {
                    row.confirmed.is_some() && row.generation == token.generation() + 1
                })
            })
        }),
        Property::sometimes(LOST_RACE, |_: &Check<D>, world: &World| {
            world.flights.iter().any(|flight| heard(flight, &Answer::Written(false)))
        }),
        Property::sometimes(REUSED, |_: &Check<D>, world: &World| world.memory.reused),
        Property::sometimes(STALE_LOAD, |_: &Check<D>, world: &World| {
            let loaded = |(_, answer): &(_, Answer)| matches!(answer, Answer::Loaded(Some(_)));
            let waits = |flight: &Flight| flight.script.heard.iter().any(loaded);
            world.memory.logged_out && world.flights.iter().any(waits)
        }),
        Property::sometimes(STALE_BOUND, |_: &Check<D>, world: &World| {
            world.flights.iter().any(|flight| has_stale_bound(world, flight).is_some())
        }),
        Property::sometimes(RECALLED, |_: &Check<D>, world: &World| {
            let recalled = |flight: &Flight| has_stale_bound(world, flight) < Some(flight.sent);
            let is_stale = |flight: &&Flight| has_stale_bound(world, flight).is_some();
            world.flights.iter().filter(is_stale).any(recalled)
        }),
        Property::sometimes(SWEPT, |_: &Check<D>, world: &World| {
            world.spent.sweeps > 0 && !world.memory.gone.is_empty() && !world.memory.ended
        }),
        Property::sometimes(DISPLACED, |_: &Check<D>, world: &World| {
            world.memory.admissions.refused.contains(&Refusal::Displaced)
        }),
        Property::sometimes(RACED, |_: &Check<D>, world: &World| {
            world.memory.admissions.refused.contains(&Refusal::Raced)
        }),
        Property::sometimes(REVIVED, |_: &Check<D>, world: &World| world.memory.admissions.revived),
        Property::sometimes(ROTATED, |_: &Check<D>, world: &World| {
            world.flights.iter().any(|flight| {
                flight
                    .token()
                    .is_some_and(|token| world.memory.superseded.contains(&token.secret()))
            })
        }),
    ]
}

/// Since when what a request has heard holds no longer.
fn has_stale_bound(world: &World, flight: &Flight) -> Option<Sec> {
    let heard = flight.script.heard.iter().find_map(|(_, answer)| match answer {
        Answer::Bound(bound) => Some(*bound),
        _ => None,
    });
    let later = world.bounds.windows(2).find(|pair| Some(pair[0].1) == heard);
    later.map(|pair| pair[1].0)
}

fn heard(flight: &Flight, answer: &Answer) -> bool {
    flight.script.heard.iter().any(|(_, heard)| heard == answer)
}

/// The laws by name.
pub const LAWS: [&str; 15] = [
    ONE_ROW, // First, since a second row breaks others, too.
    BOUND, CANCEL, CAP, EPOCH, GENERATION, HONEST, LAST_SEEN, LEFT, LIMIT, LOGOUT, REUSE, ROTATION,
    THROTTLE, VERSION,
];

/// The cap is reached by true time.
pub const CAP_REACHED: &str = "the cap is reached";
/// Two requests under way go by different policies.
pub const DIFFERENT_POLICIES: &str = "two requests are judged by different policies";
/// The token that was lost is on its way again.
pub const FORGIVEN: &str = "a lost answer is given again";
/// A node has not heard the store's answer in the second in which it was given.
pub const HEARD_LATE: &str = "the store's answer is heard in a later second";
/// A superseded token is presented after its successor was confirmed.
pub const IN_GRACE: &str = "a superseded token is presented";
/// A guarded write came too late.
pub const LOST_RACE: &str = "a request loses the race for a write";
/// A superseded token has ended the session.
pub const REUSED: &str = "reuse is reported";
/// A request goes on that had loaded the session before the logout was finished.
pub const STALE_LOAD: &str = "a request goes on with what it loaded before a logout";
/// A request goes on with a bound that has changed since.
pub const STALE_BOUND: &str = "a request goes on with what held before a change";
/// And was sent after the change, to a node that remembered.
pub const RECALLED: &str = "a request is told what held before";
/// A sweep has removed a session.
pub const SWEPT: &str = "a session is swept";
/// A sign-in has been displaced by others.
pub const DISPLACED: &str = "a sign-in is displaced";
/// A sign-in has withdrawn.
pub const RACED: &str = "a sign-in withdraws for another";
/// A request that was under way has renewed a session that was over.
pub const REVIVED: &str = "a session that was over is renewed";
/// A request is under way with a secret that was rotated away.
pub const ROTATED: &str = "a request has a secret that was rotated away";
/// Law 17, of sign-ins.
pub const CANCEL: &str = "no session is left that nobody can open";
/// Law 11.
pub const ONE_ROW: &str = "a session is one row";
/// [`Law::LastSeen`].
pub const LAST_SEEN: &str = "renewed_at is the last activity to within update_age";
/// [`Law::Limit`].
pub const LIMIT: &str = "of sign-ins under a limit those stand that it has stand";
/// [`Law::Rotation`].
pub const ROTATION: &str = "a rotation replaces the secret that it was asked with";
/// [`Law::Bound`].
pub const BOUND: &str = "a bound only tightens, and one request sees one";
/// [`Law::Epoch`].
pub const EPOCH: &str = "no session of another epoch is served";
/// [`Law::Cap`].
pub const CAP: &str = "no session is served at or after its cap";
/// [`Law::Generation`].
pub const GENERATION: &str = "a generation has at most one successor";
/// [`Law::Honest`].
pub const HONEST: &str = "an honest client is never logged out by a race or a lost answer";
/// Nothing is in the store once a logout is finished.
pub const LEFT: &str = "a finished logout leaves no session behind";
/// [`Law::Logout`].
pub const LOGOUT: &str = "nobody is served after a finished logout";
/// [`Law::Reuse`].
pub const REUSE: &str = "reuse after the grace ends the session";
/// [`Law::Throttle`].
pub const THROTTLE: &str = "a session is renewed at most once in any update_age";
/// [`Law::Version`].
pub const VERSION: &str = "a version and a secret have at most one successor";

//! The laws of a limit on concurrent sessions, judged by what the store holds and what
//! sign-ins are told.

use crate::bounds::{has_ended, is_revoked};
use crate::scope::Scope;
use crate::script::{Answer, Id, Outcome, Refusal, Row, Sec, Verb};
use crate::store::Effect;
use crate::world::{Flight, Law, World};

/// What a sign-in does where the limit is reached.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum When {
    /// `WhenFull::EndLeastRecent`.
    EndLeastRecent,
    /// `WhenFull::EndOldest`.
    EndOldest,
    /// `WhenFull::Refuse`.
    Refuse,
}

/// A session from before the sign-ins, under its place as its name.
#[derive(Clone, Copy, Debug)]
pub struct Seed {
    /// Its ordinal.
    pub ordinal: u8,
    /// Its last renewal.
    pub renewed: Sec,
    /// Its epoch.
    pub epoch: Option<u8>,
}

impl Seed {
    /// Of no epoch.
    #[must_use]
    pub const fn new(ordinal: u8, renewed: Sec) -> Self {
        Self { ordinal, renewed, epoch: None }
    }

    /// Of this one.
    #[must_use]
    pub const fn of(self, epoch: u8) -> Self {
        Self { epoch: Some(epoch), ..self }
    }
}

/// What happened around one sign-in.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Course {
    /// No other sign-in ran meanwhile.
    alone: bool,
    /// It has ended a session that lived.
    ended: bool,
    /// There was room all the while.
    room: bool,
}

impl Default for Course {
    fn default() -> Self {
        Self { alone: true, ended: false, room: true }
    }
}

/// What became of the sign-ins.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Admissions {
    /// Sessions whose token was handed out.
    handed: Vec<Id>,
    /// Those whose sign-in was dropped after it had created them.
    dropped: Vec<Id>,
    /// How many were removed once they were over by every clock.
    over: usize,
    /// What sign-ins were refused for.
    pub refused: Vec<Refusal>,
    /// How many were replaced.
    replaced: usize,
    /// What was signed out.
    signed_out: Vec<Id>,
    /// An ended session was renewed by a request that was under way.
    pub revived: bool,
    /// Something failed, was dropped or was signed out.
    spoiled: bool,
}

/// The sessions from before.
#[must_use]
pub fn seeds(scope: &Scope) -> Vec<Row> {
    let [max_age, _, cap] = scope.rules.policy;
    let created = scope.seeds.iter().map(|seed| seed.renewed).min().unwrap_or_default();
    let row = |(id, seed): (Id, &Seed)| Row {
        id,
        version: 0,
        created,
        renewed: seed.renewed,
        expires: (seed.renewed + max_age).min(created + cap),
        cap: created + cap,
        secret: id,
        epoch: seed.epoch,
        ordinal: seed.ordinal,
        generation: 0,
        confirmed: None,
    };
    (0..).zip(scope.seeds).map(row).collect()
}

/// A call of any request has been carried out.
pub(crate) fn executed(scope: &Scope, world: &mut World, flight: &mut Flight, effect: &Effect) {
    let now = world.now;
    let is_void = |row: &&Row| is_revoked(world, row) || has_ended(scope, world, row);
    let revoked: Vec<Id> = effect.removed.iter().filter(is_void).map(|row| row.id).collect();
    let admissions = &mut world.memory.admissions;
    if let Some((before, _)) = effect.written {
        admissions.revived |= before.expires <= now;
    }
    if matches!(flight.script.verb, Verb::End(_) | Verb::EndAll) {
        admissions.spoiled |= !effect.removed.is_empty();
        admissions.signed_out.extend(effect.removed.iter().map(|row| row.id));
        admissions.signed_out.sort_unstable();
    }
    let Verb::Start(own, replaced) = flight.script.verb else { return };
    for row in effect.removed.iter().filter(|row| row.id != own) {
        let is_replaced = replaced == Some(row.id);
        let is_revoked = revoked.contains(&row.id);
        let lived = now + scope.ahead(flight.node) < row.expires && !is_revoked;
        flight.course.ended |= is_replaced || lived;
        admissions.replaced += usize::from(is_replaced);
        // The clocks of others are ahead of true time, or none is.
        admissions.over += usize::from(!is_replaced && (row.expires <= now || is_revoked));
        // What had ended when it was listed, a renewal under way may have brought back.
        let lived = lived && was_listed_alive(flight, row.id);
        let is_refuse = scope.rules.limit.is_some_and(|(when, _)| when == When::Refuse);
        if is_refuse && lived && !is_replaced {
            world.memory.broken.get_or_insert(Law::Limit);
        }
    }
}

fn was_listed_alive(flight: &Flight, id: Id) -> bool {
    let listed = flight.script.heard.iter().rev().find_map(|(at, answer)| match answer {
        Answer::Listed(rows) => Some((*at, rows)),
        _ => None,
    });
    listed.is_some_and(|(at, rows)| rows.iter().any(|row| row.id == id && at < row.expires))
}

/// A request has been answered.
pub(crate) fn answered(scope: &Scope, world: &mut World, flight: &Flight, outcome: Outcome) {
    let Verb::Start(own, replaced) = flight.script.verb else { return };
    let Some((when, _)) = scope.rules.limit else { return };
    let failed = flight.script.heard.iter().any(|(_, answer)| *answer == Answer::Failed);
    let admissions = &mut world.memory.admissions;
    let keeps = match outcome {
        Outcome::Served { .. } => {
            admissions.handed.push(own);
            admissions.handed.sort_unstable();
            replaced.is_none_or(|replaced| world.store.row(replaced).is_none())
        }
        Outcome::Refused(refusal) => {
            if !admissions.refused.contains(&refusal) {
                admissions.refused.push(refusal);
                admissions.refused.sort_unstable();
            }
            let Course { alone, ended, room } = flight.course;
            let is_signed_out = admissions.signed_out.contains(&own);
            let is_owed = refusal != Refusal::Revoked
                && alone
                && (room || when != When::Refuse)
                && !is_signed_out;
            let is_expected = match refusal {
                // Revoked meanwhile, it makes way for others.
                Refusal::Displaced => {
                    when != When::Refuse || is_signed_out || world.bounds.len() > 1
                }
                Refusal::Raced | Refusal::TooMany => when == When::Refuse,
                Refusal::Revoked => world.bounds.len() > 1,
                Refusal::Store => failed,
                _ => false,
            };
            !ended && is_expected && (failed || !is_owed)
        }
        Outcome::Ended(_) | Outcome::Listed(_) => false,
    };
    if !keeps {
        world.memory.broken.get_or_insert(Law::Limit);
    }
}

/// Its client has dropped a request.
pub(crate) fn dropped(world: &mut World, flight: &Flight) {
    world.memory.admissions.spoiled = true;
    let Verb::Start(own, _) = flight.script.verb else { return };
    if world.store.row(own).is_some() {
        world.memory.admissions.dropped.push(own);
        world.memory.admissions.dropped.sort_unstable();
    } else if flight.course.ended && !world.memory.admissions.signed_out.contains(&own) {
        world.memory.broken.get_or_insert(Law::Limit);
    }
}

/// The store has failed a call.
pub(crate) fn failed(world: &mut World) {
    world.memory.admissions.spoiled = true;
}

/// Something has happened.
pub(crate) fn observe(scope: &Scope, world: &mut World) {
    let Some((_, max)) = scope.rules.limit else { return };
    let start = |flight: &Flight| match flight.script.verb {
        Verb::Start(own, replaced) => Some((own, replaced)),
        _ => None,
    };
    let is_void = |row: &&Row| is_revoked(world, row) || has_ended(scope, world, row);
    let revoked: Vec<Id> = world.store.rows.iter().filter(is_void).map(|row| row.id).collect();
    let alone = world.flights.iter().filter_map(start).count() == 1;
    for flight in &mut world.flights {
        let Some((own, replaced)) = start(flight) else { continue };
        let others = world
            .store
            .rows
            .iter()
            .filter(|row| row.id != own && Some(row.id) != replaced && world.now < row.expires)
            .filter(|row| !(*revoked).contains(&row.id));
        flight.course.alone &= alone;
        flight.course.room &= others.count() < max as usize;
    }
}

/// Law 16, of the sessions that stand.
#[must_use]
pub fn holds(scope: &Scope, world: &World) -> bool {
    let Some((when, max)) = scope.rules.limit else { return true };
    let (rows, max) = (&world.store.rows, max as usize);
    let is_open = |row: &&Row| {
        let is_void = is_revoked(world, row) || has_ended(scope, world, row);
        world.now < row.expires && is_openable(scope, world, row.id) && !is_void
    };
    if when == When::Refuse && rows.iter().filter(is_open).count() > max {
        return false;
    }
    let Admissions { over, replaced, spoiled, .. } = world.memory.admissions;
    if spoiled || !world.flights.is_empty() {
        return true;
    }
    let all = scope.seeds.len() + world.spent.sign_ins.len() - replaced;
    let least = match when {
        When::EndLeastRecent => 1,
        When::EndOldest => max,
        When::Refuse => 0,
    };
    rows.len() <= max && rows.len() + over >= least.min(all)
}

/// Law 17: no session stands that nobody can open and nobody dropped.
#[must_use]
pub fn leaves_nothing(scope: &Scope, world: &World) -> bool {
    let is_known = |row: &Row| {
        is_openable(scope, world, row.id) || world.memory.admissions.dropped.contains(&row.id)
    };
    scope.rules.limit.is_none()
        || !world.flights.is_empty()
        || world.store.rows.iter().all(is_known)
}

fn is_openable(scope: &Scope, world: &World, id: Id) -> bool {
    usize::from(id) < scope.seeds.len() || world.memory.admissions.handed.contains(&id)
}

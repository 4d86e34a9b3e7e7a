//! The model: what may happen in a state, and what comes of it.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{PoisonError, RwLock};

use stateright::{Model, Property};

use crate::act::Act;
use crate::bounds::{self, FIRST};
use crate::choices;
use crate::laws;
use crate::limit::{self, Course};
use crate::properties::properties;
use crate::scope::Scope;
use crate::script::{Answer, Call, Driver, Next, Outcome, Script, Sec, Token, Verb};
use crate::store::{Looking, StoreFault};
use crate::world::{Flight, Mail, Who, World};

/// The model of a scope.
pub struct Check<D> {
    scope: Scope,
    driver: D,
    fault: Option<StoreFault>,
    /// What the crate did with each script: it is run once for each.
    played: [RwLock<HashMap<Script, Next>>; 16],
    hasher: RandomState,
}

impl<D: Driver> Check<D> {
    /// The model of `scope` by this driver, over a store with this fault.
    #[must_use]
    pub fn new(scope: Scope, driver: D, fault: Option<StoreFault>) -> Self {
        Self { scope, driver, fault, played: Default::default(), hasher: RandomState::new() }
    }

    /// Its scope.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// How many different runs of the crate there were.
    #[must_use]
    pub fn runs(&self) -> usize {
        let len = |shard: &RwLock<HashMap<_, _>>| {
            shard.read().unwrap_or_else(PoisonError::into_inner).len()
        };
        self.played.iter().map(len).sum()
    }

    fn play(&self, script: &Script) -> Next {
        let [hash, ..] = self.hasher.hash_one(script).to_le_bytes();
        let shard = &self.played[usize::from(hash % 16)];
        if let Some(next) = shard.read().unwrap_or_else(PoisonError::into_inner).get(script) {
            return *next;
        }
        let next = self.driver.play(self.scope.rules, script);
        shard.write().unwrap_or_else(PoisonError::into_inner).insert(script.clone(), next);
        next
    }

    /// The clock of a node.
    fn clock(&self, world: &World, node: usize) -> Sec {
        world.now + self.scope.ahead(node)
    }

    fn begin(&self, world: &mut World, who: Who, node: usize, verb: Verb) {
        let spent = &mut world.spent;
        let mut sign_in = 0;
        *match (who, verb) {
            (_, Verb::Start(name, replaced)) => {
                spent.sign_ins.push(name);
                spent.sign_ins.sort_unstable();
                spent.replacements += u8::from(replaced.is_some());
                &mut sign_in
            }
            (Who::Thief, _) => &mut spent.thefts,
            (_, Verb::End(_) | Verb::EndAll) => &mut spent.logouts,
            (_, Verb::List) => &mut spent.lists,
            (_, Verb::Peek(_)) => &mut spent.polls,
            (_, Verb::Rotate(..)) => &mut spent.rotations,
            (_, Verb::Sweep) => &mut spent.sweeps,
            _ => &mut spent.requests,
        } += 1;
        // Only a signed token and a sweep need the time before they ask the store.
        let reads_clock = matches!(verb, Verb::Sweep)
            || self.scope.rules.signs()
                && !matches!(verb, Verb::End(_) | Verb::EndAll | Verb::List);
        let began = if reads_clock { self.clock(world, node) } else { Sec::MIN };
        // Which was read with the password.
        let today = world.bounds.last().and_then(|(_, bound)| *bound);
        let epoch = today.filter(|_| verb.is_sign_in()).map(|bound| bound.epoch);
        let script = Script { verb, tight: world.tight[node], epoch, began, heard: Vec::new() };
        let after = laws::finished(&self.scope, world);
        let flight = Flight {
            who,
            node,
            sent: world.now,
            script,
            unheard: None,
            looking: Looking::default(),
            counted: world.memory.counted,
            after,
            tight: bounds::tightened(&self.scope, world),
            stale: false,
            course: Course::default(),
        };
        self.go_on(world, flight);
    }

    /// Carries out the call of a request; `heard` is the answer that the node
    /// hears in its stead.
    fn execute(&self, world: &mut World, mut flight: Flight) -> (Flight, Option<Answer>) {
        let Next::Call(call) = self.play(&flight.script) else {
            panic!("a request under way waits for the store")
        };
        if call == Call::Bound {
            let today = world.bounds.last().map(|(_, bound)| *bound);
            return (flight, Some(Answer::Bound(today.expect("bounds are asked"))));
        }
        let loaded = flight.last_look().map(|(_, row)| row);
        let looking = &mut flight.looking;
        let effect = world.store.step(&self.driver, self.fault, call, loaded, looking);
        laws::executed(self.scope(), world, &mut flight, call, &effect);
        (flight, effect.answer)
    }

    fn hear(&self, world: &mut World, mut flight: Flight, answer: Answer) {
        let now = self.clock(world, flight.node);
        flight.script.heard.push((now, answer));
        self.go_on(world, flight);
    }

    fn bounded(&self, world: World) -> World {
        let first = self.scope.rules.bounds.then_some((Sec::MIN, Some(FIRST)));
        World { bounds: first.into_iter().collect(), ..world }
    }

    /// What a request that asks for its bound may be told of the past.
    fn recalls(&self, world: &World, slot: usize, flight: &Flight, acts: &mut Vec<Act>) {
        if world.bounds.len() < 2 || flight.unheard.is_some() {
            return;
        }
        if self.play(&flight.script) != Next::Call(Call::Bound) {
            return;
        }
        for (place, later) in world.bounds.windows(2).enumerate() {
            if world.now - later[1].0 < self.scope.cache {
                acts.push(Act::Recall(slot, place));
            }
        }
    }

    /// Puts the request back among those under way, or answers it.
    fn go_on(&self, world: &mut World, flight: Flight) {
        let Next::Done(outcome) = self.play(&flight.script) else {
            world.flights.push(flight);
            return;
        };
        laws::answered(self.scope(), world, &flight, outcome);
        let Outcome::Served { token, .. } = outcome else { return };
        let counted = laws::counted(&flight, outcome);
        match (flight.who, token) {
            (Who::Thief, Some(token)) => world.loot = Some(token),
            (Who::Client, Some(_)) if self.scope.rules.limit.is_some() => {}
            (Who::Client, Some(token)) => {
                world.mail.push(Mail { token, sent: world.now, counted });
            }
            (Who::Client, None) => {
                world.memory.counted = world.memory.counted.max(counted.unwrap_or(Sec::MIN));
            }
            (Who::Operator | Who::Thief, _) => {}
        }
    }
}

impl<D> fmt::Debug for Check<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl<D: Driver> Model for Check<D> {
    type State = World;
    type Action = Act;

    fn init_states(&self) -> Vec<World> {
        if self.scope.rules.limit.is_some() {
            let seeds = limit::seeds(&self.scope);
            return vec![self.bounded(World::of(seeds, Token::Opaque(0, 0)))];
        }
        let (verb, mut rows) = (Verb::Start(0, None), Vec::new());
        let epoch = self.scope.rules.bounds.then_some(FIRST.epoch);
        let mut script = Script { verb, tight: false, epoch, began: 0, heard: Vec::new() };
        let jar = loop {
            let answer = match self.play(&script) {
                Next::Call(Call::Bound) => Answer::Bound(Some(FIRST)),
                Next::Call(Call::Create(row)) => {
                    rows.push(row);
                    Answer::Created
                }
                Next::Done(Outcome::Served { token: Some(jar), .. }) => break jar,
                strange => panic!("a sign-in creates a session: {strange:?}"),
            };
            script.heard.push((0, answer));
        };
        vec![self.bounded(World::of(rows, jar))]
    }

    fn actions(&self, world: &World, acts: &mut Vec<Act>) {
        if world.memory.broken.is_some() {
            return;
        }
        choices::begins(&self.scope, world, acts);
        choices::moves(&self.scope, world, acts);
        choices::happens(&self.scope, world, acts);
        for (slot, flight) in world.flights.iter().enumerate() {
            self.recalls(world, slot, flight, acts);
        }
    }

    fn next_state(&self, world: &World, act: Act) -> Option<World> {
        let mut world = world.clone();
        match act {
            Act::Begin(who, node, verb) => self.begin(&mut world, who, node, verb),
            Act::Cancel(slot) => {
                world.spent.cancels += 1;
                let flight = world.flights.remove(slot);
                limit::dropped(&mut world, &flight);
            }
            Act::Change(place) => {
                world.spent.changes += 1;
                world.bounds.push((world.now, self.scope.bounds[place]));
            }
            Act::Deliver(slot) => {
                let mail = world.mail.remove(slot);
                world.jar = mail.token;
                let counted = &mut world.memory.counted;
                *counted = mail.counted.unwrap_or(Sec::MIN).max(*counted);
            }
            Act::Deploy(node) => {
                world.spent.deploys += 1;
                world.tight[node] = true;
            }
            Act::Execute(slot) => {
                let flight = world.flights.remove(slot);
                match self.execute(&mut world, flight) {
                    (flight, Some(answer)) => self.hear(&mut world, flight, answer),
                    (flight, None) => world.flights.push(flight),
                }
            }
            Act::ExecuteSilently(slot) => {
                let flight = world.flights.remove(slot);
                let (mut flight, answer) = self.execute(&mut world, flight);
                flight.unheard = Some((world.now, answer?));
                world.flights.push(flight);
            }
            Act::Fail(slot, carried_out) => {
                world.spent.failures += 1;
                limit::failed(&mut world);
                let mut flight = world.flights.remove(slot);
                let is_bound = self.play(&flight.script) == Next::Call(Call::Bound);
                if is_bound && carried_out {
                    return None;
                }
                if carried_out {
                    flight = match self.execute(&mut world, flight) {
                        (flight, Some(_)) => flight,
                        (_, None) => return None,
                    };
                }
                let answer = if is_bound { Answer::NotTold } else { Answer::Failed };
                self.hear(&mut world, flight, answer);
            }
            Act::Hear(slot) => {
                let mut flight = world.flights.remove(slot);
                let (_, answer) = flight.unheard.take()?;
                self.hear(&mut world, flight, answer);
            }
            Act::Lose(slot) => {
                world.spent.losses += 1;
                world.mail.remove(slot);
            }
            Act::Recall(slot, place) => {
                let flight = world.flights.remove(slot);
                let (_, bound) = world.bounds[place];
                self.hear(&mut world, flight, Answer::Bound(bound));
            }
            Act::Steal => world.loot = Some(world.jar),
            Act::Tick => world.now += 1,
        }
        limit::observe(&self.scope, &mut world);
        world.flights.sort_unstable();
        world.mail.sort_unstable();
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties()
    }
}

//! The limit on concurrent sessions holds in every schedule of two and three sign-ins
//! (laws 16 and 17), with sessions that have ended, that come from clocks that are
//! ahead, or that are of other profiles, with renewals under way, sign-outs, store
//! calls that fail, and requests that are dropped.
#![cfg(feature = "std")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod schedules;

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use pollster::block_on;
use session_policy::{
    ManualClock, Policies, Session, SessionLimit, Sessions, SignIn, StartError, WhenFull,
};

use WhenFull::{EndLeastRecent, EndOldest, Refuse};
use schedules::{
    Answer, Choices, DEFAULT, Explored, Fault, MADE_BY, Old, Run, SUBJECT, Store, Task, When,
    World, at, drawn, every, old, old_of, policy,
};

/// One sign-in: by a clock, and perhaps in the place of an old session.
#[derive(Clone, Copy, Debug)]
struct SigningIn {
    clock: i64,
    replacing: Option<u8>,
}

const fn by(clock: i64) -> SigningIn {
    SigningIn { clock, replacing: None }
}

/// What else is under way.
#[derive(Clone, Copy, Debug)]
enum Beside {
    /// The sign-out of an old session.
    End(u8),
    EndAll,
    /// A request with the token of an old session, by a clock.
    Renew(u8, i64),
}

/// An old session: its number, ordinal, creation and renewal.
type Held = (u8, u64, i64, i64);

/// Alive, and not lately used.
const LAPTOP: Held = (1, 1, -3_000, -100);
const PHONE: Held = (2, 2, -2_000, -900);
const TABLET: Held = (3, 3, -1_500, -50);
/// Its time is over at 0.
const OVER: Held = (4, 4, -2_500, -1_800);
/// From a server whose clock is a minute ahead.
const AHEAD: Held = (5, 5, 60, 60);
/// From before the limit: its ordinal is 0.
const UNCOUNTED: Held = (6, 0, -200, -200);
/// Of another profile.
const ADMIN: u8 = 7;

#[derive(Clone, Copy, Debug)]
struct Scene<'a> {
    when_full: WhenFull,
    max: u32,
    old: &'a [Held],
    sign_ins: &'a [SigningIn],
    beside: &'a [Beside],
    failures: u32,
    drops: u32,
    /// How many fewer than the limit `EndOldest` may leave.
    fewer: usize,
    fault: Fault,
    when: When,
}

impl<'a> Scene<'a> {
    const fn of(when_full: WhenFull, max: u32, old: &'a [Held], sign_ins: &'a [SigningIn]) -> Self {
        Self {
            when_full,
            max,
            old,
            sign_ins,
            beside: &[],
            failures: 0,
            drops: 0,
            fewer: 0,
            fault: Fault::None,
            when: When::Both,
        }
    }

    fn policies(&self) -> Policies {
        let limit = SessionLimit::new(NonZeroU32::new(self.max).unwrap(), self.when_full);
        let policies = Policies::new(policy()).with_profile("admin", policy()).unwrap();
        policies.with_limit(DEFAULT, limit).unwrap()
    }

    fn held(&self) -> Vec<Old> {
        let held = self
            .old
            .iter()
            .map(|&(number, ordinal, created, renewed)| old(number, ordinal, created, renewed));
        held.chain([old_of(ADMIN, 1, "admin", policy().start(at(-9_000)), -7_000)]).collect()
    }

    fn run(&self, choices: &Arc<Mutex<Choices>>) -> Run {
        let store = Store::new(choices, self.when, self.fault).with_failures(self.failures);
        // Where clocks are equal, ids decide.
        let clocks = self.sign_ins.iter().map(|sign_in| sign_in.clock);
        let is_tied = clocks.clone().collect::<BTreeSet<_>>().len() < self.sign_ins.len();
        let store = Arc::new(if is_tied { store.with_ids_in_order() } else { store });
        let held = self.held();
        for old in &held {
            store.hold(&old.row);
        }
        let node = |clock| {
            let sessions = Sessions::new(Arc::clone(&store), self.policies());
            sessions.with_clock(ManualClock::new(at(clock)))
        };
        let find =
            |number: u8| held.iter().find(|old| old.row.id().as_bytes()[15] == number).unwrap();
        let sign_ins = self.sign_ins.iter().map(|&SigningIn { clock, replacing }| -> Task {
            let sessions = node(clock);
            let sign_in = match replacing {
                Some(number) => SignIn::of(SUBJECT).replacing(&find(number).row),
                None => SignIn::of(SUBJECT),
            };
            Box::pin(async move { Answer::Started(sessions.start(sign_in).await) })
        });
        let beside = self.beside.iter().map(|beside| -> Task {
            match *beside {
                Beside::End(number) => {
                    let (sessions, id) = (node(0), find(number).row.id());
                    Box::pin(async move { Answer::Ended(sessions.end(&id).await) })
                }
                Beside::EndAll => {
                    let sessions = node(0);
                    Box::pin(async move { Answer::EndedAll(sessions.end_all(SUBJECT).await) })
                }
                Beside::Renew(number, clock) => {
                    let (sessions, token) = (node(clock), find(number).token.clone());
                    Box::pin(async move {
                        Answer::Authenticated(sessions.authenticate(token.expose()).await)
                    })
                }
            }
        });
        let tasks = sign_ins.chain(beside).collect();
        let world = World::new(choices, &store, tasks).with_drops(self.drops);
        world.run(|world| self.always(world), |world| self.finally(world, &held))
    }

    fn explore(&self) -> Explored {
        every(|choices| self.run(choices))
    }

    fn holds(&self) {
        let Self { when_full, max, old, sign_ins, beside, .. } = self;
        let old: Vec<_> = old.iter().map(|(number, ..)| number).collect();
        let sign_ins: Vec<_> = sign_ins
            .iter()
            .map(|sign_in| match sign_in.replacing {
                Some(number) => format!("{} for {number}", sign_in.clock),
                None => sign_in.clock.to_string(),
            })
            .collect();
        let what =
            format!("{when_full:?} {max}, old {old:?}, {} beside {beside:?}", sign_ins.join(", "));
        self.explore().assert_holds(&what);
    }

    fn is_calm(&self) -> bool {
        let signs_out = |beside: &Beside| !matches!(beside, Beside::Renew(..));
        self.failures == 0 && self.drops == 0 && !self.beside.iter().any(signs_out)
    }

    /// Rows of the profile, whether or not their time is over.
    fn counted(world: &World) -> Vec<Session> {
        let mut rows = world.store.rows();
        rows.retain(|row| row.profile() == DEFAULT);
        rows
    }

    /// Never more than the limit can be opened, but for those that were there before.
    fn always(&self, world: &World) -> Result<(), String> {
        let is_held = |row: &&Session| match world.store.maker(row.id()) {
            Some(task) => world.handed_out(task).is_some(),
            None => true,
        };
        let opens = Self::counted(world).iter().filter(is_held).count();
        ensure(
            opens <= self.old.len().max(self.max as usize),
            "more than the limit can be opened",
        )?;
        // Nobody else's row is ended, whatever the limit.
        let admin = world.store.rows().iter().any(|row| row.profile() == "admin");
        let all_end = self.beside.iter().any(|beside| matches!(beside, Beside::EndAll));
        ensure(admin || all_end, "a session of another profile was ended")
    }

    fn finally(&self, world: &World, held: &[Old]) -> Result<(), String> {
        let rows = Self::counted(world);
        for (task, sign_in) in self.sign_ins.iter().enumerate() {
            Self::stands_or_ends_nothing(world, task, sign_in.clock)?;
        }
        Self::nobody_is_in_the_way(world, &rows)?;
        let opens = |old: &&Old| world.holds(old.row.id());
        for old in held.iter().filter(opens) {
            // By a clock of the last second of each.
            let sessions = Sessions::new(Arc::clone(&world.store), self.policies());
            let row = world.store.row(old.row.id()).unwrap();
            let last = row.lifetime().expires_at().saturating_add(schedules::secs(-1));
            let sessions = sessions.with_clock(ManualClock::new(last));
            ensure(block_on(sessions.peek(old.token.expose())).is_ok(), "an old token is dead")?;
        }
        if !self.is_calm() {
            return Ok(());
        }
        let started = |task: &usize| world.handed_out(*task).is_some();
        let started = (0..self.sign_ins.len()).filter(started).count();
        let replaced = self.sign_ins.iter().filter(|it| it.replacing.is_some()).count();
        let wanted = (self.old.len() + self.sign_ins.len() - replaced).min(self.max as usize);
        match self.when_full {
            EndOldest => {
                let exact = (wanted - self.fewer..=wanted).contains(&rows.len());
                ensure(exact, "not exactly the limit")?;
                ensure(started > 0, "none came in")
            }
            EndLeastRecent => {
                ensure(rows.len() <= self.max as usize, "more than the limit")?;
                ensure(started > 0 && !rows.is_empty(), "none came in")
            }
            Refuse => self.refused(world, started),
        }
    }

    /// One sign-in alone comes in where there is room; of those that race perhaps none.
    fn refused(&self, world: &World, started: usize) -> Result<(), String> {
        for answer in &world.answers[..self.sign_ins.len()] {
            match answer {
                Some(Answer::Started(Err(StartError::TooMany { sessions, .. }))) => {
                    ensure(!sessions.is_empty(), "no session is in the way")?;
                }
                Some(Answer::Started(Ok(_) | Err(StartError::Raced))) => {}
                other => return Err(format!("{other:?}")),
            }
        }
        if let [SigningIn { clock, replacing }] = self.sign_ins {
            let live = self.old.iter().filter(|(number, _, _, renewed)| {
                Some(*number) != *replacing && *clock < renewed + 1_800
            });
            let has_room = live.count() < self.max as usize;
            let alone = self.beside.is_empty();
            ensure(
                !alone || has_room == (started == 1),
                "one alone came in exactly if there was room",
            )?;
        }
        Ok(())
    }

    /// A sign-in that is told of an error has ended nothing that lives by its clock.
    fn stands_or_ends_nothing(world: &World, task: usize, clock: i64) -> Result<(), String> {
        let calls = world.store.calls();
        let created =
            calls.iter().any(|call| call.task == task && call.verb == "create" && call.changed);
        let fails = matches!(world.answers[task], Some(Answer::Started(Err(_))));
        if created && !fails {
            return Ok(());
        }
        let ended = calls.iter().filter(|call| call.task == task && call.of != MADE_BY + task);
        let alive = |row: &Session| at(clock) < row.lifetime().expires_at();
        let ended = ended.filter_map(|call| call.removed.as_ref()).any(alive);
        ensure(!ended, "a session was ended for a sign-in that does not stand")
    }

    /// Law 17: what counts can be opened, or its sign-in was dropped after its write.
    fn nobody_is_in_the_way(world: &World, rows: &[Session]) -> Result<(), String> {
        for task in rows.iter().filter_map(|row| world.store.maker(row.id())) {
            let opens = world.handed_out(task).is_some();
            ensure(opens || world.dropped[task], "a session that nobody can open counts")?;
        }
        Ok(())
    }
}

fn ensure(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}

const STRATEGIES: [WhenFull; 3] = [EndLeastRecent, EndOldest, Refuse];
/// What is there before, for limits of 1 and 2.
const BEFORE: &[(u32, &[Held])] = &[
    (1, &[]),
    (1, &[LAPTOP]),
    (1, &[OVER]),
    (1, &[AHEAD]),
    (1, &[UNCOUNTED]),
    (1, &[LAPTOP, OVER]),
    (2, &[]),
    (2, &[LAPTOP]),
    (2, &[OVER]),
    (2, &[LAPTOP, PHONE]),
    (2, &[LAPTOP, OVER]),
    (2, &[LAPTOP, AHEAD]),
    (2, &[UNCOUNTED, LAPTOP]),
    (2, &[LAPTOP, PHONE, OVER]),
    (2, &[LAPTOP, PHONE, TABLET, AHEAD]),
];
/// Clocks of two sign-ins: one clock, and up to the skew apart.
const TWO: &[[i64; 2]] = &[[0, 0], [1, 0], [0, 60]];

fn all(change: impl Fn(Scene<'_>) -> Scene<'_>, sign_ins: &[&[SigningIn]]) {
    for when_full in STRATEGIES {
        for (max, old) in BEFORE {
            for sign_ins in sign_ins {
                change(Scene::of(when_full, *max, old, sign_ins)).holds();
            }
        }
    }
}

#[test]
fn one_sign_in_alone() {
    for failures in 0..=1 {
        all(|scene| Scene { failures, drops: 1 - failures, ..scene }, &[&[by(0)]]);
    }
    all(|scene| scene, &[&[by(0)], &[by(-60)], &[by(60)]]);
}

#[test]
fn two_sign_ins() {
    for clocks in TWO {
        all(|scene| scene, &[&clocks.map(by)]);
    }
}

#[test]
fn two_sign_ins_beside_a_renewal_that_was_decided_before_the_end() {
    for when_full in STRATEGIES {
        for (max, old) in [(1, &[OVER][..]), (2, &[OVER, LAPTOP]), (2, &[PHONE, OVER])] {
            for clocks in TWO {
                let sign_ins = clocks.map(by);
                let beside = &[Beside::Renew(4, -1)];
                Scene { beside, when: When::Before, ..Scene::of(when_full, max, old, &sign_ins) }
                    .holds();
                Scene {
                    beside,
                    when: When::Before,
                    ..Scene::of(when_full, max, old, &sign_ins[..1])
                }
                .holds();
            }
        }
    }
}

#[test]
fn two_sign_ins_of_which_one_or_both_replace() {
    let for_laptop = SigningIn { clock: 0, replacing: Some(1) };
    for when_full in STRATEGIES {
        for (max, old) in [
            (1, &[LAPTOP][..]),
            (1, &[LAPTOP, OVER]),
            (2, &[LAPTOP, PHONE]),
            (2, &[LAPTOP, OVER]),
            (2, &[LAPTOP, PHONE, TABLET]),
        ] {
            for sign_ins in [&[for_laptop][..], &[for_laptop, by(0)], &[by(0), for_laptop]] {
                Scene::of(when_full, max, old, sign_ins).holds();
            }
        }
        let for_both = &[for_laptop, for_laptop];
        Scene { drops: 1, ..Scene::of(when_full, 1, &[LAPTOP], for_both) }.holds();
        Scene { drops: 1, ..Scene::of(when_full, 2, &[LAPTOP, PHONE], for_both) }.holds();
    }
}

#[test]
fn two_sign_ins_beside_a_sign_out() {
    for beside in [Beside::End(1), Beside::EndAll] {
        let beside = &[beside];
        for when_full in STRATEGIES {
            for (max, old) in [(1, &[LAPTOP][..]), (2, &[LAPTOP, PHONE])] {
                Scene {
                    beside,
                    when: When::Before,
                    ..Scene::of(when_full, max, old, &[by(0), by(0)])
                }
                .holds();
            }
        }
    }
}

#[test]
fn two_sign_ins_of_which_a_store_call_fails() {
    all(|scene| Scene { failures: 1, when: When::Before, ..scene }, &[&[by(0), by(0)]]);
}

#[test]
fn two_sign_ins_that_are_dropped_at_any_await() {
    all(|scene| Scene { drops: 1, ..scene }, &[&[by(0), by(0)]]);
    for when_full in STRATEGIES {
        let sign_ins = [by(0), by(0)];
        Scene { drops: 2, ..Scene::of(when_full, 1, &[LAPTOP], &sign_ins) }.holds();
    }
}

#[test]
fn three_sign_ins() {
    for when_full in STRATEGIES {
        for (max, old) in [(1, &[][..]), (1, &[LAPTOP]), (2, &[LAPTOP])] {
            let sign_ins = [60, 0, 1].map(by);
            let scene = Scene::of(when_full, max, old, &sign_ins);
            Scene { when: When::Before, ..scene }.holds();
        }
    }
}

/// Those that are too large for all of them.
#[test]
fn three_sign_ins_in_schedules_that_are_drawn() {
    for clocks in [[0, 0, 0], [0, 1, 60], [60, 0, 1]] {
        for when_full in STRATEGIES {
            for (max, old) in BEFORE {
                let sign_ins = clocks.map(by);
                let scene = Scene::of(when_full, *max, old, &sign_ins);
                let explored = drawn(200, |choices| scene.run(choices));
                explored.assert_holds(&format!("{when_full:?} {max}, {clocks:?}, drawn"));
            }
        }
    }
}

#[test]
fn five_sign_ins_a_renewal_and_a_sign_out_in_schedules_that_are_drawn() {
    let sign_ins = [0, 1, 60, 30, -1].map(by);
    let beside = &[Beside::Renew(4, -1), Beside::End(1)];
    for when_full in STRATEGIES {
        for failures in 0..=1 {
            let scene = Scene::of(when_full, 2, &[LAPTOP, PHONE, OVER], &sign_ins);
            let scene = Scene { beside, failures, drops: failures, ..scene };
            let explored = drawn(1_000, |choices| scene.run(choices));
            explored.assert_holds(&format!("{when_full:?}, {failures} failures, drawn"));
        }
    }
}

/// Two servers disagree for a second whether a session has ended: one ends it, and the
/// other, which does not count on that, a live one. So `EndOldest` may leave one session
/// fewer than the limit, from a limit of 3 on; never more, and never none.
#[test]
fn servers_that_disagree_about_an_end_may_leave_one_session_fewer() {
    let sign_ins = [by(0), by(-1)];
    let scene = Scene::of(EndOldest, 3, &[LAPTOP, PHONE, OVER], &sign_ins);
    let scene = Scene { when: When::Before, ..scene };
    scene.explore().assert_broken("exactly the limit, where clocks disagree about an end");
    Scene { fewer: 1, ..scene }.holds();
    let sign_ins = [by(0), by(0)];
    let scene = Scene { sign_ins: &sign_ins, ..scene };
    scene.holds();
    let scene = Scene { beside: &[Beside::Renew(4, -1)], ..scene };
    scene.explore().assert_broken("exactly the limit, where a renewal comes late");
    Scene { fewer: 1, ..scene }.holds();
}

// Planted faults.

#[test]
fn a_limit_that_goes_by_time_is_found() {
    let sign_ins = [60, 0, 0].map(by);
    let scene = Scene::of(EndOldest, 2, &[LAPTOP, AHEAD], &sign_ins);
    let scene = Scene { fault: Fault::NoOrdinals, when: When::Before, ..scene };
    scene.explore().assert_broken("a limit that goes by time");
}

#[test]
fn a_withdrawal_that_is_forgotten_is_found() {
    for when_full in [EndOldest, Refuse] {
        let sign_ins = [by(0); 2];
        let scene = Scene::of(when_full, 1, &[], &sign_ins);
        let scene = Scene { fault: Fault::OwnStays, ..scene };
        scene.explore().assert_broken("a withdrawal that is forgotten");
    }
}

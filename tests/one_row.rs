//! A session is one row under one id, whatever verbs race, and ending it is final
//! (laws 11 and 17): every schedule of rotations, renewals, ends and sign-ins that
//! replace, opaque and hybrid, with a store call that fails or a request that is
//! dropped.
#![cfg(feature = "std")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod schedules;

use std::sync::Arc;

use pollster::block_on;
#[cfg(feature = "jwt")]
use session_policy::NoClaims;
#[cfg(feature = "jwt")]
use session_policy::jwt::{Algorithm, HybridSessions, KeyRing, SigningKey};
use session_policy::store::{SecretHash, SessionStore};
use session_policy::{ManualClock, RotateError, Session, SessionId, Sessions, SignIn, Started};

use schedules::{
    Answer, Explored, Fault, Run, SUBJECT, Store, Task, When, World, at, drawn, every, policy,
};

/// What a request does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Act {
    /// With the first token, when a renewal is due.
    Authenticate,
    End,
    EndAll,
    Replace,
    /// By a handler that loaded the session before it was renewed.
    Rotate,
    /// By a handler that loaded the session before it was rotated.
    RotateStale,
    /// As another row, which then takes the place of the first: not of this crate.
    RotateByTwoRows,
    /// By a clock that is two days ahead.
    Sweep,
}

const STRATEGIES: &[Strategy] = &[
    Strategy::Opaque,
    #[cfg(feature = "jwt")]
    Strategy::Hybrid,
];

#[derive(Clone, Copy, Debug)]
enum Strategy {
    #[cfg(feature = "jwt")]
    Hybrid,
    Opaque,
}

/// The sessions of one server.
#[derive(Clone)]
enum Node {
    #[cfg(feature = "jwt")]
    Hybrid(HybridSessions<Arc<Store>>),
    Opaque(Sessions<Arc<Store>>),
}

/// Calls a verb of either.
macro_rules! of_either {
    ($node:expr, $sessions:ident => $call:expr) => {
        match $node {
            #[cfg(feature = "jwt")]
            Node::Hybrid($sessions) => $call,
            Node::Opaque($sessions) => $call,
        }
    };
}

impl Node {
    fn new(strategy: Strategy, store: &Arc<Store>, secs: i64) -> Self {
        let (store, clock) = (Arc::clone(store), ManualClock::new(at(secs)));
        match strategy {
            #[cfg(feature = "jwt")]
            Strategy::Hybrid => {
                let key = SigningKey::secret("k", Algorithm::Hs256, [7; 32]).unwrap();
                let ring = KeyRing::new(key).unwrap();
                let sessions = HybridSessions::new(store, ring, policy()).unwrap();
                Self::Hybrid(sessions.with_clock(clock))
            }
            Strategy::Opaque => Self::Opaque(Sessions::new(store, policy()).with_clock(clock)),
        }
    }

    async fn rotate(&self, session: &Session) -> Result<Started, RotateError> {
        match self {
            #[cfg(feature = "jwt")]
            Self::Hybrid(sessions) => sessions.rotate(session, NoClaims {}).await,
            Self::Opaque(sessions) => sessions.rotate(session).await,
        }
    }

    fn opens(&self, token: &str) -> bool {
        of_either!(self, sessions => block_on(sessions.peek(token)).is_ok())
    }
}

/// One session, renewed once since its sign-in and, if `stale` is asked for, rotated.
struct Before {
    id: SessionId,
    session: Session,
    stale: Session,
    tokens: Vec<String>,
}

fn before(node: &Node, acts: &[Act]) -> Before {
    let started = of_either!(node, sessions => block_on(sessions.start(SUBJECT)).unwrap());
    let (id, stale) = (started.session.id(), started.session.clone());
    let mut tokens = vec![started.token.expose().to_owned()];
    let mut session = stale.clone();
    if acts.contains(&Act::RotateStale) {
        let rotated = block_on(node.rotate(&stale)).unwrap();
        tokens.push(rotated.token.expose().to_owned());
        session = rotated.session;
    }
    Before { id, session, stale, tokens }
}

fn task(act: Act, node: Node, before: &Before) -> Task {
    let Before { id, session, stale, tokens } = before;
    let (id, session, stale) = (*id, session.clone(), stale.clone());
    let token = tokens.last().unwrap().clone();
    Box::pin(async move {
        match act {
            Act::Authenticate => Answer::Authenticated(
                of_either!(node, sessions => sessions.authenticate(&token).await),
            ),
            Act::End => Answer::Ended(of_either!(node, sessions => sessions.end(&id).await)),
            Act::EndAll => {
                Answer::EndedAll(of_either!(node, sessions => sessions.end_all(SUBJECT).await))
            }
            Act::Replace => {
                let sign_in = SignIn::of(SUBJECT).replacing(&session);
                Answer::Started(of_either!(node, sessions => sessions.start(sign_in).await))
            }
            Act::Rotate => Answer::Rotated(node.rotate(&session).await),
            Act::RotateStale => Answer::Rotated(node.rotate(&stale).await),
            Act::RotateByTwoRows => {
                let store = of_either!(&node, sessions => sessions.store());
                rotate_by_two_rows(store, &session).await;
                Answer::Rotated(Err(RotateError::Unknown))
            }
            Act::Sweep => Answer::EndedAll(of_either!(node, sessions => sessions.sweep(10).await)),
        }
    })
}

async fn rotate_by_two_rows(store: &Arc<Store>, session: &Session) {
    let mut parts = session.clone().into_parts();
    parts.id = SessionId::from_bytes([9; 16]);
    parts.secret = SecretHash::of_secret(&[9; 32]);
    let successor = Session::restore(parts).unwrap();
    store.create(&successor).await.unwrap();
    if let Ok(false) = store.remove(&session.id()).await {
        let _ = store.remove(&successor.id()).await;
    }
}

#[derive(Clone, Copy)]
struct Story<'a> {
    acts: &'a [Act],
    failures: u32,
    drops: u32,
    fault: Fault,
    when: When,
}

impl<'a> Story<'a> {
    const fn of(acts: &'a [Act]) -> Self {
        Self { acts, failures: 0, drops: 0, fault: Fault::None, when: When::Both }
    }

    fn run(self, strategy: Strategy, choices: &Arc<std::sync::Mutex<schedules::Choices>>) -> Run {
        let store = Store::new(choices, self.when, self.fault).with_failures(self.failures);
        let store = Arc::new(store);
        let before = before(&Node::new(strategy, &store, 0), self.acts);
        // A renewal since: a rotation begins from a version that is not the last.
        let renewing = Node::new(strategy, &store, 100);
        let token = before.tokens.last().unwrap();
        let renewed = of_either!(&renewing, it => block_on(it.authenticate(token)).unwrap());
        let mut before = before;
        before.tokens.extend(renewed.token.map(|token| token.expose().to_owned()));
        let tasks = self.acts.iter().map(|act| {
            let secs = if *act == Act::Sweep { 2 * 86_400 } else { 400 };
            task(*act, Node::new(strategy, &store, secs), &before)
        });
        let world = World::new(choices, &store, tasks.collect()).with_drops(self.drops);
        let node = Node::new(strategy, &store, 401);
        world.run(
            |world| always(self.acts, &before, world),
            |world| finally(self.acts, &before, &node, world),
        )
    }

    fn explore(self, strategy: Strategy) -> Explored {
        every(|choices| self.run(strategy, choices))
    }
}

fn ensure(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}

/// Whether a request that ends the session has said so.
fn ended(acts: &[Act], world: &World) -> bool {
    acts.iter().zip(&world.answers).any(|(act, answer)| match answer {
        Some(Answer::Ended(Ok(_)) | Answer::Started(Ok(_))) => true,
        Some(Answer::EndedAll(Ok(count))) => *act == Act::EndAll || *count > 0,
        _ => false,
    })
}

fn always(acts: &[Act], before: &Before, world: &World) -> Result<(), String> {
    let rows = world.store.rows();
    let replaces = acts.iter().filter(|act| **act == Act::Replace).count();
    ensure(rows.len() <= 1 + replaces, "there are more rows than sessions")?;
    let is_known = |row: &&Session| {
        row.id() == before.id
            || world.store.maker(row.id()).is_some_and(|task| acts[task] == Act::Replace)
    };
    ensure(rows.iter().all(|row| is_known(&row)), "a session has another id")?;
    ensure(!(ended(acts, world) && world.holds(before.id)), "it is there after its end")?;
    let one_ends =
        acts.iter().filter(|act| !matches!(act, Act::Authenticate | Act::Rotate)).count();
    for answer in world.answers.iter().flatten() {
        let lied = matches!(answer, Answer::Ended(Ok(false))) && one_ends == 1;
        ensure(!lied, "an end did not find the session")?;
    }
    let rotated = world.answers.iter().filter(|it| matches!(it, Some(Answer::Rotated(Ok(_)))));
    ensure(rotated.count() <= 1, "two rotations by one secret won")
}

fn finally(acts: &[Act], before: &Before, node: &Node, world: &World) -> Result<(), String> {
    let mut known = before.tokens.clone();
    let mut rotated = None;
    for (act, answer) in acts.iter().zip(&world.answers) {
        match answer {
            Some(Answer::Authenticated(Ok(served))) => {
                known.extend(served.token.as_ref().map(|token| token.expose().to_owned()));
            }
            Some(Answer::Rotated(Ok(started))) => {
                ensure(*act == Act::Rotate, "a stale handler rotated")?;
                ensure(started.session.id() == before.id, "a rotation gave another id")?;
                rotated = Some(started.token.expose().to_owned());
            }
            Some(Answer::Started(Ok(started))) => {
                let survives = !acts.contains(&Act::EndAll);
                let opens = node.opens(started.token.expose());
                ensure(opens || !survives, "what replaces is not there")?;
            }
            _ => {}
        }
    }
    let by_old = known.iter().any(|token| node.opens(token));
    let by_new = rotated.as_ref().is_some_and(|token| node.opens(token));
    if !world.holds(before.id) || ended(acts, world) {
        return ensure(!by_old && !by_new, "a token opens it after its end");
    }
    if rotated.is_some() {
        return ensure(by_new && !by_old, "a rotation's token does not open it alone");
    }
    let lost =
        acts.iter().zip(&world.dropped).any(|(act, dropped)| *act == Act::Rotate && *dropped);
    ensure(by_old || lost, "nobody can open it")
}

use Act::{Authenticate, End, EndAll, Replace, Rotate, RotateByTwoRows, RotateStale, Sweep};

const PAIRS: &[&[Act]] = &[
    &[Rotate, End],
    &[Rotate, EndAll],
    &[Rotate, Rotate],
    &[Rotate, RotateStale],
    &[Rotate, Authenticate],
    &[Rotate, Replace],
    &[Rotate, Sweep],
    &[Authenticate, End],
    &[Authenticate, EndAll],
    &[Authenticate, Replace],
    &[Authenticate, Sweep],
    &[Replace, End],
    &[Replace, EndAll],
];

const TRIPLES: &[&[Act]] = &[
    &[Rotate, Rotate, End],
    &[Rotate, Authenticate, End],
    &[Rotate, Authenticate, EndAll],
    &[Rotate, RotateStale, Authenticate],
    &[Rotate, Rotate, Authenticate],
    &[Rotate, Replace, Authenticate],
    &[Authenticate, Authenticate, End],
];

fn holds(stories: &[&[Act]], change: impl Fn(Story<'_>) -> Story<'_>) {
    for strategy in STRATEGIES {
        for acts in stories {
            let explored = change(Story::of(acts)).explore(*strategy);
            explored.assert_holds(&format!("{strategy:?} {acts:?}"));
        }
    }
}

#[test]
fn a_session_is_one_row_whatever_two_requests_race() {
    holds(PAIRS, |story| story);
}

#[test]
fn a_session_is_one_row_whatever_three_requests_race() {
    holds(TRIPLES, |story| Story { when: When::Before, ..story });
}

#[test]
fn a_store_call_that_fails_makes_no_second_row_and_loses_no_token() {
    holds(PAIRS, |story| Story { failures: 1, ..story });
    holds(TRIPLES, |story| Story { failures: 1, when: When::Before, ..story });
}

#[test]
fn a_request_that_is_dropped_makes_no_second_row_and_undoes_no_end() {
    holds(PAIRS, |story| Story { drops: 2, ..story });
    holds(TRIPLES, |story| Story { drops: 1, ..story });
}

#[test]
fn many_rotations_renewals_and_ends_in_schedules_that_are_drawn() {
    let acts = [Rotate, Rotate, Authenticate, Authenticate, Replace, End];
    for strategy in STRATEGIES {
        let story = Story { failures: 2, drops: 1, ..Story::of(&acts) };
        let explored = drawn(2_000, |choices| story.run(*strategy, choices));
        explored.assert_holds(&format!("{strategy:?} {acts:?}, drawn"));
    }
}

// Planted faults.

#[test]
fn an_update_that_ignores_the_secret_is_found() {
    for strategy in STRATEGIES {
        let story = Story { fault: Fault::UpdateIgnoresSecret, ..Story::of(&[Rotate]) };
        story.explore(*strategy).assert_broken("an update that ignores the secret");
    }
}

#[test]
fn an_update_that_ignores_the_version_is_found() {
    for strategy in STRATEGIES {
        let story = Story { fault: Fault::UpdateIgnoresVersion, ..Story::of(&[Rotate, Rotate]) };
        story.explore(*strategy).assert_broken("two rotations win");
        let story =
            Story { fault: Fault::UpdateIgnoresVersion, ..Story::of(&[Rotate, Authenticate]) };
        story.explore(*strategy).assert_broken("a renewal undoes a rotation");
    }
}

#[test]
fn a_rotation_by_two_rows_is_found() {
    let found = |acts, drops| {
        let story = Story { drops, ..Story::of(acts) };
        story.explore(Strategy::Opaque).assert_broken("a rotation by two rows");
    };
    found(&[RotateByTwoRows, End], 0);
    found(&[RotateByTwoRows], 1);
}

//! The embedded store against a model, at its capacity, and under threads.
#![cfg(feature = "memory")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Barrier, Mutex};
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

use pollster::block_on as wait;
use proptest::prelude::*;
use session_policy::store::{SecretHash, SessionStore, StoreError, Update};
use session_policy::{
    Lifetime, MemoryStore, RotateError, Session, SessionId, SessionPolicy, Sessions, Timestamp,
};

const CAP: i64 = 1_000;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_unix_secs(secs)
}

fn id(number: u64) -> SessionId {
    SessionId::from_bytes(u128::from(number).to_be_bytes())
}

fn lifetime(renewed_at: i64, expires_at: i64) -> Lifetime {
    Lifetime::restore(at(0), at(renewed_at), at(expires_at), at(CAP)).unwrap()
}

fn session(number: u64, subject: &str, expires_at: i64) -> Session {
    let secret = SecretHash::from_bytes([0; 32]);
    Session::new(id(number), subject, "default", secret, lifetime(0, expires_at)).unwrap()
}

/// All of it, the indexes too: an empty store is empty through and through.
fn assert_nothing_is_left(store: &MemoryStore) {
    assert!(store.is_empty());
    assert_eq!(format!("{store:?}"), format!("{:?}", MemoryStore::new()));
}

#[test]
fn a_creation_never_replaces() {
    let store = MemoryStore::new();
    let first = session(1, "first", 10);
    wait(store.create(&first)).unwrap();
    for second in [session(1, "second", 20), first.clone()] {
        let error = wait(store.create(&second)).unwrap_err();
        assert!(matches!(error, StoreError::Conflict));
        assert_eq!(error.to_string(), "the session id is taken");
    }
    assert_eq!(wait(store.load(&id(1))).unwrap(), Some(first.clone()));
    assert_eq!(wait(store.list("first")).unwrap(), [first]);
    assert_eq!(wait(store.list("second")).unwrap(), []);
    assert_eq!(store.len(), 1);
    assert!(!store.is_empty());
    // What `assert_nothing_is_left` goes by.
    assert_ne!(format!("{store:?}"), format!("{:?}", MemoryStore::new()));
}

/// Short texts are held in place, and the first profiles by number: neither shows.
#[test]
fn any_subject_and_any_number_of_profiles_come_back_as_they_were() {
    let store = MemoryStore::new();
    let secret = SecretHash::from_bytes([7; 32]);
    let profiles = (1..=40).map(|bytes| "p".repeat(bytes)).chain(["p".repeat(64)]);
    let subjects = (1..=40).map(|bytes| "\u{e9}".repeat(bytes)).chain(["s".repeat(1_024)]);
    let sessions: Vec<_> = (0..)
        .zip(subjects.zip(profiles))
        .map(|(number, (subject, profile))| {
            Session::new(id(number), subject, profile, secret, lifetime(0, 10)).unwrap()
        })
        .collect();
    for session in &sessions {
        wait(store.create(session)).unwrap();
    }
    for session in &sessions {
        assert_eq!(wait(store.load(&session.id())).unwrap().as_ref(), Some(session));
        assert_eq!(wait(store.list(session.subject())).unwrap(), std::slice::from_ref(session));
        let renewal = Update::new(session, at(1), &lifetime(1, 20)).with_generation(3, None);
        assert!(wait(store.update(&renewal)).unwrap());
        let renewed = renewal.apply(session).unwrap();
        assert_eq!(renewed.confirmed_at(), None);
        assert_eq!(wait(store.load(&session.id())).unwrap(), Some(renewed));
        assert!(wait(store.remove(&session.id())).unwrap());
    }
    assert_nothing_is_left(&store);
}

/// A thread of the runtime is not held for thousands of sessions.
#[test]
fn only_a_call_about_many_sessions_lets_other_tasks_run_between() {
    fn waits<T>(call: impl Future<Output = T>) -> bool {
        pin!(call).poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }
    for (count, is_long) in [(1, false), (500, false), (2_000, true)] {
        let store = MemoryStore::new();
        for number in 0..count {
            wait(store.create(&session(number, "user", 10))).unwrap();
        }
        assert_eq!(waits(store.list("user")), is_long, "{count}");
        assert_eq!(waits(store.remove_all("user", None)), is_long, "{count}");
    }
}

#[test]
fn a_full_store_refuses_until_a_session_ends_or_is_swept() {
    let store = MemoryStore::with_capacity(NonZeroUsize::new(2).unwrap());
    let create = |number| wait(store.create(&session(number, "user", 10)));
    create(1).unwrap();
    create(2).unwrap();
    let assert_full = |number| {
        let error = create(number).unwrap_err();
        assert!(matches!(error, StoreError::Full { capacity: 2 }));
        assert_eq!(error.to_string(), "the session store is full at its capacity of 2");
    };
    assert_full(3);
    assert!(matches!(create(1), Err(StoreError::Conflict)), "the truer answer of two");
    assert_eq!(store.len(), 2);

    assert!(wait(store.remove(&id(1))).unwrap());
    create(3).unwrap();
    assert_full(4);
    assert_eq!(wait(store.remove_expired(at(9), 9)).unwrap().len(), 0);
    assert_full(4); // A live session is not evicted.
    assert_eq!(wait(store.remove_expired(at(10), 1)).unwrap().len(), 1);
    create(4).unwrap();
    assert_full(5);
    assert_eq!(wait(store.remove_all("user", None)).unwrap().len(), 2);
    assert!(store.is_empty());
}

#[test]
fn a_sweep_goes_by_the_expiry_of_the_last_renewal() {
    for (renewals, expired) in [
        (&[][..], 100),
        (&[200], 200),     // Raised: not swept at the old expiry.
        (&[50], 50),       // Lowered: not only at the old one.
        (&[200, 50], 50),  // Raised, not looked at, and lowered.
        (&[50, 200], 200), // Lowered and raised.
        (&[200, 150, 199], 199),
    ] {
        let store = MemoryStore::new();
        wait(store.create(&session(1, "user", 100))).unwrap();
        for expires_at in renewals {
            let stored = wait(store.load(&id(1))).unwrap().unwrap();
            let renewal = Update::new(&stored, at(1), &lifetime(1, *expires_at));
            assert!(wait(store.update(&renewal)).unwrap());
        }
        for now in [0, 1, expired - 1] {
            assert_eq!(
                wait(store.remove_expired(at(now), 9)).unwrap().len(),
                0,
                "{renewals:?} {now}"
            );
        }
        assert_eq!(wait(store.remove_expired(at(expired), 9)).unwrap().len(), 1, "{renewals:?}");
        assert_nothing_is_left(&store);
    }
}

#[test]
fn a_sweep_of_many_removes_as_many_as_it_may() {
    let store = MemoryStore::new();
    for number in 0..2_000 {
        let expires_at = if number % 2 == 0 { 10 } else { 20 };
        wait(store.create(&session(number, &format!("user-{}", number % 700), expires_at)))
            .unwrap();
    }
    assert_eq!(wait(store.remove_expired(at(10), 600)).unwrap().len(), 600);
    assert_eq!(wait(store.remove_expired(at(10), u32::MAX)).unwrap().len(), 400);
    assert_eq!(store.len(), 1_000);
    assert_eq!(wait(store.remove_expired(at(20), u32::MAX)).unwrap().len(), 1_000);
    assert_nothing_is_left(&store);
}

// Against a model.

#[derive(Clone, Debug)]
enum Act {
    Create { number: u64, subject: usize, expires_at: i64 },
    Remove { number: u64 },
    RemoveAll { subject: usize, except: Option<u64> },
    RemoveExpired { now: i64, limit: u32 },
    Renew { number: u64, stale: bool, renewed_at: i64, length: i64, now: i64 },
}

const SUBJECTS: [&str; 3] = ["ada", "bob", "bo"];

fn act() -> impl Strategy<Value = Act> {
    let number = || 0..8_u64;
    prop_oneof![
        4 => (number(), 0..3_usize, 0..60_i64)
            .prop_map(|(number, subject, expires_at)| Act::Create { number, subject, expires_at }),
        1 => number().prop_map(|number| Act::Remove { number }),
        1 => (0..3_usize, proptest::option::of(number()))
            .prop_map(|(subject, except)| Act::RemoveAll { subject, except }),
        2 => (0..60_i64, 0..4_u32).prop_map(|(now, limit)| Act::RemoveExpired { now, limit }),
        4 => (number(), any::<bool>(), 0..30_i64, 0..30_i64, prop_oneof![0..CAP, CAP..=CAP + 1])
            .prop_map(|(number, stale, renewed_at, length, now)| {
                Act::Renew { number, stale, renewed_at, length, now }
            }),
    ]
}

type Model = BTreeMap<SessionId, Session>;

/// Carries out one act on both, and compares what they answer.
fn carry_out(store: &MemoryStore, model: &mut Model, act: &Act) {
    match *act {
        Act::Create { number, subject, expires_at } => {
            let session = session(number, SUBJECTS[subject], expires_at);
            let answer = wait(store.create(&session));
            if model.contains_key(&session.id()) {
                assert!(matches!(answer, Err(StoreError::Conflict)));
            } else if model.len() == 6 {
                assert!(matches!(answer, Err(StoreError::Full { capacity: 6 })));
            } else {
                answer.unwrap();
                model.insert(session.id(), session);
            }
        }
        Act::Remove { number } => {
            let removed = wait(store.remove(&id(number))).unwrap();
            assert_eq!(removed, model.remove(&id(number)).is_some());
        }
        Act::RemoveAll { subject, except } => {
            let (subject, except) = (SUBJECTS[subject], except.map(id));
            let before = model.len();
            model.retain(|id, session| session.subject() != subject || except == Some(*id));
            let removed = wait(store.remove_all(subject, except.as_ref())).unwrap().len();
            assert_eq!(removed, before - model.len());
        }
        Act::RemoveExpired { now, limit } => {
            let expired = |session: &Session| session.lifetime().expires_at() <= at(now);
            let due = model.values().filter(|session| expired(session)).count();
            let removed = wait(store.remove_expired(at(now), limit)).unwrap().len();
            assert_eq!(removed, due.min(limit as usize));
            // Which of the expired ones is the store's to choose.
            let before = model.len();
            model
                .retain(|id, session| wait(store.load(id)).unwrap().is_some() || !expired(session));
            assert_eq!(removed, before - model.len());
        }
        Act::Renew { number, stale, renewed_at, length, now } => {
            let Some(stored) = model.get(&id(number)) else {
                let absent = Update::new(&session(number, "ada", 1), at(0), &lifetime(0, 1));
                assert!(!wait(store.update(&absent)).unwrap());
                return;
            };
            let mut basis = stored.clone().into_parts();
            basis.version = basis.version.wrapping_sub(u64::from(stale));
            let basis = Session::restore(basis).unwrap();
            let renewal = Update::new(&basis, at(now), &lifetime(renewed_at, renewed_at + length));
            let applies = !stale && now < CAP && at(renewed_at) >= stored.lifetime().renewed_at();
            assert_eq!(wait(store.update(&renewal)).unwrap(), applies);
            if applies {
                let mut parts = stored.clone().into_parts();
                parts.version += 1;
                parts.lifetime = lifetime(renewed_at, renewed_at + length);
                model.insert(id(number), Session::restore(parts).unwrap());
            }
        }
    }
}

fn assert_same(store: &MemoryStore, model: &Model) {
    assert_eq!(store.len(), model.len());
    for number in 0..8 {
        assert_eq!(wait(store.load(&id(number))).unwrap().as_ref(), model.get(&id(number)));
    }
    for subject in SUBJECTS {
        let mut listed = wait(store.list(subject)).unwrap();
        listed.sort_by_key(Session::id);
        let expected = model.values().filter(|session| session.subject() == subject);
        assert_eq!(listed, expected.cloned().collect::<Vec<_>>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_sequence_of_verbs_answers_as_a_map_would(acts in prop::collection::vec(act(), 1..60)) {
        let store = MemoryStore::with_capacity(NonZeroUsize::new(6).unwrap());
        let mut model = Model::new();
        for act in &acts {
            carry_out(&store, &mut model, act);
            assert_same(&store, &model);
        }
        // A sweep that is resumed to its end leaves nothing expired, and exactly the rest.
        while wait(store.remove_expired(at(20), 2)).unwrap().len() == 2 {}
        model.retain(|_, session| session.lifetime().expires_at() > at(20));
        assert_same(&store, &model);
        let rest = model.len();
        prop_assert_eq!(wait(store.remove_expired(Timestamp::MAX, u32::MAX)).unwrap().len(), rest);
        let empty = MemoryStore::with_capacity(NonZeroUsize::new(6).unwrap());
        prop_assert_eq!(format!("{store:?}"), format!("{empty:?}"));
    }
}

// Under threads.

const THREADS: u64 = 4;

/// Runs `act` in as many threads at once.
fn in_threads(act: impl Fn(u64) + Sync) {
    let barrier = Barrier::new(usize::try_from(THREADS).unwrap());
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (act, barrier) = (&act, &barrier);
            scope.spawn(move || {
                barrier.wait();
                act(thread);
            });
        }
    });
}

#[test]
fn of_threads_that_create_one_id_exactly_one_wins() {
    const ROUNDS: u64 = 2_000;
    let store = MemoryStore::new();
    let winners = Mutex::new(Vec::new());
    in_threads(|thread| {
        for round in 0..ROUNDS {
            let subject = format!("thread-{thread}");
            match wait(store.create(&session(round, &subject, 10))) {
                Ok(()) => winners.lock().unwrap().push((round, subject)),
                Err(error) => assert!(matches!(error, StoreError::Conflict)),
            }
        }
    });
    let winners = winners.into_inner().unwrap();
    assert_eq!(winners.len(), store.len());
    let rounds: BTreeSet<_> = winners.iter().map(|(round, _)| *round).collect();
    assert_eq!(rounds, (0..ROUNDS).collect());
    for (round, subject) in &winners {
        assert_eq!(wait(store.load(&id(*round))).unwrap().unwrap().subject(), subject);
    }
    let listed = |thread| wait(store.list(&format!("thread-{thread}"))).unwrap().len();
    assert_eq!((0..THREADS).map(listed).sum::<usize>(), winners.len());
}

#[test]
fn of_threads_that_renew_one_version_exactly_one_wins() {
    const ROUNDS: u64 = 5_000;
    let store = MemoryStore::new();
    wait(store.create(&session(1, "user", 10))).unwrap();
    let won = AtomicU64::new(0);
    in_threads(|thread| {
        loop {
            let stored = wait(store.load(&id(1))).unwrap().unwrap();
            if stored.version() >= ROUNDS {
                break;
            }
            let length = 100 + i64::try_from(thread).unwrap();
            let renewal = Update::new(&stored, at(1), &lifetime(1, length));
            won.fetch_add(u64::from(wait(store.update(&renewal)).unwrap()), Ordering::Relaxed);
        }
    });
    let version = wait(store.load(&id(1))).unwrap().unwrap().version();
    assert_eq!(version, won.into_inner());
    assert!(version >= ROUNDS);
}

#[test]
fn a_bounded_store_never_holds_more_than_its_capacity() {
    let store = MemoryStore::with_capacity(NonZeroUsize::new(10).unwrap());
    in_threads(|thread| {
        for round in 0..5_000 {
            let number = thread * 1_000_000 + round;
            match wait(store.create(&session(number, "user", 10))) {
                Ok(()) => {
                    assert!(store.len() <= 10);
                    assert!(wait(store.list("user")).unwrap().len() <= 10);
                    if round % 3 > 0 {
                        wait(store.remove(&id(number))).unwrap(); // Unless swept by now.
                    }
                }
                Err(error) => {
                    assert!(matches!(error, StoreError::Full { capacity: 10 }));
                    wait(store.remove_expired(at(10), 3)).unwrap().len();
                }
            }
        }
    });
    while !wait(store.remove_expired(at(10), 3)).unwrap().is_empty() {}
    assert_eq!(store.len(), 0);
    assert_eq!(wait(store.list("user")).unwrap(), []);
}

#[test]
fn all_verbs_at_once_neither_deadlock_nor_leave_anything_behind() {
    let store = MemoryStore::new();
    let (created, removed) = (AtomicU64::new(0), AtomicU64::new(0));
    let until = Instant::now() + Duration::from_secs(2);
    in_threads(|thread| {
        // A generator of its own for each thread: xorshift needs no crate.
        let mut state = 0x9e37_79b9_7f4a_7c15 ^ (thread + 1);
        let mut random = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let count = |counter: &AtomicU64, by: u64| counter.fetch_add(by, Ordering::Relaxed);
        while Instant::now() < until {
            let (number, subject) = (random(64), format!("user-{}", random(5)));
            let seconds = i64::try_from(random(60)).unwrap();
            match random(8) {
                0..3 => {
                    let answer = wait(store.create(&session(number, &subject, seconds)));
                    count(&created, u64::from(answer.is_ok()));
                }
                3..5 => {
                    if let Some(stored) = wait(store.load(&id(number))).unwrap() {
                        let to =
                            lifetime(stored.lifetime().renewed_at().as_unix_secs(), CAP - seconds);
                        wait(store.update(&Update::new(&stored, at(0), &to))).unwrap();
                    }
                }
                5 => {
                    count(&removed, u64::from(wait(store.remove(&id(number))).unwrap()));
                }
                6 => {
                    let except = id(number);
                    let ended = wait(store.remove_all(&subject, Some(&except))).unwrap();
                    count(&removed, ended.len() as u64);
                }
                _ => {
                    let swept = wait(store.remove_expired(at(seconds), 5)).unwrap().len();
                    assert!(swept <= 5);
                    count(&removed, swept as u64);
                    for session in wait(store.list(&subject)).unwrap() {
                        assert_eq!(session.subject(), subject);
                    }
                }
            }
        }
    });
    let (created, removed) = (created.into_inner(), removed.into_inner());
    assert!(created > 1_000, "{created} created");
    assert_eq!(store.len() as u64, created - removed);
    let listed = |subject| wait(store.list(&format!("user-{subject}"))).unwrap().len();
    assert_eq!((0..5).map(listed).sum::<usize>(), store.len());
    let rest = wait(store.remove_expired(Timestamp::MAX, u32::MAX)).unwrap().len();
    assert_eq!(rest as u64, created - removed);
    assert_nothing_is_left(&store);
}

#[test]
fn a_logout_from_everywhere_also_ends_a_session_that_is_being_rotated() {
    let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY);
    for round in 0..5_000 {
        let started = wait(sessions.start("user")).unwrap();
        let barrier = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                barrier.wait();
                let mut session = started.session.clone();
                for _ in 0..=round % 20 {
                    match wait(sessions.rotate(&session)) {
                        Ok(rotated) => session = rotated.session,
                        Err(RotateError::Unknown) => break,
                        Err(error) => panic!("{error}"),
                    }
                }
            });
            scope.spawn(|| {
                barrier.wait();
                wait(sessions.end_all("user")).unwrap();
            });
        });
        assert_eq!(sessions.store().len(), 0, "round {round}");
    }
}

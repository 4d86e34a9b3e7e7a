//! `MemoryStore` in the orders in which threads can take its locks: its indexes
//! agree with its sessions, its count does not drift, nothing deadlocks. The same
//! checks find each planted fault.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::num::NonZeroUsize;
use std::panic::catch_unwind;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use session_policy_planting::store::{SecretHash, SessionStore, StoreError, Update};
use session_policy_planting::{Fault, Lifetime, MemoryStore, Session, SessionId, Timestamp, plant};
use shuttle::scheduler::{DfsScheduler, RandomScheduler};
use shuttle::{Config, FailurePersistence, Runner, thread};

/// Enough for every order of most pairs of operations.
const SCHEDULES: usize = 7_000;
const SUBJECT: &str = "ada";

fn at(secs: i64) -> Timestamp {
    Timestamp::from_unix_secs(secs)
}

fn id(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

fn lifetime(renewed_at: i64, expires_at: i64) -> Lifetime {
    Lifetime::restore(at(0), at(renewed_at), at(expires_at), at(1_000)).unwrap()
}

/// Good until 100.
fn session(number: u8, subject: &str) -> Session {
    let secret = SecretHash::from_bytes([0; 32]);
    Session::new(id(number), subject, "default", secret, lifetime(0, 100)).unwrap()
}

/// The store waits for nothing but its locks.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("the store waits"),
    }
}

// The operations.

type Store = Arc<MemoryStore>;
type Act = fn(&MemoryStore);

fn create(number: u8) -> impl Fn(&MemoryStore) -> Result<(), StoreError> {
    move |store| now(store.create(&session(number, SUBJECT)))
}

fn remove(store: &MemoryStore, number: u8) -> bool {
    now(store.remove(&id(number))).unwrap()
}

fn sweep(store: &MemoryStore, secs: i64) -> u64 {
    now(store.remove_expired(at(secs), 9)).unwrap()
}

fn remove_all(store: &MemoryStore) -> u64 {
    now(store.remove_all(SUBJECT, None)).unwrap()
}

/// Renews to 200 what was loaded, unless it is gone.
fn renew(store: &MemoryStore, number: u8) -> Option<bool> {
    let loaded = now(store.load(&id(number))).unwrap()?;
    let update = Update::new(&loaded, at(50), &lifetime(50, 200));
    Some(now(store.update(&update)).unwrap())
}

/// As `Sessions::rotate` does, with an id of the test's choice.
fn rotate(store: &MemoryStore, from: u8, to: u8) -> bool {
    create(to)(store).unwrap();
    let rotated = remove(store, from);
    if !rotated {
        assert!(remove(store, to) || now(store.load(&id(to))).unwrap().is_none());
    }
    rotated
}

// The laws.

/// The sessions, both indexes and the count agree; returns how many there are.
fn agrees(store: &MemoryStore) -> usize {
    let held: Vec<_> =
        (0..9).filter(|number| now(store.load(&id(*number))).unwrap().is_some()).collect();
    let mut listed: Vec<_> = now(store.list(SUBJECT))
        .unwrap()
        .iter()
        .map(|session| session.id().as_bytes()[0])
        .collect();
    listed.sort_unstable();
    assert_eq!(listed, held, "the index of subjects agrees");
    let (count, subjects) = (held.len(), usize::from(!held.is_empty()));
    let shown = format!("{store:?}");
    let expected = format!(
        "MemoryStore {{ sessions: {count}, subjects: {subjects}, expiries: {count}, count: {count}, "
    );
    assert!(shown.starts_with(&expected), "{shown}: {count} sessions, {subjects} subjects");
    // The index of expiries finds them all.
    assert_eq!(now(store.remove_expired(at(1_000), 9)).unwrap(), count as u64);
    assert!(store.is_empty());
    count
}

/// Runs `acts` side by side in every order or, where there are more than
/// `SCHEDULES`, in that many and as many again by chance, on a store with
/// `before`; then `law` judges what is left. How many orders there were.
fn side_by_side(before: &[u8], acts: &[Act], law: fn(&MemoryStore)) -> usize {
    let (before, acts) = (before.to_vec(), acts.to_vec());
    let race = move || {
        let store = Store::new(MemoryStore::with_capacity(NonZeroUsize::new(2).unwrap()));
        for number in &before {
            create(*number)(&store).unwrap();
        }
        let run = |act: &Act| {
            let (store, act) = (Arc::clone(&store), *act);
            thread::spawn(move || act(&store))
        };
        let threads: Vec<_> = acts.iter().map(run).collect();
        for thread in threads {
            thread.join().unwrap();
        }
        law(&store);
        agrees(&store);
    };
    let config = || {
        let mut config = Config::new();
        config.failure_persistence = FailurePersistence::None;
        // That it takes every ordering of an atomic for SeqCst.
        config.silence_warnings = true;
        config
    };
    let every = DfsScheduler::new(Some(SCHEDULES), false);
    let schedules = Runner::new(every, config()).run(race.clone());
    if schedules < SCHEDULES {
        return schedules;
    }
    let by_chance = RandomScheduler::new_from_seed(42, SCHEDULES);
    schedules + Runner::new(by_chance, config()).run(race)
}

fn nothing_more(_: &MemoryStore) {}

// The checks, each a set of races that a fault may show in.

fn creations_at_the_capacity() -> usize {
    let create: [Act; 3] = [
        |store| drop(create(1)(store)),
        |store| drop(create(2)(store)),
        |store| assert!(store.len() <= 2, "over the capacity"),
    ];
    side_by_side(&[0], &create, |store| assert_eq!(store.len(), 2))
}

fn creations_and_removals_of_one_id() -> usize {
    let pairs: [[Act; 2]; 3] = [
        [|store| _ = remove(store, 0), |store| drop(create(0)(store))],
        [|store| _ = sweep(store, 100), |store| drop(create(0)(store))],
        [|store| _ = remove_all(store), |store| drop(create(0)(store))],
    ];
    pairs.iter().map(|pair| side_by_side(&[0], pair, nothing_more)).sum()
}

fn removals_of_the_same() -> usize {
    let removals: [Act; 3] = [
        |store| _ = remove(store, 0),
        |store| _ = sweep(store, 100),
        |store| _ = remove_all(store),
    ];
    let all_gone = |store: &MemoryStore| assert!(store.is_empty());
    let pairs = [[0, 1], [0, 2], [1, 2]].map(|pair| pair.map(|act| removals[act]));
    pairs.iter().map(|pair| side_by_side(&[0], pair, all_gone)).sum::<usize>()
        + side_by_side(&[0, 1], &removals, all_gone)
}

fn a_creation_among_removals() -> usize {
    side_by_side(
        &[0],
        &[
            |store| _ = remove(store, 0),
            |store| _ = sweep(store, 100),
            |store| {
                create(1)(store).unwrap();
            },
        ],
        nothing_more,
    )
}

fn renewals_of_one_version() -> usize {
    let renew: Act = |store| _ = renew(store, 0);
    side_by_side(&[0], &[renew, renew], |store| {
        let left = now(store.load(&id(0))).unwrap().unwrap();
        assert!(matches!(left.version(), 1 | 2));
    })
}

fn a_renewal_and_a_sweep() -> usize {
    // Whichever is first decides: a session that was renewed is not swept.
    static RENEWED: AtomicBool = AtomicBool::new(false);
    let acts: [Act; 2] = [
        |store| RENEWED.store(renew(store, 0) == Some(true), Ordering::Relaxed),
        |store| _ = sweep(store, 100),
    ];
    side_by_side(&[0], &acts, |store| {
        assert_eq!(store.len() == 1, RENEWED.load(Ordering::Relaxed), "renewed or gone");
    })
}

fn a_rotation_and_a_removal_of_all() -> usize {
    let acts: [Act; 2] = [|store| _ = rotate(store, 0, 1), |store| _ = remove_all(store)];
    side_by_side(&[0], &acts, |store| assert!(store.is_empty(), "a session outlives it"))
}

/// Ids are random, so this takes a caller that chooses them.
fn a_removal_of_all_and_an_id_that_changes_hands() -> usize {
    const OTHER: &str = "grace";
    let acts: [Act; 2] = [
        |store| _ = remove_all(store),
        |store| {
            remove(store, 0);
            now(store.create(&session(0, OTHER))).unwrap();
        },
    ];
    side_by_side(&[0], &acts, |store| {
        let left = now(store.load(&id(0))).unwrap();
        assert_eq!(left.as_ref().map(Session::subject), Some(OTHER), "it ends another's");
        // What follows looks for those of `SUBJECT`.
        assert!(remove(store, 0));
    })
}

fn a_list_among_writes() -> usize {
    let list: Act = |store| {
        for session in now(store.list(SUBJECT)).unwrap() {
            assert_eq!(session.subject(), SUBJECT);
        }
    };
    side_by_side(&[0], &[list, |store| drop(create(1)(store))], nothing_more)
        + side_by_side(&[0], &[list, |store| _ = remove(store, 0)], nothing_more)
}

fn a_list_and_a_rotation() -> usize {
    let acts: [Act; 2] = [
        |store| assert!(!now(store.list(SUBJECT)).unwrap().is_empty(), "out of sight"),
        |store| _ = rotate(store, 0, 1),
    ];
    side_by_side(&[0], &acts, nothing_more)
}

type Check = fn() -> usize;

const CHECKS: [(&str, Check); 10] = [
    ("creations at the capacity", creations_at_the_capacity),
    ("creations and removals of one id", creations_and_removals_of_one_id),
    ("removals of the same", removals_of_the_same),
    ("a creation among removals", a_creation_among_removals),
    ("renewals of one version", renewals_of_one_version),
    ("a renewal and a sweep", a_renewal_and_a_sweep),
    ("a rotation and a removal of all", a_rotation_and_a_removal_of_all),
    (
        "a removal of all and an id that changes hands",
        a_removal_of_all_and_an_id_that_changes_hands,
    ),
    ("a list among writes", a_list_among_writes),
    ("a list and a rotation", a_list_and_a_rotation),
];

#[test]
fn the_store_agrees_with_itself_in_every_order_of_its_locks() {
    plant(None);
    for (name, check) in CHECKS {
        println!("{name}: {} schedules", check());
    }
}

/// A check that passes without the fault, which the test above shows, and fails
/// with it.
fn finds(check: Check, fault: Fault) {
    plant(Some(fault));
    let failed = catch_unwind(check).is_err();
    plant(None);
    assert!(failed, "{fault:?} is not found");
}

#[test]
fn a_removal_of_all_that_ends_anothers_is_found() {
    finds(a_removal_of_all_and_an_id_that_changes_hands, Fault::AnothersIsEnded);
}

#[test]
fn a_capacity_that_is_checked_and_then_taken_is_found() {
    finds(creations_at_the_capacity, Fault::CapacityRaced);
}

#[test]
fn a_session_that_is_counted_twice_is_found() {
    finds(removals_of_the_same, Fault::CountedTwice);
}

#[test]
fn an_index_that_is_cleared_after_its_row_is_found() {
    finds(creations_and_removals_of_one_id, Fault::IndexAfterTheRow);
}

#[test]
fn locks_in_the_reversed_order_are_found() {
    finds(a_list_among_writes, Fault::LocksReversed);
}

#[test]
fn a_list_that_looks_once_is_found() {
    finds(a_list_and_a_rotation, Fault::ListsOnce);
}

#[test]
fn a_removal_of_all_that_looks_once_is_found() {
    finds(a_rotation_and_a_removal_of_all, Fault::LooksOnce);
}

#[test]
fn a_sweep_that_trusts_its_index_is_found() {
    finds(a_renewal_and_a_sweep, Fault::SweepTrustsTheIndex);
}

//! `MemoryStore` in the orders in which threads can take its locks: its indexes
//! agree with its sessions, its count does not drift, nothing deadlocks. The same
//! checks find each planted fault.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod orders;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use session_policy_planting::store::{SecretHash, SessionStore, StoreError, Update};
use session_policy_planting::{Fault, Lifetime, MemoryStore, Session, SessionId, Timestamp};

use self::orders::{Check, all_hold, dropped, every_order, finds, now};

const SUBJECT: &str = "ada";
const OTHER: &str = "grace";

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

// The operations.

type Act = orders::Act<MemoryStore>;

fn create(number: u8) -> impl Fn(&MemoryStore) -> Result<(), StoreError> {
    move |store| now(store.create(&session(number, SUBJECT)))
}

fn remove(store: &MemoryStore, number: u8) -> bool {
    now(store.remove(&id(number))).unwrap()
}

fn sweep(store: &MemoryStore, secs: i64) -> usize {
    now(store.remove_expired(at(secs), 9)).unwrap().len()
}

fn remove_all(store: &MemoryStore) -> usize {
    now(store.remove_all(SUBJECT, None)).unwrap().len()
}

/// Renews to 200 what was loaded, unless it is gone.
fn renew(store: &MemoryStore, number: u8) -> Option<bool> {
    let loaded = now(store.load(&id(number))).unwrap()?;
    let update = Update::new(&loaded, at(50), &lifetime(50, 200));
    Some(now(store.update(&update)).unwrap())
}

/// Gives what was loaded another secret, unless it is gone.
fn rotate(store: &MemoryStore, number: u8, secret: u8) -> Option<bool> {
    let loaded = now(store.load(&id(number))).unwrap()?;
    let update = Update::new(&loaded, at(50), &lifetime(50, 200))
        .with_secret(SecretHash::from_bytes([secret; 32]));
    Some(now(store.update(&update)).unwrap())
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
    let count = held.len();
    let shown = format!("{store:?}");
    let expected = format!("MemoryStore {{ expiries: {count}, count: {count}, ");
    assert!(shown.starts_with(&expected), "{shown}: {count} sessions");
    // The index of expiries finds them all.
    assert_eq!(sweep(store, 1_000), count);
    assert!(store.is_empty());
    count
}

/// Runs `acts` side by side in the orders that there are, on a store with `before`; then
/// `law` judges what is left. How many orders there were.
fn side_by_side(before: &[u8], acts: &[Act], law: Act) -> usize {
    let (before, acts) = (before.to_vec(), acts.to_vec());
    every_order(move || {
        let store = Arc::new(MemoryStore::with_capacity(NonZeroUsize::new(2).unwrap()));
        for number in &before {
            create(*number)(&store).unwrap();
        }
        orders::side_by_side(&store, &acts);
        law(&store);
        agrees(&store);
    })
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

/// Of writes of one version, one is made and told so.
fn updates_of_one_version() -> usize {
    static WON: AtomicU64 = AtomicU64::new(0);
    fn count(won: Option<bool>) {
        WON.fetch_add(u64::from(won == Some(true)), Ordering::Relaxed);
    }
    let renews: Act = |store| count(renew(store, 0));
    let rotates: Act = |store| count(rotate(store, 0, 1));
    let rotates_too: Act = |store| count(rotate(store, 0, 2));
    [[renews, renews], [renews, rotates], [rotates, rotates_too]]
        .iter()
        .map(|pair| {
            side_by_side(&[0], pair, |store| {
                let left = now(store.load(&id(0))).unwrap().unwrap();
                assert_eq!(left.version(), WON.swap(0, Ordering::Relaxed), "who was told so");
            })
        })
        .sum()
}

/// What a rotation that was answered wrote is there, unless it was removed.
fn a_rotation_and_a_renewal() -> usize {
    static ROTATED: AtomicBool = AtomicBool::new(false);
    let acts: [Act; 2] = [
        |store| ROTATED.store(rotate(store, 0, 1) == Some(true), Ordering::Relaxed),
        |store| _ = renew(store, 0),
    ];
    side_by_side(&[0], &acts, |store| {
        let left = now(store.load(&id(0))).unwrap().unwrap();
        let secret = u8::from(ROTATED.load(Ordering::Relaxed));
        assert_eq!(left.secret().as_bytes(), &[secret; 32], "the secret of the answer");
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

/// Nothing that was there when it was called outlives a removal.
fn a_rotation_and_removals() -> usize {
    let all_gone = |store: &MemoryStore| assert!(store.is_empty(), "a session outlives it");
    let removals: [Act; 2] = [|store| _ = remove(store, 0), |store| _ = remove_all(store)];
    let rotates: Act = |store| _ = rotate(store, 0, 1);
    let with = |removal| side_by_side(&[0], &[rotates, removal], all_gone);
    removals.into_iter().map(with).sum()
}

fn calls_that_are_dropped() -> usize {
    let acts: [Act; 2] =
        [|store| dropped(store.remove(&id(0))), |store| dropped(store.remove_expired(at(100), 9))];
    let others: [Act; 2] = [|store| _ = renew(store, 0), |store| drop(create(1)(store))];
    let races = acts.iter().flat_map(|act| others.map(|other| [*act, other]));
    races.map(|pair| side_by_side(&[0], &pair, nothing_more)).sum()
}

/// Ids are random, so this takes a caller that chooses them.
fn a_removal_of_all_and_an_id_that_changes_hands() -> usize {
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
    let changes_hands: Act = |store| {
        remove(store, 0);
        now(store.create(&session(0, OTHER))).unwrap();
        remove(store, 0);
    };
    side_by_side(&[0], &[list, |store| drop(create(1)(store))], nothing_more)
        + side_by_side(&[0], &[list, |store| _ = remove(store, 0)], nothing_more)
        + side_by_side(&[0], &[list, changes_hands], nothing_more)
}

fn a_list_and_a_rotation() -> usize {
    let acts: [Act; 2] = [
        |store| assert!(!now(store.list(SUBJECT)).unwrap().is_empty(), "out of sight"),
        |store| _ = rotate(store, 0, 1),
    ];
    side_by_side(&[0], &acts, nothing_more)
}

const CHECKS: [(&str, Check); 12] = [
    ("creations at the capacity", creations_at_the_capacity),
    ("creations and removals of one id", creations_and_removals_of_one_id),
    ("removals of the same", removals_of_the_same),
    ("a creation among removals", a_creation_among_removals),
    ("updates of one version", updates_of_one_version),
    ("a rotation and a renewal", a_rotation_and_a_renewal),
    ("a renewal and a sweep", a_renewal_and_a_sweep),
    ("a rotation and removals", a_rotation_and_removals),
    ("calls that are dropped", calls_that_are_dropped),
    (
        "a removal of all and an id that changes hands",
        a_removal_of_all_and_an_id_that_changes_hands,
    ),
    ("a list among writes", a_list_among_writes),
    ("a list and a rotation", a_list_and_a_rotation),
];

#[test]
fn the_store_agrees_with_itself_in_every_order_of_its_locks() {
    all_hold(&CHECKS);
}

#[test]
fn a_removal_of_all_that_ends_anothers_is_found() {
    finds(a_removal_of_all_and_an_id_that_changes_hands, Fault::AnothersIsEnded);
}

#[test]
fn a_list_of_anothers_is_found() {
    finds(a_list_among_writes, Fault::AnothersIsListed);
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
fn a_dropped_removal_that_leaves_half_is_found() {
    finds(calls_that_are_dropped, Fault::DropLeavesHalf);
}

#[test]
fn an_index_that_is_cleared_after_the_lock_is_found() {
    finds(creations_and_removals_of_one_id, Fault::IndexAfterTheLock);
}

#[test]
fn locks_in_the_reversed_order_are_found() {
    finds(a_list_among_writes, Fault::LocksReversed);
}

#[test]
fn a_sweep_that_trusts_its_index_is_found() {
    finds(a_renewal_and_a_sweep, Fault::SweepTrustsTheIndex);
}

#[test]
fn an_update_that_checks_before_its_lock_is_found() {
    finds(updates_of_one_version, Fault::UpdateChecksFirst);
}

#[test]
fn an_update_that_ignores_the_secret_is_found() {
    finds(a_rotation_and_a_renewal, Fault::UpdateIgnoresSecret);
}

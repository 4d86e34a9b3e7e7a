//! `Sessions` over `MemoryStore` on threads: what a limit, an end and a rotation promise
//! holds in the orders in which the store's locks can be taken. Ids are random, and so
//! are the orders.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod orders;

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use session_policy_planting::store::SessionStore;
use session_policy_planting::{
    Fault, ManualClock, MemoryStore, Policies, Session, SessionId, SessionLimit, SessionPolicy,
    Sessions, SignIn, StartError, Started, Timestamp, WhenFull,
};

use self::orders::{Act, Check, all_hold, by_chance, finds, now};

const SUBJECT: &str = "ada";

/// Sessions, of which the first is there before the race, and what the race hands out.
struct Service {
    sessions: Sessions<MemoryStore>,
    first: Started,
    handed: Mutex<Vec<SessionId>>,
}

impl Service {
    /// The first session is due for a renewal.
    fn new(limit: Option<(u32, WhenFull)>) -> Self {
        let secs = TimeDelta::seconds;
        let policy = SessionPolicy::new(secs(100), secs(10), secs(1_000)).unwrap();
        let mut policies = Policies::new(policy);
        if let Some((max_sessions, when_full)) = limit {
            let limit = SessionLimit::new(NonZeroU32::new(max_sessions).unwrap(), when_full);
            policies = policies.with_limit(Policies::DEFAULT, limit).unwrap();
        }
        let clock = ManualClock::new(Timestamp::from_unix_secs(0));
        let sessions = Sessions::new(MemoryStore::new(), policies).with_clock(clock.clone());
        let first = now(sessions.start(SUBJECT)).unwrap();
        clock.set(Timestamp::from_unix_secs(50));
        Self { sessions, first, handed: Mutex::default() }
    }

    fn authenticates(&self) -> bool {
        now(self.sessions.authenticate(self.first.token.expose())).is_ok()
    }

    fn rotates(&self) {
        drop(now(self.sessions.rotate(&self.first.session)));
    }

    fn ends(&self) {
        now(self.sessions.end(&self.first.session.id())).unwrap();
        assert!(!self.authenticates(), "it is served after its end");
    }

    fn ends_all(&self) {
        now(self.sessions.end_all(SUBJECT)).unwrap();
        assert!(!self.authenticates(), "it is served after its end");
    }

    fn signs_in(&self, sign_in: SignIn) {
        match now(self.sessions.start(sign_in)) {
            Ok(started) => self.handed.lock().unwrap().push(started.session.id()),
            Err(StartError::Displaced | StartError::Raced | StartError::TooMany { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// All of it was handed out.
    fn left(&self) -> Vec<SessionId> {
        let left = now(self.sessions.store().list(SUBJECT)).unwrap();
        let handed = self.handed.lock().unwrap();
        let ids: Vec<_> = left.iter().map(Session::id).collect();
        let first = self.first.session.id();
        assert!(ids.iter().all(|id| *id == first || handed.contains(id)), "nobody can open it");
        ids
    }
}

fn race(limit: Option<(u32, WhenFull)>, acts: &[Act<Service>], law: Act<Service>) -> usize {
    let acts = acts.to_vec();
    by_chance(move || {
        let service = Arc::new(Service::new(limit));
        orders::side_by_side(&service, &acts);
        law(&service);
    })
}

const RENEWS: Act<Service> = |service| _ = service.authenticates();
const ROTATES: Act<Service> = Service::rotates;
const SIGNS_IN: Act<Service> = |service| service.signs_in(SUBJECT.into());
const SIGNS_IN_AGAIN: Act<Service> = |service| {
    service.signs_in(SignIn::of(SUBJECT).replacing(&service.first.session));
};

fn an_end_among_writes() -> usize {
    let ends: [Act<Service>; 2] = [Service::ends, Service::ends_all];
    let nothing = |service: &Service| assert_eq!(service.left(), [], "it outlives its end");
    ends.map(|end| race(None, &[end, RENEWS, ROTATES], nothing)).iter().sum()
}

/// Those that are there when it is called are gone; a sign-in may come after it.
fn an_end_of_all_and_a_sign_in() -> usize {
    let limit = Some((1, WhenFull::EndOldest));
    race(limit, &[Service::ends_all, SIGNS_IN, ROTATES], |service| {
        assert!(!service.left().contains(&service.first.session.id()), "it outlives its end");
    })
}

fn sign_ins_that_end_the_oldest() -> usize {
    let limit = Some((2, WhenFull::EndOldest));
    race(limit, &[SIGNS_IN, SIGNS_IN, SIGNS_IN], |service| assert_eq!(service.left().len(), 2))
}

fn sign_ins_that_end_the_least_recent() -> usize {
    let limit = Some((1, WhenFull::EndLeastRecent));
    race(limit, &[SIGNS_IN, SIGNS_IN, RENEWS], |service| assert_eq!(service.left().len(), 1))
}

fn sign_ins_that_are_refused() -> usize {
    let limit = Some((2, WhenFull::Refuse));
    race(limit, &[SIGNS_IN, SIGNS_IN, RENEWS], |service| assert!(service.left().len() <= 2))
}

/// Alone, it always comes in.
fn a_sign_in_that_replaces() -> usize {
    let limit = Some((1, WhenFull::Refuse));
    race(limit, &[SIGNS_IN_AGAIN, RENEWS, ROTATES], |service| {
        assert_eq!(service.left(), *service.handed.lock().unwrap());
        assert_eq!(service.left().len(), 1);
    })
}

const CHECKS: [(&str, Check); 6] = [
    ("an end among writes", an_end_among_writes),
    ("an end of all and a sign-in", an_end_of_all_and_a_sign_in),
    ("sign-ins that end the oldest", sign_ins_that_end_the_oldest),
    ("sign-ins that end the least recent", sign_ins_that_end_the_least_recent),
    ("sign-ins that are refused", sign_ins_that_are_refused),
    ("a sign-in that replaces", a_sign_in_that_replaces),
];

#[test]
fn sessions_keep_their_promises_on_threads() {
    all_hold(&CHECKS);
}

#[test]
fn an_end_that_spares_what_was_written_meanwhile_is_found() {
    finds(an_end_among_writes, Fault::EndSparesTheRenewed);
}

#[test]
fn a_limit_that_counts_what_is_replaced_is_found() {
    finds(a_sign_in_that_replaces, Fault::LimitCountsTheReplaced);
}

#[test]
fn a_sign_in_that_is_served_though_it_raced_is_found() {
    finds(sign_ins_that_are_refused, Fault::RacedIsServed);
}

#[test]
fn a_withdrawn_sign_in_that_stays_is_found() {
    finds(sign_ins_that_are_refused, Fault::RacedStays);
}

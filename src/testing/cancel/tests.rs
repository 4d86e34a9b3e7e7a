use core::future::pending;
use core::pin::pin;
use core::task::{Context, Waker};
use core::time::Duration;
use std::time::Instant;

use super::super::block::block_on;
use super::super::settings::Settings;
use super::*;
use crate::store::SessionStore;
use crate::store::memory::MemoryStore;

fn ready<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn done<T>(future: impl Future<Output = T>) -> T {
    block_on(future, || false).unwrap()
}

fn probe_of(held: &[Session], on_threads: bool) -> Probe {
    let store = MemoryStore::new();
    for session in held {
        done(store.create(session)).unwrap();
    }
    Probe::new(store, Settings::DEFAULT, on_threads)
}

#[test]
fn what_a_call_makes_of_a_session_is_what_the_contract_says() {
    let held = full(1);
    let id = held.id();
    let update = rewrite(&held, 1);
    let stale = rewrite(&with(&held, |parts| parts.version += 1), 1);
    let cases = [
        (Call::Create(full(2)), Some(held.clone()), Some(full(2))),
        (Call::List("anyone".into()), Some(held.clone()), None),
        (Call::Load(id), Some(held.clone()), None),
        (Call::Remove(id), None, None),
        (Call::RemoveAll("anyone".into(), None), None, None),
        (Call::RemoveAll("anyone".into(), Some(id)), Some(held.clone()), None),
        (Call::RemoveAll("anyone".into(), Some(full(2).id())), None, None),
        (Call::Sweep(at(902), 1), Some(held.clone()), None),
        (Call::Sweep(at(903), 1), None, None),
        (Call::Sweep(at(904), 1), None, None),
        (Call::Update(update), update.apply(&held), None),
        (Call::Update(stale), Some(held.clone()), None),
    ];
    for (call, of_it, of_none) in cases {
        assert_eq!(effect(&call, Some(&held)), of_it, "{}", name(&call));
        assert_eq!(effect(&call, None), of_none, "{}", name(&call));
    }
}

#[test]
fn a_session_that_a_dropped_call_left_torn_is_found_whichever_it_is() {
    let race = calls(10, 1);
    let is_right = |race: &Race, held: &[Session]| {
        done(settled(&probe_of(held, true), race, None)).is_ok_and(|after| after == held)
    };
    assert!(is_right(&race, &race.before));
    for torn in 0..3 {
        let mut held = race.before.clone();
        held[torn] = with(&held[torn], |parts| parts.generation = 99);
        assert!(!is_right(&race, &held), "{torn}");
    }
    let Call::Update(update) = &race.calls[0] else { panic!("an update") };
    let mut held = race.before.clone();
    held[1] = update.apply(&held[1]).unwrap();
    assert!(is_right(&race, &held));
    // What one call removes another session may not be missing for.
    let removes = calls(10, 2);
    for gone in 0..3 {
        let mut held = removes.before.clone();
        held.remove(gone);
        assert_eq!(is_right(&removes, &held), gone == 1, "{gone}");
    }
}

#[test]
fn a_session_that_is_not_as_it_was_seen_is_right_if_a_dropped_call_made_it_so() {
    let race = calls(10, 1);
    let Call::Update(update) = &race.calls[0] else { panic!("an update") };
    let made = update.apply(&race.before[1]).unwrap();
    let seen = [race.before[1].clone()];
    for (held, is_right) in [
        (seen[0].clone(), true),
        (made.clone(), true),
        (with(&made, |parts| parts.generation = 99), false),
        (with(&made, |parts| parts.version += 1), false),
    ] {
        let written = done(rewritten(&probe_of(&[held], true), &race, &seen));
        assert_eq!(written.is_ok(), is_right);
    }
    // One that was removed by it, and one by nobody.
    let removes = calls(10, 2);
    assert_eq!(done(rewritten(&probe_of(&[], true), &removes, &seen)).unwrap(), []);
    assert!(done(rewritten(&probe_of(&[], true), &race, &seen)).is_err());
}

#[test]
fn a_call_is_polled_as_often_as_said_and_not_once_more() {
    for times in [0, 1] {
        let polled = ready(polled(pin!(pending::<()>()), times));
        assert_eq!(polled, Poll::Ready(None), "{times}");
    }
    assert_eq!(ready(polled(pin!(async {}), 0)), Poll::Ready(None));
    assert_eq!(ready(polled(pin!(async {}), 1)), Poll::Ready(Some(())));
    assert_eq!(ready(polled(pin!(pending::<()>()), 2)), Poll::Pending);
}

#[test]
fn only_a_store_on_a_server_is_waited_for() {
    let race = calls(10, 1);
    let (here, server) = (probe_of(&race.before, true), probe_of(&race.before, false));
    assert!(ready(agreed(&here, &race)).is_ready());
    let started = Instant::now();
    assert!(done(agreed(&server, &race)).is_ok());
    assert!(started.elapsed() >= Duration::from_millis(20));
}

//! What was ended stays ended: late saves, other processes, crashes, new ids.

use std::sync::Arc;

use session_policy::ManualClock;

use super::common::{CAP, POLICY, Probe, asked_again, capped, created, record, secs};
use crate::adapter::{CappedStore, KEY};
use crate::tower_sessions::session::{Id, Record};
use crate::tower_sessions::{MemoryStore, Session, SessionStore};

const ENDED: &str = "the session has ended; it is not brought back";

/// The same store behind the adapter of another process.
fn other_process(probe: &Probe, clock: &ManualClock) -> CappedStore<Probe, ManualClock> {
    CappedStore::with_clock(probe.clone(), POLICY, clock.clone())
}

#[tokio::test]
async fn a_late_save_does_not_bring_back_a_session_that_was_signed_out() {
    let (store, probe, _) = capped();
    let store = Arc::new(store);
    let id = created(&*store).await.id;
    let request = Session::new(Some(id), Arc::clone(&store), None);
    assert_eq!(request.get("user").await.unwrap(), Some(42)); // Still running...
    let sign_out = Session::new(Some(id), Arc::clone(&store), None);
    sign_out.flush().await.unwrap();

    request.insert("cart", "book").await.unwrap();
    assert_eq!(request.save().await.unwrap_err().to_string(), ENDED);
    assert_eq!(store.load(&id).await.unwrap(), None);
    assert_eq!(probe.row(&id).await, None);
}

#[tokio::test]
async fn the_same_late_save_brings_it_back_in_the_plain_store() {
    let store = Arc::new(MemoryStore::default());
    let id = created(&*store).await.id;
    let request = Session::new(Some(id), Arc::clone(&store), None);
    assert_eq!(request.get("user").await.unwrap(), Some(42));
    Session::new(Some(id), Arc::clone(&store), None).flush().await.unwrap();
    request.insert("cart", "book").await.unwrap();
    request.save().await.unwrap();
    assert!(store.load(&id).await.unwrap().is_some(), "the gap is closed; drop the adapter");
}

#[tokio::test]
async fn a_save_that_another_processs_sign_out_overtakes_is_taken_back() {
    let (here, probe, clock) = capped();
    let there = other_process(&probe, &clock);
    let record = created(&here).await;
    clock.advance(secs(300));
    for stage in ["before", "after"] {
        let record = if stage == "before" { record.clone() } else { created(&here).await };
        clock.advance(secs(300));
        probe.close_gate();
        let save = tokio::spawn({
            let (here, record) = (here.clone(), asked_again(&record));
            async move { here.save(&record).await }
        });
        probe.until_one_waits().await;
        if stage == "after" {
            probe.pass();
            probe.until_one_waits().await;
        }
        probe.open_gate();
        there.delete(&record.id).await.unwrap();
        probe.pass();
        if stage == "before" {
            probe.until_one_waits().await;
            assert!(probe.row(&record.id).await.is_some(), "the store upserted it");
            for store in [&here, &there] {
                assert_eq!(store.load(&record.id).await.unwrap(), None, "but it is not served");
            }
            probe.pass();
        }
        assert_eq!(save.await.unwrap().unwrap_err().to_string(), ENDED, "{stage} the write");
        assert_eq!(probe.row(&record.id).await, None);
    }
}

#[tokio::test]
async fn a_save_that_dies_after_its_write_leaves_a_row_that_is_not_served() {
    let (here, probe, clock) = capped();
    let there = other_process(&probe, &clock);
    let record = created(&here).await;
    clock.advance(secs(300));
    probe.close_gate();
    let save = tokio::spawn({
        let (here, record) = (here.clone(), asked_again(&record));
        async move { here.save(&record).await }
    });
    probe.until_one_waits().await;
    probe.open_gate();
    there.delete(&record.id).await.unwrap();
    probe.pass();
    probe.until_one_waits().await;
    save.abort();
    assert!(save.await.unwrap_err().is_cancelled());

    assert!(probe.row(&record.id).await.is_some(), "resurrected in the wrapped store");
    for store in [&here, &there] {
        assert_eq!(store.load(&record.id).await.unwrap(), None);
        assert!(store.save(&asked_again(&record)).await.is_err());
    }
    // And until the cap, when the row itself ends.
    clock.advance(secs(1_799));
    assert_eq!(there.load(&record.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_tombstone_lasts_until_the_cap_and_is_no_session() {
    let (store, probe, _) = capped();
    let record = created(&store).await;
    let handle: Id = record.data[KEY]["handle"].as_str().unwrap().parse().unwrap();
    assert_ne!(handle, record.id);
    store.delete(&record.id).await.unwrap();
    let tombstone = probe.row(&handle).await.unwrap();
    let cap = &record.data[KEY]["lifetime"]["absolute_expires_at"];
    assert_eq!(tombstone.expiry_date.unix_timestamp(), cap.as_i64().unwrap());
    assert!(!tombstone.data.contains_key("user"));
    assert_eq!(store.load(&handle).await.unwrap(), None);
    assert!(store.save(&tombstone).await.is_err());
}

#[tokio::test]
async fn an_unknown_id_gets_neither_a_row_nor_a_tombstone() {
    let (store, probe, _) = capped();
    let unknown = record();
    assert_eq!(store.save(&unknown).await.unwrap_err().to_string(), ENDED);
    store.delete(&unknown.id).await.unwrap();
    assert_eq!(probe.row(&unknown.id).await, None);
    assert_eq!(probe.saves(), 0);
}

#[tokio::test]
async fn a_new_id_keeps_the_cap_and_ends_the_old_id() {
    let (store, _, clock) = capped();
    let store = Arc::new(store);
    let first = created(&*store).await;
    let mut id = first.id;
    for _ in 0..20 {
        clock.advance(secs(1_000));
        let session = Session::new(Some(id), Arc::clone(&store), None);
        session.cycle_id().await.unwrap();
        session.save().await.unwrap();
        session.cycle_id().await.unwrap(); // Again in the same request.
        session.save().await.unwrap();
        assert_eq!(store.load(&id).await.unwrap(), None);
        id = session.id().unwrap();
    }
    let last = store.load(&id).await.unwrap().unwrap();
    assert_eq!(last.data["user"], 42);
    for name in ["created_at", "absolute_expires_at"] {
        let instant = |of: &Record| of.data[KEY]["lifetime"][name].clone();
        assert_eq!(instant(&last), instant(&first));
    }
    clock.advance(secs(CAP - 20_000));
    assert_eq!(store.load(&id).await.unwrap(), None);
}

#[tokio::test]
async fn a_new_id_that_races_a_sign_out_is_refused() {
    let (store, _, _) = capped();
    let store = Arc::new(store);
    for sign_out_first in [true, false] {
        let id = created(&*store).await.id;
        let request = Session::new(Some(id), Arc::clone(&store), None);
        assert_eq!(request.get("user").await.unwrap(), Some(42));
        let sign_out = Session::new(Some(id), Arc::clone(&store), None);
        if sign_out_first {
            sign_out.flush().await.unwrap();
            request.cycle_id().await.unwrap();
        } else {
            request.cycle_id().await.unwrap();
            sign_out.flush().await.unwrap();
        }
        assert_eq!(request.save().await.unwrap_err().to_string(), ENDED);
    }
}

#[tokio::test]
async fn of_two_new_ids_at_once_one_wins() {
    let (store, _, _) = capped();
    let store = Arc::new(store);
    for first in [0, 1] {
        let before = created(&*store).await;
        let requests = [(); 2].map(|()| Session::new(Some(before.id), Arc::clone(&store), None));
        for request in &requests {
            assert_eq!(request.get("user").await.unwrap(), Some(42));
        }
        for request in &requests {
            request.cycle_id().await.unwrap();
        }
        let (loser, winner) = (&requests[first], &requests[1 - first]);
        for _ in 0..2 {
            // As a handler does, and then the layer around it.
            assert_eq!(loser.save().await.unwrap_err().to_string(), ENDED);
        }
        winner.save().await.unwrap();
        assert_eq!(loser.save().await.unwrap_err().to_string(), ENDED);
        let after = store.load(&winner.id().unwrap()).await.unwrap().unwrap();
        assert_eq!(after.data["user"], 42);
        let cap = |of: &Record| of.data[KEY]["lifetime"]["absolute_expires_at"].clone();
        assert_eq!(cap(&after), cap(&before));
    }
}

#[tokio::test]
async fn two_new_ids_at_once_do_not_undo_a_sign_out_among_them() {
    let (store, _, _) = capped();
    let store = Arc::new(store);
    for sign_out_at in 0..3 {
        let id = created(&*store).await.id;
        let requests = [(); 2].map(|()| Session::new(Some(id), Arc::clone(&store), None));
        for request in &requests {
            assert_eq!(request.get("user").await.unwrap(), Some(42));
        }
        for at in 0..3 {
            if at == sign_out_at {
                Session::new(Some(id), Arc::clone(&store), None).flush().await.unwrap();
            } else if let Some(request) = requests.get(at - usize::from(at > sign_out_at)) {
                request.cycle_id().await.unwrap();
            }
        }
        for request in requests.iter().chain(&requests) {
            assert_eq!(request.save().await.unwrap_err().to_string(), ENDED);
        }
    }
}

#[tokio::test]
async fn a_session_that_is_begun_after_a_flush_has_an_id_and_a_cap_of_its_own() {
    let (store, _, clock) = capped();
    let store = Arc::new(store);
    let before = created(&*store).await;
    clock.advance(secs(600));
    let session = Session::new(Some(before.id), Arc::clone(&store), None);
    assert_eq!(session.get("user").await.unwrap(), Some(42));
    session.flush().await.unwrap();
    session.insert("user", 43).await.unwrap();
    session.save().await.unwrap();
    let id = session.id().unwrap();
    assert_ne!(id, before.id);
    let after = store.load(&id).await.unwrap().expect("it lives");
    assert_eq!(after.data["user"], 43);
    let cap = |of: &Record| of.data[KEY]["lifetime"]["absolute_expires_at"].as_i64().unwrap();
    assert_eq!(cap(&after), cap(&before) + 600);
    assert_eq!(store.load(&before.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_record_that_claims_another_sessions_instants_is_not_created() {
    let (store, _, _) = capped();
    let alive = created(&store).await;
    let mut copied = record();
    copied.data.insert(KEY.into(), alive.data[KEY].clone());
    assert_eq!(store.create(&mut copied).await.unwrap_err().to_string(), ENDED);
    copied.data.insert(KEY.into(), 7.into());
    assert!(store.create(&mut copied).await.is_err());
}

#[tokio::test]
async fn a_hundred_saves_at_the_renewal_instant_write_once() {
    let (store, probe, clock) = capped();
    let record = created(&store).await;
    clock.advance(secs(300));
    let saves: Vec<_> = (0..100)
        .map(|_| {
            let (store, record) = (store.clone(), asked_again(&record));
            tokio::spawn(async move { store.save(&record).await })
        })
        .collect();
    for save in saves {
        save.await.unwrap().unwrap();
    }
    assert_eq!(probe.saves(), 1);
}

#[tokio::test]
async fn while_the_store_is_down_nobody_is_let_in_and_no_sign_out_is_believed() {
    let (store, probe, _) = capped();
    let record = created(&store).await;
    probe.fail(true);
    assert!(store.load(&record.id).await.is_err());
    assert!(store.save(&asked_again(&record)).await.is_err());
    assert!(store.delete(&record.id).await.is_err());
    probe.fail(false);
    assert!(store.load(&record.id).await.unwrap().is_some());
}

//! The idle limit, the cap and the throttle, to the second.

use session_policy::SessionPolicy;
use time::{Duration, OffsetDateTime};

use super::common::{CAP, POLICY, asked_again, capped, created, record, secs};
use crate::adapter::{CappedStore, KEY};
use crate::tower_sessions::session::Record;
use crate::tower_sessions::{MemoryStore, SessionStore};

fn instant(record: &Record, name: &str) -> i64 {
    record.data[KEY]["lifetime"][name].as_i64().unwrap()
}

#[tokio::test]
async fn an_idle_session_ends_at_the_second_of_its_limit() {
    let (store, _, clock) = capped();
    let record = created(&store).await;
    clock.advance(secs(1_799));
    assert_eq!(store.load(&record.id).await.unwrap(), Some(record.clone()));
    clock.advance(secs(1));
    assert_eq!(store.load(&record.id).await.unwrap(), None);
    assert!(store.save(&asked_again(&record)).await.is_err(), "nor does a save bring it back");
    clock.advance(secs(-1));
    assert!(store.load(&record.id).await.unwrap().is_some(), "the row is as it was");
}

#[tokio::test]
async fn constant_activity_ends_at_the_cap_and_costs_a_write_per_update_age() {
    let (store, probe, clock) = capped();
    let first = created(&store).await;
    let cap = instant(&first, "absolute_expires_at");
    for at in (60..CAP).step_by(60) {
        clock.advance(secs(60));
        let record = store.load(&first.id).await.unwrap().expect("active");
        assert!(record.expiry_date.unix_timestamp() <= cap, "at {at}");
        store.save(&asked_again(&record)).await.unwrap();
    }
    // At 300 s, 600 s, ... 27 000 s; the last one reaches the cap, and further
    // ones would gain nothing.
    assert_eq!(probe.saves(), 90);
    clock.advance(secs(59));
    assert!(store.load(&first.id).await.unwrap().is_some());
    clock.advance(secs(1));
    assert_eq!(store.load(&first.id).await.unwrap(), None);
}

#[tokio::test]
async fn changed_data_is_written_at_once_and_renews_only_when_due() {
    let (store, probe, clock) = capped();
    let mut record = created(&store).await;
    let start = instant(&record, "created_at");
    for (at, saves, renewed_at) in [(299, 1, 0), (300, 2, 300), (301, 3, 300)] {
        clock.set(session_policy::Timestamp::from_unix_secs(start + at));
        record.data.insert("page".into(), at.into());
        store.save(&asked_again(&record)).await.unwrap();
        let row = probe.row(&record.id).await.unwrap();
        assert_eq!(row.data["page"], at);
        assert_eq!(probe.saves(), saves);
        assert_eq!(instant(&row, "renewed_at") - start, renewed_at, "at {at}");
        assert_eq!(row.expiry_date.unix_timestamp(), start + renewed_at + 1_800);
        assert_eq!(instant(&row, "expires_at"), start + renewed_at + 1_800);
    }
}

#[tokio::test]
async fn a_tightened_policy_ends_live_sessions_and_a_loosened_one_moves_no_cap() {
    let (store, probe, clock) = capped();
    let record = created(&store).await;
    let hour = secs(3_600);
    let tight = SessionPolicy::new(hour, secs(60), hour).unwrap();
    let tight = CappedStore::with_clock(probe.clone(), tight, clock.clone());
    let loose = SessionPolicy::SLIDING_MONTH;
    let loose = CappedStore::with_clock(probe.clone(), loose, clock.clone());
    for minutes in (0..60).step_by(10) {
        assert!(tight.load(&record.id).await.unwrap().is_some(), "at {minutes} min");
        store.save(&asked_again(&record)).await.unwrap();
        clock.advance(secs(600));
    }
    assert_eq!(tight.load(&record.id).await.unwrap(), None);
    assert!(store.load(&record.id).await.unwrap().is_some());
    loose.save(&asked_again(&record)).await.unwrap();
    let renewed = loose.load(&record.id).await.unwrap().unwrap();
    assert_eq!(renewed.expiry_date.unix_timestamp(), instant(&record, "absolute_expires_at"));
}

#[tokio::test]
async fn the_application_may_ask_for_less_than_the_policy_and_never_for_more() {
    let (store, probe, clock) = capped();
    let start = session_policy::Clock::now(&clock).as_unix_secs();
    for (asked, got) in [(60, 60), (1_800, 1_800), (1_801, 1_800), (i64::MAX / 4, 1_800), (-5, 0)] {
        let mut record = record();
        let asked_for = Duration::seconds(asked);
        record.expiry_date = OffsetDateTime::now_utc().saturating_add(asked_for);
        store.create(&mut record).await.unwrap();
        assert_eq!(record.expiry_date.unix_timestamp() - start, got, "asked for {asked} s");
    }
    // Later on, too.
    let mut record = created(&store).await;
    record.expiry_date = OffsetDateTime::now_utc() + Duration::seconds(90);
    store.save(&record).await.unwrap();
    assert_eq!(probe.row(&record.id).await.unwrap().expiry_date.unix_timestamp() - start, 90);
    clock.advance(secs(90));
    assert_eq!(store.load(&record.id).await.unwrap(), None);
}

#[tokio::test]
async fn what_a_handler_writes_under_the_key_changes_nothing() {
    let (store, probe, clock) = capped();
    let record = created(&store).await;
    let forged = |lifetime: serde_json::Value| {
        let mut record = asked_again(&record);
        record.data.insert(KEY.into(), lifetime);
        record
    };
    let mut later = record.data[KEY].clone();
    for name in ["created_at", "renewed_at", "expires_at", "absolute_expires_at"] {
        later["lifetime"][name] = (instant(&record, name) + 86_400).into();
    }
    clock.advance(secs(1_000));
    for value in [later, "ended".into(), serde_json::Value::Null, 7.into()] {
        store.save(&forged(value.clone())).await.unwrap();
        let row = probe.row(&record.id).await.unwrap();
        for name in ["created_at", "absolute_expires_at"] {
            assert_eq!(instant(&row, name), instant(&record, name), "{value}");
        }
        assert_eq!(instant(&row, "renewed_at"), instant(&record, "created_at") + 1_000);
    }
    let mut removed = asked_again(&record);
    removed.data.remove(KEY);
    store.save(&removed).await.unwrap();
    assert!(probe.row(&record.id).await.unwrap().data.contains_key(KEY));
    assert_eq!(probe.saves(), 1, "only the renewal was written");
}

#[tokio::test]
async fn a_record_from_before_the_adapter_has_a_cap_from_its_first_load() {
    let (store, probe, clock) = capped();
    let mut old = record();
    old.expiry_date = OffsetDateTime::now_utc() + Duration::weeks(2);
    probe.put(&old).await;
    let adopted = store.load(&old.id).await.unwrap().expect("still signed in");
    let start = session_policy::Clock::now(&clock).as_unix_secs();
    assert_eq!(probe.row(&old.id).await.unwrap(), adopted, "written down at once");
    assert_eq!(instant(&adopted, "absolute_expires_at"), start + CAP);
    assert_eq!(adopted.expiry_date.unix_timestamp(), start + 1_800);
    for _ in 1..CAP / 600 {
        clock.advance(secs(600));
        let record = store.load(&old.id).await.unwrap().expect("active");
        store.save(&asked_again(&record)).await.unwrap();
    }
    clock.advance(secs(600));
    assert_eq!(store.load(&old.id).await.unwrap(), None);

    let mut ending = record();
    ending.expiry_date = OffsetDateTime::now_utc() + Duration::seconds(60);
    probe.put(&ending).await;
    let adopted = store.load(&ending.id).await.unwrap().expect("still signed in");
    assert_eq!(adopted.expiry_date.unix_timestamp(), start + CAP + 60, "no later than before");
}

#[tokio::test]
async fn a_record_whose_instants_are_unreadable_is_refused_and_can_be_signed_out() {
    let (store, probe, _) = capped();
    let mut broken = record();
    broken.data.insert(KEY.into(), "9999-12-31".into());
    probe.put(&broken).await;
    let error = store.load(&broken.id).await.unwrap_err().to_string();
    assert!(error.contains("`session_policy` in the record's data"), "{error}");
    assert!(store.save(&broken).await.is_err());
    store.delete(&broken.id).await.unwrap();
    assert_eq!(store.load(&broken.id).await.unwrap(), None);
}

#[tokio::test]
async fn the_same_without_a_policy_slides_for_ever() {
    // The gap that the adapter closes: nothing in the plain store's record says
    // when the session began.
    let plain = MemoryStore::default();
    let mut record = record();
    plain.create(&mut record).await.unwrap();
    for days in 1..400 {
        record.expiry_date = OffsetDateTime::now_utc() + Duration::days(days);
        plain.save(&record).await.unwrap();
    }
    let slid = plain.load(&record.id).await.unwrap().unwrap();
    assert!(slid.expiry_date > OffsetDateTime::now_utc() + Duration::days(398));
    assert_eq!(POLICY.absolute_cap(), secs(CAP));
}

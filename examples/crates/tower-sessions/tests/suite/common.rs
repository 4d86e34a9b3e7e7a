//! A clock at the system's second, and a store that counts, waits and fails.
#![allow(dead_code, reason = "each test file uses its part of it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use chrono::TimeDelta;
use session_policy::{Clock, ManualClock, SessionPolicy, SystemClock};
use time::{Duration, OffsetDateTime};
use tokio::sync::Semaphore;

use crate::adapter::CappedStore;
use crate::tower_sessions::session::{Id, Record};
use crate::tower_sessions::session_store::{Error, Result};
use crate::tower_sessions::{MemoryStore, SessionStore};

/// 30 minutes idle, a renewal at most every 5 minutes, 8 hours in all.
pub(crate) const POLICY: SessionPolicy =
    match SessionPolicy::new(TimeDelta::minutes(30), TimeDelta::minutes(5), TimeDelta::hours(8)) {
        Ok(policy) => policy,
        Err(_) => panic!("contradictory policy"),
    };
pub(crate) const CAP: i64 = 8 * 3_600;

/// The memory store of tower-sessions, whose `save` upserts, with a gate before
/// and after each save.
#[derive(Clone, Debug)]
pub(crate) struct Probe(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: MemoryStore,
    saves: AtomicUsize,
    /// A save takes a permit before, and one after it has written.
    gate: Semaphore,
    waiting: Semaphore,
    gated: AtomicBool,
    fails: AtomicBool,
}

impl Probe {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner {
            store: MemoryStore::default(),
            saves: AtomicUsize::new(0),
            gate: Semaphore::new(0),
            waiting: Semaphore::new(0),
            gated: AtomicBool::new(false),
            fails: AtomicBool::new(false),
        }))
    }

    pub(crate) fn saves(&self) -> usize {
        self.0.saves.load(Ordering::SeqCst)
    }

    pub(crate) fn fail(&self, fails: bool) {
        self.0.fails.store(fails, Ordering::SeqCst);
    }

    /// From now on saves wait at the gate.
    pub(crate) fn close_gate(&self) {
        self.0.gated.store(true, Ordering::SeqCst);
    }

    /// Later saves pass; one that waits goes on at `pass`.
    pub(crate) fn open_gate(&self) {
        self.0.gated.store(false, Ordering::SeqCst);
    }

    /// Returns once a save stands at the gate.
    pub(crate) async fn until_one_waits(&self) {
        self.0.waiting.acquire().await.unwrap().forget();
    }

    pub(crate) fn pass(&self) {
        self.0.gate.add_permits(1);
    }

    /// The row as the wrapped store holds it.
    pub(crate) async fn row(&self, id: &Id) -> Option<Record> {
        self.0.store.load(id).await.unwrap()
    }

    /// Writes past the adapter.
    pub(crate) async fn put(&self, record: &Record) {
        self.0.store.save(record).await.unwrap();
    }

    async fn wait(&self) {
        self.0.waiting.add_permits(1);
        self.0.gate.acquire().await.unwrap().forget();
    }

    fn up(&self) -> Result<()> {
        let fails = self.0.fails.load(Ordering::SeqCst);
        if fails { Err(Error::Backend("down".into())) } else { Ok(()) }
    }
}

#[async_trait]
impl SessionStore for Probe {
    async fn create(&self, record: &mut Record) -> Result<()> {
        self.up()?;
        self.0.store.create(record).await
    }

    async fn save(&self, record: &Record) -> Result<()> {
        self.up()?;
        let gated = self.0.gated.load(Ordering::SeqCst);
        if gated {
            self.wait().await;
        }
        self.0.saves.fetch_add(1, Ordering::SeqCst);
        self.0.store.save(record).await?;
        if gated {
            self.wait().await;
        }
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        self.up()?;
        let loaded = self.0.store.load(id).await;
        // As over a network: others run before the answer is here.
        tokio::task::yield_now().await;
        loaded
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.up()?;
        self.0.store.delete(id).await
    }
}

pub(crate) type Capped = CappedStore<Probe, ManualClock>;

/// An empty store under [`POLICY`], at the system's second: the wrapped store
/// hides what has expired by the system's clock.
pub(crate) fn capped() -> (Capped, Probe, ManualClock) {
    let (probe, clock) = (Probe::new(), ManualClock::new(SystemClock.now()));
    (CappedStore::with_clock(probe.clone(), POLICY, clock.clone()), probe, clock)
}

pub(crate) fn secs(secs: i64) -> TimeDelta {
    TimeDelta::seconds(secs)
}

/// A record as tower-sessions makes it under `Expiry::OnInactivity(1 week)`.
pub(crate) fn record() -> Record {
    Record {
        id: Id::default(),
        data: [("user".into(), 42.into())].into(),
        expiry_date: OffsetDateTime::now_utc() + Duration::weeks(1),
    }
}

pub(crate) async fn created(store: &impl SessionStore) -> Record {
    let mut record = record();
    store.create(&mut record).await.unwrap();
    record
}

/// `record` as tower-sessions hands it to `save`.
pub(crate) fn asked_again(record: &Record) -> Record {
    Record { expiry_date: self::record().expiry_date, ..record.clone() }
}

use std::sync::{Arc, Mutex as SyncMutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde_json::Value;
use session_policy::{Clock, Decision, Lifetime, SessionPolicy, SystemClock, Timestamp};
use time::OffsetDateTime;
use tokio::sync::Mutex;

use super::CappedLayer;
use super::ended::Ended;
use super::stamp::{KEY, Stamp, tombstone_id};
use super::tower_sessions::session::{Id, Record};
use super::tower_sessions::session_store::{Error, ExpiredDeletion, Result};
use super::tower_sessions::{Expiry, SessionStore};

/// Saves of one session take turns; so do those that share a lane.
const LANES: usize = 256;
/// What a tombstone has under [`KEY`].
const TOMBSTONE: &str = "ended";

/// A tower-sessions store under a policy: its sessions end at the idle limit and
/// at the cap, and a deleted session is not recreated. Clones share the store.
///
/// See the [crate] for what is guaranteed and what is not.
#[derive(Debug)]
pub struct CappedStore<S, C = SystemClock>(Arc<Shared<S, C>>);

#[derive(Debug)]
struct Shared<S, C> {
    store: S,
    policy: SessionPolicy,
    clock: C,
    ended: SyncMutex<Ended>,
    lanes: [Mutex<()>; LANES],
}

impl<S> CappedStore<S> {
    /// `store` under `policy`, by the system's clock.
    #[must_use]
    pub fn new(store: S, policy: SessionPolicy) -> Self {
        Self::with_clock(store, policy, SystemClock)
    }
}

impl<S, C> CappedStore<S, C> {
    /// `store` under `policy`, by another clock.
    #[must_use]
    pub fn with_clock(store: S, policy: SessionPolicy, clock: C) -> Self {
        let lanes = std::array::from_fn(|_| Mutex::new(()));
        Self(Arc::new(Shared { store, policy, clock, ended: SyncMutex::default(), lanes }))
    }

    /// The expiry for `SessionManagerLayer::with_expiry`, so that a cookie has a
    /// `Max-Age` at all.
    #[must_use]
    pub fn expiry(&self) -> Expiry {
        Expiry::OnInactivity(time::Duration::seconds(self.0.policy.max_age().num_seconds()))
    }

    fn ended(&self) -> MutexGuard<'_, Ended> {
        // No code panics while it holds the lock.
        self.0.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S, C: Clock + Clone> CappedStore<S, C> {
    /// The layer for the routes whose requests count as activity, inside of the
    /// `SessionManagerLayer` (added before it).
    #[must_use]
    pub fn layer(&self) -> CappedLayer<C> {
        CappedLayer::new(self.0.policy, self.0.clock.clone())
    }
}

impl<S: SessionStore, C: Clock> CappedStore<S, C> {
    /// The row that is held and not ended, and its lifetime, not judged.
    async fn held(&self, id: &Id) -> Result<Option<(Record, Lifetime)>> {
        let tombstone_id = tombstone_id(id);
        let reads = tokio::try_join!(self.0.store.load(id), self.0.store.load(&tombstone_id))?;
        let (Some(row), None) = reads else {
            return Ok(None);
        };
        if is_tombstone(&row) {
            return Ok(None);
        }
        let lifetime = self.lifetime_of(&row)?;
        Ok(Some((row, lifetime)))
    }

    fn lifetime_of(&self, row: &Record) -> Result<Lifetime> {
        // A row from before the adapter does not say when its session began.
        let stamp = Stamp::of(row)?;
        Ok(stamp.map_or_else(|| self.0.policy.start(self.0.clock.now()), |stamp| stamp.lifetime))
    }

    /// The lifetime after a write at `now`, or an error if it has ended.
    fn renewed(&self, lifetime: Lifetime, now: Timestamp) -> Result<Lifetime> {
        match self.0.policy.evaluate(&lifetime, now) {
            Decision::Keep { .. } => Ok(lifetime),
            Decision::Reject { reason, .. } => Err(Error::Backend(reason.to_string())),
            Decision::Renew { lifetime: renewed } => {
                let end = self.0.policy.status(&lifetime, now).idle_expires_at;
                Ok(if renewed.expires_at() > end { renewed } else { lifetime })
            }
        }
    }

    /// `lifetime` with the end that the application asks for, as far as the
    /// policy lets it: until `max_age` after the last renewal, and the cap.
    fn ending(
        &self,
        lifetime: Lifetime,
        now: Timestamp,
        asked: OffsetDateTime,
    ) -> Result<Lifetime> {
        // tower-sessions reckons from the system's clock, so only the distance is
        // taken from it.
        let distance = asked - OffsetDateTime::now_utc();
        let seconds = distance.whole_seconds() + i64::from(distance.subsec_nanoseconds() > 0);
        let asked = Timestamp::from_unix_secs(now.as_unix_secs().saturating_add(seconds));
        let slid = lifetime.renewed_at().saturating_add(self.0.policy.max_age());
        let end = asked.min(slid).min(lifetime.absolute_expires_at()).max(lifetime.renewed_at());
        let (created_at, renewed_at) = (lifetime.created_at(), lifetime.renewed_at());
        Lifetime::restore(created_at, renewed_at, end, lifetime.absolute_expires_at())
            .map_err(|error| Error::Encode(error.to_string()))
    }

    /// Puts the instants into `record`, and its end by today's policy.
    fn stamp(&self, record: &mut Record, lifetime: Lifetime, now: Timestamp) -> Result<()> {
        Stamp::new(&record.id, lifetime).put(record)?;
        record.expiry_date = date(self.0.policy.status(&lifetime, now).idle_expires_at);
        Ok(())
    }
}

#[async_trait]
impl<S, C> SessionStore for CappedStore<S, C>
where
    S: SessionStore,
    C: Clock + std::fmt::Debug + 'static,
{
    async fn create(&self, record: &mut Record) -> Result<()> {
        let now = self.0.clock.now();
        let lifetime = match Stamp::of(record)? {
            None => {
                // After a `flush` it still has the id of the session that was ended.
                record.id = Id::default();
                self.0.policy.start(now)
            }
            Some(stamp) => {
                let kept = self.ended().take(stamp.handle, record.id);
                self.renewed(kept.ok_or_else(ended_meanwhile)?, now)?
            }
        };
        let lifetime = self.ending(lifetime, now, record.expiry_date)?;
        self.stamp(record, lifetime, now)?;
        self.0.store.create(record).await?;
        // The store may have changed the id.
        Stamp::new(&record.id, lifetime).put(record)
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let _turn = self.0.lanes[lane(&record.id)].lock().await;
        let (row, held) = self.held(&record.id).await?.ok_or_else(ended_meanwhile)?;
        let now = self.0.clock.now();
        let lifetime = self.ending(self.renewed(held, now)?, now, record.expiry_date)?;
        let is_stamped = row.data.contains_key(KEY);
        if is_stamped && lifetime == held && same_data(record, &row) {
            return Ok(());
        }
        let mut record = record.clone();
        self.stamp(&mut record, lifetime, now)?;
        self.0.store.save(&record).await?;
        if self.0.store.load(&tombstone_id(&record.id)).await?.is_some() {
            self.0.store.delete(&record.id).await?;
            return Err(ended_meanwhile());
        }
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let mut held = self.held(id).await?;
        if let Some((row, _)) = &held
            && !row.data.contains_key(KEY)
        {
            // Adopted at its first sight, which is when its cap begins.
            self.save(row).await?;
            held = self.held(id).await?;
        }
        let Some((mut row, lifetime)) = held else {
            return Ok(None);
        };
        let now = self.0.clock.now();
        if !self.0.policy.peek(&lifetime, now).is_served() {
            return Ok(None);
        }
        self.stamp(&mut row, lifetime, now)?;
        Ok(Some(row))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        let _turn = self.0.lanes[lane(id)].lock().await;
        let lifetime = match self.held(id).await {
            Ok(Some((_, lifetime))) => lifetime,
            Ok(None) => {
                self.ended().delete_again(tombstone_id(id));
                return self.0.store.delete(id).await;
            }
            // An unreadable record is never served, but it can be signed out.
            Err(Error::Decode(_)) => self.0.policy.start(self.0.clock.now()),
            Err(error) => return Err(error),
        };
        let tombstone = tombstone(id, lifetime.absolute_expires_at());
        self.0.store.save(&tombstone).await?;
        self.0.store.delete(id).await?;
        self.ended().remember(tombstone.id, lifetime);
        Ok(())
    }
}

#[async_trait]
impl<S, C> ExpiredDeletion for CappedStore<S, C>
where
    S: ExpiredDeletion,
    C: Clock + std::fmt::Debug + 'static,
{
    async fn delete_expired(&self) -> Result<()> {
        self.0.store.delete_expired().await
    }
}

impl<S, C> Clone for CappedStore<S, C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

fn ended_meanwhile() -> Error {
    Error::Backend("the session has ended; it is not brought back".into())
}

/// Whether the application's own data is the same.
fn same_data(record: &Record, row: &Record) -> bool {
    let own = |record: &Record| record.data.keys().filter(|key| *key != KEY).count();
    let in_row = |(key, value): (&String, &Value)| key == KEY || row.data.get(key) == Some(value);
    own(record) == own(row) && record.data.iter().all(in_row)
}

fn tombstone(id: &Id, until: Timestamp) -> Record {
    let data = [(KEY.into(), TOMBSTONE.into())].into();
    Record { id: tombstone_id(id), data, expiry_date: date(until) }
}

fn is_tombstone(row: &Record) -> bool {
    row.data.get(KEY).is_some_and(|value| value == TOMBSTONE)
}

fn lane(id: &Id) -> usize {
    usize::from(id.0.to_le_bytes()[0]) % LANES
}

fn date(timestamp: Timestamp) -> OffsetDateTime {
    // A date that `time` does not know lies beyond the year 9999.
    OffsetDateTime::from_unix_timestamp(timestamp.as_unix_secs())
        .unwrap_or(time::PrimitiveDateTime::MAX.assume_utc())
}

use std::collections::HashSet;

use redis::Value;
use redis::aio::ConnectionLike;
use session_policy::SessionId;
use session_policy::store::{Cursor, Page, ScanStore, StoreError};

use crate::layout::{Note, SHARDS};
use crate::store::RedisStore;
use crate::verbs::BATCH;

/// Where a scan is: in which part of the index by expiry, and where the engine is in
/// it.
#[derive(Clone, Copy)]
struct Place {
    shard: u8,
    cursor: u64,
}

impl Place {
    fn read(cursor: &Cursor) -> Result<Self, StoreError> {
        match cursor.as_bytes().split_first() {
            Some((&shard, rest)) if shard < SHARDS => {
                let cursor = rest.try_into().map(u64::from_be_bytes);
                Ok(Self { shard, cursor: cursor.map_err(StoreError::corrupt)? })
            }
            _ => Err(StoreError::corrupt("a cursor of another store")),
        }
    }

    fn cursor(self) -> Cursor {
        Cursor::from_bytes([&[self.shard][..], &self.cursor.to_be_bytes()].concat())
    }

    /// `None` after the last part.
    fn after(self, cursor: u64) -> Option<Self> {
        match cursor {
            0 => (self.shard + 1 < SHARDS).then_some(Self { shard: self.shard + 1, cursor: 0 }),
            _ => Some(Self { cursor, ..self }),
        }
    }
}

/// By `ZSCAN` through the index by expiry. A cursor is good on the engine that gave it,
/// until that restarts or a replica takes its place: begin anew after that.
impl<C: ConnectionLike + Clone + Send + Sync + 'static> ScanStore for RedisStore<C> {
    async fn scan(&self, from: Option<&Cursor>, limit: u32) -> Result<Page, StoreError> {
        let limit = limit.max(1) as usize;
        let mut place = from.map_or(Ok(Place { shard: 0, cursor: 0 }), Place::read)?;
        let mut sessions = Vec::new();
        loop {
            let (cursor, notes) = self.notes_at(place, (limit - sessions.len()).min(BATCH)).await?;
            let ids: HashSet<SessionId> = notes.iter().map(|note| note.id).collect();
            sessions.extend(self.load_all(ids).await?);
            let Some(next) = place.after(cursor) else {
                return Ok(Page { sessions, next: None });
            };
            if sessions.len() >= limit {
                return Ok(Page { sessions, next: Some(next.cursor()) });
            }
            place = next;
        }
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> RedisStore<C> {
    async fn notes_at(&self, place: Place, count: usize) -> Result<(u64, Vec<Note>), StoreError> {
        let mut command = redis::cmd("ZSCAN");
        command.arg(self.keys.expiry(place.shard)).arg(place.cursor).arg("COUNT").arg(count);
        let (cursor, scored): (u64, Vec<(String, Value)>) = self.query(&command).await?;
        let notes = scored.iter().map(|(note, _)| note.parse()).collect::<Result<_, _>>()?;
        Ok((cursor, notes))
    }
}

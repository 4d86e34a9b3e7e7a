use std::vec::Vec;

use super::super::contract::{ScanStore, StoreError};
use super::super::scan::{Cursor, Page};
use super::super::yielding::yield_now;
use super::MemoryStore;
use super::shards::{SHARDS, shard};
use crate::record::SessionId;

/// Shard by shard, and in each by id, which no update moves.
impl ScanStore for MemoryStore {
    async fn scan(&self, from: Option<&Cursor>, limit: u32) -> Result<Page, StoreError> {
        let last = from.map(|from| from.as_bytes().try_into().map(SessionId::from_bytes));
        let mut last = last.transpose().map_err(StoreError::corrupt)?;
        let limit = limit.max(1) as usize;
        let mut sessions = Vec::new();
        for at in last.map_or(0, shard)..SHARDS {
            let mut ids: Vec<_> = self.sessions.read(at).keys().map(|held| held.0.id()).collect();
            if let Some(last) = last.filter(|last| shard(*last) == at) {
                ids.retain(|id| last < *id);
            }
            let room = limit.saturating_sub(sessions.len());
            let goes_on = room < ids.len();
            if goes_on {
                ids.select_nth_unstable(room);
                ids.truncate(room);
            }
            last = ids.iter().copied().max().or(last);
            sessions.extend(ids.into_iter().filter_map(|id| self.get(id)));
            if goes_on {
                let next = last.map(|last| Cursor::from_bytes(*last.as_bytes()));
                return Ok(Page { sessions, next });
            }
            yield_now().await;
        }
        Ok(Page { sessions, next: None })
    }
}

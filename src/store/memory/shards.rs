//! A map in many parts, each behind a lock of its own.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::vec::Vec;

use crate::record::SessionId;

/// Many, so that few requests meet at one, and that none of them takes long to
/// grow. A power of two, at most 256.
pub(super) const SHARDS: usize = 128;

pub(super) struct Shards<K, V, H>(Vec<Shard<K, V, H>>);

/// On a cache line of its own, so that two that are used at once do not disturb each
/// other.
#[repr(align(64))]
struct Shard<K, V, H>(RwLock<HashMap<K, V, H>>);

impl<K: Eq + Hash, V, H: BuildHasher + Clone> Shards<K, V, H> {
    pub(super) fn new(hasher: &H) -> Self {
        let shard = || Shard(RwLock::new(HashMap::with_hasher(hasher.clone())));
        Self((0..SHARDS).map(|_| shard()).collect())
    }

    /// No code panics while it holds the lock.
    pub(super) fn read(&self, shard: usize) -> RwLockReadGuard<'_, HashMap<K, V, H>> {
        self.0[shard % SHARDS].0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self, shard: usize) -> RwLockWriteGuard<'_, HashMap<K, V, H>> {
        self.0[shard % SHARDS].0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ids are random, in their last byte, too.
#[inline]
pub(super) fn shard(id: SessionId) -> usize {
    let [.., last] = *id.as_bytes();
    usize::from(last) % SHARDS
}

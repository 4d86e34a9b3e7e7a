//! What `MemoryStore` takes from std and DashMap, on shuttle's locks.

pub(crate) mod sync {
    pub(crate) use shuttle::sync::{Mutex, MutexGuard, atomic};
    pub(crate) use std::sync::{Arc, PoisonError};
}

pub(crate) mod collections {
    pub(crate) use std::collections::BTreeSet;
    use std::hash::RandomState;
    use std::marker::PhantomData;

    /// A set whose order does not change from run to run.
    #[derive(Clone, Debug)]
    pub(crate) struct HashSet<T, S = RandomState>(BTreeSet<T>, PhantomData<S>);

    impl<T: Ord, S> HashSet<T, S> {
        pub(crate) fn with_hasher(_: S) -> Self {
            Self::default()
        }

        pub(crate) fn insert(&mut self, element: T) -> bool {
            self.0.insert(element)
        }

        pub(crate) fn remove(&mut self, element: &T) -> bool {
            self.0.remove(element)
        }

        pub(crate) fn is_empty(&self) -> bool {
            self.0.is_empty()
        }

        pub(crate) fn iter(&self) -> std::collections::btree_set::Iter<'_, T> {
            self.0.iter()
        }
    }

    impl<T, S> Default for HashSet<T, S> {
        fn default() -> Self {
            Self(BTreeSet::new(), PhantomData)
        }
    }

    impl<T: Ord, S> Extend<T> for HashSet<T, S> {
        fn extend<I: IntoIterator<Item = T>>(&mut self, elements: I) {
            self.0.extend(elements);
        }
    }
}

/// DashMap as its documentation has it: shards, each a map behind a read-write
/// lock, which a reference or an entry holds for as long as it lives.
pub(crate) mod dashmap {
    use std::borrow::Borrow;
    use std::hash::{DefaultHasher, Hash, Hasher, RandomState};
    use std::marker::PhantomData;
    use std::ops::{Deref, DerefMut};
    use std::sync::PoisonError;
    use std::vec::Vec;

    use shuttle::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

    /// Two, so that keys do and do not meet at one.
    const SHARDS: usize = 2;

    type Shard<K, V> = Vec<(K, V)>;

    pub(crate) struct DashMap<K, V, S = RandomState> {
        shards: [RwLock<Shard<K, V>>; SHARDS],
        hasher: PhantomData<S>,
    }

    impl<K: Eq + Hash, V> DashMap<K, V> {
        pub(crate) fn new() -> Self {
            Self::empty()
        }
    }

    impl<K: Eq + Hash, V, S> DashMap<K, V, S> {
        pub(crate) fn with_hasher(_: S) -> Self {
            Self::empty()
        }

        pub(crate) fn with_hasher_and_shard_amount(_: S, _: usize) -> Self {
            Self::empty()
        }

        fn empty() -> Self {
            Self { shards: [const { Vec::new() }; SHARDS].map(RwLock::new), hasher: PhantomData }
        }

        pub(crate) fn len(&self) -> usize {
            self.shards.iter().map(|shard| read(shard).len()).sum()
        }

        pub(crate) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<Ref<'_, K, V>>
        where
            K: Borrow<Q>,
        {
            let shard = read(self.shard(key));
            let place = find(&shard, key)?;
            Some(Ref { shard, place })
        }

        pub(crate) fn get_mut<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<RefMut<'_, K, V>>
        where
            K: Borrow<Q>,
        {
            let shard = write(self.shard(key));
            let place = find(&shard, key)?;
            Some(RefMut { shard, place })
        }

        pub(crate) fn entry(&self, key: K) -> Entry<'_, K, V> {
            let shard = write(self.shard(&key));
            match find(&shard, &key) {
                Some(place) => Entry::Occupied(OccupiedEntry { shard, place }),
                None => Entry::Vacant(VacantEntry { shard, key }),
            }
        }

        fn shard<Q: Hash + ?Sized>(&self, key: &Q) -> &RwLock<Shard<K, V>> {
            let mut hasher = DefaultHasher::new();
            key.hash(&mut hasher);
            &self.shards[(hasher.finish() % SHARDS as u64) as usize]
        }
    }

    fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
        lock.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
        lock.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn find<K: Borrow<Q>, V, Q: Eq + ?Sized>(shard: &Shard<K, V>, key: &Q) -> Option<usize> {
        shard.iter().position(|(held, _)| held.borrow() == key)
    }

    pub(crate) struct Ref<'a, K, V> {
        shard: RwLockReadGuard<'a, Shard<K, V>>,
        place: usize,
    }

    impl<K, V> Deref for Ref<'_, K, V> {
        type Target = V;

        fn deref(&self) -> &V {
            &self.shard[self.place].1
        }
    }

    pub(crate) struct RefMut<'a, K, V> {
        shard: RwLockWriteGuard<'a, Shard<K, V>>,
        place: usize,
    }

    impl<K, V> Deref for RefMut<'_, K, V> {
        type Target = V;

        fn deref(&self) -> &V {
            &self.shard[self.place].1
        }
    }

    impl<K, V> DerefMut for RefMut<'_, K, V> {
        fn deref_mut(&mut self) -> &mut V {
            &mut self.shard[self.place].1
        }
    }

    pub(crate) enum Entry<'a, K, V> {
        Occupied(OccupiedEntry<'a, K, V>),
        Vacant(VacantEntry<'a, K, V>),
    }

    impl<'a, K, V: Default> Entry<'a, K, V> {
        pub(crate) fn or_default(self) -> RefMut<'a, K, V> {
            match self {
                Self::Occupied(OccupiedEntry { shard, place }) => RefMut { shard, place },
                Self::Vacant(vacant) => vacant.insert(V::default()),
            }
        }
    }

    pub(crate) struct OccupiedEntry<'a, K, V> {
        shard: RwLockWriteGuard<'a, Shard<K, V>>,
        place: usize,
    }

    impl<K, V> OccupiedEntry<'_, K, V> {
        pub(crate) fn key(&self) -> &K {
            &self.shard[self.place].0
        }

        pub(crate) fn get(&self) -> &V {
            &self.shard[self.place].1
        }

        pub(crate) fn get_mut(&mut self) -> &mut V {
            &mut self.shard[self.place].1
        }

        pub(crate) fn remove(mut self) -> V {
            self.shard.swap_remove(self.place).1
        }
    }

    pub(crate) struct VacantEntry<'a, K, V> {
        shard: RwLockWriteGuard<'a, Shard<K, V>>,
        key: K,
    }

    impl<'a, K, V> VacantEntry<'a, K, V> {
        pub(crate) fn insert(self, value: V) -> RefMut<'a, K, V> {
            let Self { mut shard, key } = self;
            let place = shard.len();
            shard.push((key, value));
            RefMut { shard, place }
        }
    }
}

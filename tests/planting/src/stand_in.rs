//! What `MemoryStore` takes from std, on shuttle's locks and in an order that does not
//! change from run to run.

pub(crate) mod sync {
    pub(crate) use shuttle::sync::{
        Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic,
    };
    pub(crate) use std::sync::PoisonError;
}

pub(crate) mod hash {
    use std::hash::BuildHasherDefault;
    pub(crate) use std::hash::{BuildHasher, Hash};

    pub(crate) type RandomState = BuildHasherDefault<std::hash::DefaultHasher>;
}

pub(crate) mod collections {
    use std::collections::BTreeSet;
    use std::marker::PhantomData;

    /// A set in the order of its elements.
    #[derive(Clone, Debug)]
    pub(crate) struct HashSet<T, S>(BTreeSet<T>, PhantomData<S>);

    impl<T: Ord, S> HashSet<T, S> {
        pub(crate) fn with_hasher(_: S) -> Self {
            Self(BTreeSet::new(), PhantomData)
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

    impl<T: Ord, S> Extend<T> for HashSet<T, S> {
        fn extend<I: IntoIterator<Item = T>>(&mut self, elements: I) {
            self.0.extend(elements);
        }
    }
}

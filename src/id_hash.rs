//! The hash of a session's id, for a map in memory.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Hashes ids at a fifth of the cost of the standard hash: two keys of 64 random
/// bits and one multiplication.
///
/// An id that is looked up is the client's choice, but one that is held is not:
/// it is random, and no answer tells where in a map it lies. Subjects are chosen
/// by users, so their map keeps the standard hash.
#[derive(Clone)]
pub(crate) struct IdHash {
    keys: [u64; 2],
}

impl IdHash {
    /// With keys of its own, from the operating system's randomness.
    pub(crate) fn new() -> Self {
        let random = RandomState::new();
        Self { keys: [random.hash_one(0), random.hash_one(1)] }
    }
}

impl BuildHasher for IdHash {
    type Hasher = IdHasher;

    fn build_hasher(&self) -> IdHasher {
        IdHasher { keys: self.keys }
    }
}

pub(crate) struct IdHasher {
    keys: [u64; 2],
}

impl Hasher for IdHasher {
    /// Both halves of the product: the low bits of a product alone depend on the
    /// low bits of its factors only.
    #[inline]
    fn finish(&self) -> u64 {
        let [low, high] = self.keys;
        let product = u128::from(low) * u128::from(high);
        #[expect(clippy::cast_possible_truncation, reason = "one half each")]
        let folded = product as u64 ^ (product >> 64) as u64;
        folded
    }

    #[inline]
    fn write_u128(&mut self, id: u128) {
        #[expect(clippy::cast_possible_truncation, reason = "one half each")]
        let halves = [id as u64, (id >> 64) as u64];
        self.keys[0] ^= halves[0];
        self.keys[1] ^= halves[1];
    }

    /// What is no id: never for [`SessionId`](crate::SessionId), which is one
    /// `u128`.
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.keys[0] = self.finish() ^ u64::from(*byte);
        }
    }
}

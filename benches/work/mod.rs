//! The work that the benches measure, and the floors that it is held against.
#![allow(dead_code, unreachable_pub, reason = "each bench takes its part")]
#![allow(clippy::must_use_candidate, clippy::missing_panics_doc, reason = "no library")]

pub mod jwt;
pub mod rule;
pub mod store;

/// A generator for records: repeatable, and of no further quality.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next().to_le_bytes()[3])
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

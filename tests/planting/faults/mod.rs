//! The faults: those of the verbs, which tests/model finds, those of the rule, which
//! tests/proof finds, and those in `MemoryStore`, which tests/shuttle finds.

mod core;
mod memory;
mod rule;

pub(crate) use self::core::CORE;
pub(crate) use self::memory::MEMORY;
pub(crate) use self::rule::RULE;

/// A place in the source where it can be made to go wrong.
#[derive(Clone, Copy)]
pub(crate) struct Fault {
    /// The variant of the generated `Fault`.
    pub(crate) name: &'static str,
    /// Its file in `src`.
    pub(crate) file: &'static str,
    /// What stands there, once.
    pub(crate) found: &'static str,
    /// What is put in its place, where `PLANTED` is the switch.
    pub(crate) planted: &'static str,
}

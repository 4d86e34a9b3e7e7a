//! For tests: a conformance kit for stores, and proptest strategies.
//!
//! One call checks a store against the contract:
//!
//! ```
//! # #[cfg(feature = "memory")] {
//! use session_policy::MemoryStore;
//! use session_policy::testing::StoreKit;
//!
//! # pollster::block_on(async {
//! StoreKit::new().check(async || MemoryStore::new()).await.assert_passed();
//! # });
//! # }
//! ```

mod create;
mod fixture;
mod join;
mod kit;
mod load;
mod probe;
mod race;
mod remove;
mod report;
mod scale;
mod strategies;
mod subject;
mod sweep;
mod update;

pub use self::kit::StoreKit;
pub use self::report::{Check, Outcome, Report};
pub use self::strategies::{instants, instants_near, lifetimes, policies};

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
//!
//! Properties are tested with any policy and any record, and at instants near every limit:
//!
//! ```
//! use proptest::prelude::*;
//! use session_policy::testing::{instants, instants_near, lifetimes, policies};
//!
//! let cases = (policies(), lifetimes(), instants()).prop_flat_map(|(policy, lifetime, any)| {
//!     (Just(policy), Just(lifetime), prop_oneof![Just(any), instants_near(&policy, &lifetime)])
//! });
//! proptest!(|((policy, lifetime, now) in cases)| {
//!     let served = policy.evaluate(&lifetime, now).is_served();
//!     prop_assert!(!served || now < lifetime.absolute_expires_at());
//! });
//! ```

mod alike;
mod at_once;
mod balance;
mod block;
mod call;
mod cancel;
mod checks;
mod clock;
mod create;
mod crowd;
mod differ;
mod duel;
mod fields;
mod fixture;
mod guard;
mod kit;
mod load;
mod pace;
mod place;
mod probe;
mod race;
mod races;
mod remove;
mod report;
mod scale;
mod scan;
mod schedule;
mod sequence;
mod settings;
mod strategies;
mod subject;
mod sweep;
mod threads;
mod update;
mod watch;

pub use self::kit::StoreKit;
pub use self::report::{Check, Outcome, Report};
pub use self::strategies::{instants, instants_near, lifetimes, policies};

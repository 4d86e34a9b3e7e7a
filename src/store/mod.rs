//! Where sessions are kept: the contract of a store, what it is asked to write,
//! and SQL for those on a database.
//!
//! | you have | you use |
//! | --- | --- |
//! | one process, or tests | [`MemoryStore`](crate::MemoryStore) (feature `memory`) |
//! | a database or a cache | a companion crate, or [`SessionStore`] implemented for your client |
//! | an SQL database of another client library | the schema, statements and migration in [`sql`] |
//! | a store that is chosen at run time | [`AnyStore`] |
//!
//! `testing::StoreKit` (feature `testing`) checks an implementation against the
//! contract.

mod any;
mod contract;
#[cfg(feature = "memory")]
pub(crate) mod memory;
pub mod sql;
mod update;

pub use self::any::AnyStore;
pub use self::contract::{SessionStore, StoreError};
pub use self::update::Update;
pub use crate::record::{SecretHash, SessionParts};

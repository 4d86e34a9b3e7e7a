//! Where sessions are kept: the contract of a store, what it is asked to write,
//! and SQL for those on a database.
//!
//! | you have | you use |
//! | --- | --- |
//! | one process, or tests | [`MemoryStore`](crate::MemoryStore) (feature `memory`) |
//! | a database or a cache | a companion crate, or [`SessionStore`] implemented for your client |
//! | an SQL database of another client library | the schema, statements and migration in [`sql`] |
//! | a store that is chosen at run time | [`AnyStore`] |
//! | counts, exports, a sweep by today's policy | [`ScanStore`] |
//!
//! `testing::StoreKit` (feature `testing`) checks an implementation against the
//! contract.

mod any;
mod contract;
#[cfg(feature = "memory")]
pub(crate) mod memory;
mod scan;
pub mod sql;
mod update;
#[cfg(feature = "std")]
mod yielding;

pub use self::any::AnyStore;
pub use self::contract::{ScanStore, SessionStore, StoreError};
pub use self::scan::{Cursor, Page, Removed};
pub use self::update::Update;
#[cfg(feature = "std")]
pub(crate) use self::yielding::yield_now;
pub use crate::record::{SecretHash, SessionError, SessionParts};
pub use crate::rule::LifetimeError;

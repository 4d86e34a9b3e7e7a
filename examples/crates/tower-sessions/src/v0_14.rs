//! For tower-sessions 0.14, which axum-login 0.18 is on.
//!
//! ```
//! # use tower_sessions_0_14 as tower_sessions;
//! use axum::Router;
//! use session_policy::SessionPolicy;
//! use session_policy_tower_sessions::v0_14::CappedStore;
//! use tower_sessions::{MemoryStore, SessionManagerLayer};
//!
//! let store = CappedStore::new(MemoryStore::default(), SessionPolicy::WORKING_DAY);
//! let app: Router = Router::new()
//!     .layer(store.layer()) // renews, and gives the cookie its `Max-Age`
//!     .layer(SessionManagerLayer::new(store.clone()).with_expiry(store.expiry()));
//! ```

use tower_sessions_0_14 as tower_sessions;

#[path = "adapter/mod.rs"]
mod adapter;

pub use self::adapter::{Capped, CappedLayer, CappedStore, KEY};

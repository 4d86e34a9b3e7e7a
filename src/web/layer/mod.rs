//! The layer for axum, tonic, hyper and whatever else takes tower's services.

mod answer;
mod future;
mod request;
mod require;
mod service;

pub use self::answer::{Problem, Refuse};
pub use self::future::ResponseFuture;
#[cfg(feature = "axum")]
pub(super) use self::request::{Slot, presented, slot, with_head};
pub use self::require::{Require, RequireFuture, RequireService, require};
pub use self::service::{SessionLayer, SessionService};

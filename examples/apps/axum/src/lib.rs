//! An axum application whose sessions are enforced by session-policy.
//!
//! [`session`] is the integration: one middleware, one extractor, one cookie.
//! Everything else is the application: sign-in, a page that needs a session, the
//! user's devices, a change of password, an administrator's page, a countdown.

mod app;
mod log;
mod pages;
mod refusal;
mod routes;
mod server;
pub mod session;
mod store;
mod users;

pub use crate::app::{App, SetupError};
pub use crate::log::SessionLog;
pub use crate::refusal::Reason;
pub use crate::server::{Service, sweep};
pub use crate::store::{OpenError, open};
pub use crate::users::{DEMO_USERS, SHORTEST_PASSWORD, Users};

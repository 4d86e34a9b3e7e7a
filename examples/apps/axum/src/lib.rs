//! An axum application whose sessions are enforced by session-policy.
//!
//! `SessionLayer` goes around all routes, and a handler asks for what it needs: `Active`,
//! `Peeked`, `Fresh` or `Auth`. Everything else is the application: sign-in, a page that
//! needs a session, the user's devices, a change of password, an administrator's page, a
//! countdown that comes as an event stream.

mod app;
mod browser;
mod changes;
mod guesses;
mod log;
mod notice;
mod pages;
mod peer;
mod refusal;
mod routes;
mod server;
mod store;
mod users;

pub use crate::app::{App, SetupError};
pub use crate::log::SessionLog;
pub use crate::server::{Service, sweep};
pub use crate::store::{OpenError, Opened, open};
pub use crate::users::{DEMO_USERS, SHORTEST_PASSWORD, Users};

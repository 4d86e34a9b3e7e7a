//! A JSON API in actix-web, signed in by hybrid session tokens.
//!
//! [`session`] is the integration: one middleware and two extractors. Everything
//! else is the application.

pub mod api;
pub mod csrf;
pub mod problem;
pub mod server;
pub mod session;
pub mod users;

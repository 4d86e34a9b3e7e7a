//! A JSON API in actix-web, signed in by hybrid session tokens that travel as a cookie or
//! after `Bearer`.
//!
//! [`server`] puts the middleware of `session_policy_actix` around it; what a route asks
//! for is in [`api`].

pub mod api;
pub mod csrf;
pub mod problem;
pub mod server;
pub mod users;

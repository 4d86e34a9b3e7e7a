//! Sessions of [`session_policy`] in actix-web: a middleware, and arguments for handlers.
//!
//! What a handler asks for decides what happens.
//!
//! | argument | does |
//! | --- | --- |
//! | [`Active`] | authenticates; counts as activity; refuses without a session |
//! | [`Maybe<Active>`](Maybe) | the same, without refusing; the store away still does |
//! | [`Peeked`] | tells the session without extending it |
//! | [`Fresh<SECS>`](Fresh) | `Active`, and the sign-in is less than `SECS` seconds ago |
//! | [`Auth`] | the verbs: sign in, sign out, rotate, list, end |
//!
//! [`require`] is for a scope or a resource that nobody enters without a session. A refusal
//! is problem details (RFC 9457), or what [`SessionMiddleware::on_refusal`] makes of it.
//!
//! Opaque, hybrid and stateless sessions are used alike. Where tokens carry claims of the
//! application's, the arguments have their type: `Active<Roles>`.
//!
//! This crate only translates: [`session_policy::web`] decides. It has what else the
//! examples name: cookies, bearers, reasons.

mod argument;
mod auth;
mod future;
mod middleware;
mod refused;
mod request;
mod require;

pub use crate::argument::{Active, Fresh, Maybe, Peeked};
pub use crate::auth::Auth;
pub use crate::future::ResponseFuture;
pub use crate::middleware::{SessionMiddleware, SessionService};
pub use crate::refused::Refused;
pub use crate::require::{Require, RequireService, require};

/// Compiles the README's examples as doc tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;

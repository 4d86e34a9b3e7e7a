//! The same work by session-policy and by what a user would pick instead.
//!
//! A program of this package asks each [`App`] or [`Task`] for the same outcome
//! and stops if one gives another. `README.md` says which programs there are.

pub mod app;
pub mod jwt;
pub mod lookup;
pub mod on_actix;
pub mod on_axum;
pub mod record;
pub mod rule;
pub mod task;
pub mod traffic;

#[path = "../../../examples/apps/axum/src/log.rs"]
#[expect(missing_docs, reason = "it is private where it comes from")]
pub mod log;

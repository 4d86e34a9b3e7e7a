//! The application over a real socket.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod cookies;
mod csrf;
mod devices;
mod events;
mod guessing;
mod limits;
mod passwords;
mod problems;
mod races;
mod readme;
mod service;
mod store_away;
mod too_many;

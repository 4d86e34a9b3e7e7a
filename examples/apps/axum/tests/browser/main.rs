//! The pages in a real Chromium, by a clock that the test moves. The pages are
//! told every second here how long their session has, so that they notice a move at once.
//!
//! Needs `chromium` and `chromedriver`; where the latter is not in `PATH`, set
//! `CHROMEDRIVER`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod appearance;
mod driver;
mod forms;
mod limits;
mod lost;
mod sign_out;
mod tabs;
mod without_script;

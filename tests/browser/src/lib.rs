//! A real Chromium for the tests of the applications, and a proxy that loses answers on the
//! way to it. All of it panics where a test is to fail.
//!
//! Needs `chromium` and `chromedriver`; where the latter is not in `PATH`, set
//! `CHROMEDRIVER`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod chromium;
mod proxy;

pub use chromium::{Chromium, PATIENCE};
pub use proxy::Proxy;

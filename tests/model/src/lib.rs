//! Every interleaving of requests at the real sessions, within bounds; see
//! README.md.

#![allow(clippy::expect_used, reason = "the model fails by panicking")]

pub mod act;
pub mod bounds;
mod choices;
pub mod faulty;
pub mod laws;
pub mod limit;
pub mod model;
pub mod properties;
pub mod real;
pub mod rules;
pub mod run;
pub mod scope;
pub mod script;
pub mod store;
pub mod world;

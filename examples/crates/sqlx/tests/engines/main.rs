//! The stores on the real engines.
//!
//! An engine is found by `POSTGRES_URL` and `MARIADB_URL`, by default the
//! engine's usual port on 127.0.0.1; each test makes a database of its own there.
//! A test whose engine is absent says so and passes, unless
//! `SESSION_POLICY_REQUIRE_ENGINES` is 1. With `SESSION_POLICY_WHOLE_KIT=1` the kit is
//! run whole also where part of it is run elsewise, which takes a quarter of an hour.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that fails is to panic")]

mod conformance;
mod engine;
mod explain;
mod faults;
mod interrupted;
mod isolation;
mod kills;
mod large;
mod load;
mod locks;
mod migration;
mod modes;
mod pooler;
mod private;
mod rates;
mod read_only;
mod refused;
mod served;
mod sqlite_contract;
mod statements;
mod support;
mod sweep;

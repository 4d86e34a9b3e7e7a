//! The tests of the adapter on tower-sessions 0.15.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

use session_policy_tower_sessions::v0_15 as adapter;
use tower_sessions_0_15 as tower_sessions;

mod suite;

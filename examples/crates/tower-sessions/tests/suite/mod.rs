//! The tests of the adapter, once for each version of tower-sessions.

mod common;
mod cookie;
mod endings;
mod limits;
mod upstream;

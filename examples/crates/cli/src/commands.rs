//! One file per command: its arguments and its answer.

pub(crate) mod capacity;
pub(crate) mod check;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod help;
pub(crate) mod impact;
pub(crate) mod sample;
pub(crate) mod schema;
pub(crate) mod timeline;
pub(crate) mod why;

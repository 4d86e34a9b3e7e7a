//! Which fault is switched on.

use std::cell::Cell;
use std::thread_local;

// The enum of their names.
include!(concat!(env!("OUT_DIR"), "/fault.rs"));

thread_local! {
    static PLANTED: Cell<Option<Fault>> = const { Cell::new(None) };
}

/// Switches one fault on, on this thread, or all off.
pub fn plant(fault: Option<Fault>) {
    PLANTED.set(fault);
}

pub(crate) fn is_planted(fault: Fault) -> bool {
    PLANTED.get() == Some(fault)
}

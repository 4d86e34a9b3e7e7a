//! The crate's own source, in which faults can be switched on; see build.rs.

#![no_std]
#![allow(warnings, reason = "the source is linted where it belongs")]

mod fault {
    include!(concat!(env!("OUT_DIR"), "/fault.rs"));
}

pub use fault::{Fault, plant};

include!(concat!(env!("OUT_DIR"), "/src/lib.rs"));

//! The crate as it is.

use session_policy as subject;

pub use self::asked::{answer, is_lifetime, is_policy};

#[path = "asked.rs"]
mod asked;

/// The ends of its range of instants.
pub const RANGE: [i64; 2] =
    [subject::Timestamp::MIN.as_unix_secs(), subject::Timestamp::MAX.as_unix_secs()];

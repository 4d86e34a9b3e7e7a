//! The crate as it is.

use session_policy as subject;

#[path = "asked.rs"]
mod asked;

use crate::case::{Answer, Case, Record, Settings};

/// What the crate answers.
#[must_use]
pub fn answer(case: &Case) -> Answer {
    asked::answer(case)
}

/// The ends of its range of instants.
pub const RANGE: [i64; 2] =
    [subject::Timestamp::MIN.as_unix_secs(), subject::Timestamp::MAX.as_unix_secs()];

/// Whether it accepts these settings.
#[must_use]
pub fn is_policy(settings: Settings) -> bool {
    asked::policy(settings).is_some()
}

/// Whether it accepts these instants.
#[must_use]
pub fn is_lifetime(record: Record) -> bool {
    asked::lifetime(record).is_some()
}

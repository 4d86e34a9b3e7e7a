//! The crate with a fault in it.

use session_policy_planting as subject;
pub use session_policy_planting::{Fault, plant};

#[path = "asked.rs"]
#[expect(clippy::duplicate_mod, reason = "the same questions, to the types of another crate")]
mod asked;

use crate::case::{Answer, Case, Record, Settings};

/// What the crate answers with the fault that is planted on this thread.
#[must_use]
pub fn answer(case: &Case) -> Answer {
    asked::answer(case)
}

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

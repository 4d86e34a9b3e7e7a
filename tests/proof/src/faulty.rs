//! The crate with a fault in it: what it answers with the one that is planted on this thread.

use session_policy_planting as subject;
pub use session_policy_planting::{Fault, plant};

pub use self::asked::{answer, is_lifetime, is_policy};

#[path = "asked.rs"]
#[expect(clippy::duplicate_mod, reason = "the same questions, to the types of another crate")]
mod asked;

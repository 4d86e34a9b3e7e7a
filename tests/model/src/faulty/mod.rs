//! The crate with a fault in it.

pub(crate) use session_policy_planting as subject;
pub use session_policy_planting::Fault;

#[path = "../drive.rs"]
#[expect(clippy::duplicate_mod, reason = "the same driver, on the types of another crate")]
mod drive;
#[path = "../jwt.rs"]
#[expect(clippy::duplicate_mod, reason = "the same driver, on the types of another crate")]
mod jwt;
#[path = "../tape.rs"]
#[expect(clippy::duplicate_mod, reason = "the same driver, on the types of another crate")]
mod tape;

use crate::rules::Rules;
use crate::script::{Driver, Next, Row, Script, Write};

/// Drives it with a fault planted in its source, or with none, which
/// shows that the faults are switched.
#[derive(Clone, Copy, Debug)]
pub struct Faulty(pub Option<Fault>);

impl Driver for Faulty {
    fn play(&self, rules: Rules, script: &Script) -> Next {
        session_policy_planting::plant(self.0);
        drive::play(rules, script)
    }

    fn updated(&self, row: &Row, write: Write) -> Option<Row> {
        session_policy_planting::plant(self.0);
        drive::updated(row, write)
    }
}

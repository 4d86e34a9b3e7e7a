//! The crate as it is.

pub(crate) use session_policy as subject;

#[path = "../drive.rs"]
mod drive;
#[path = "../jwt.rs"]
mod jwt;
#[path = "../tape.rs"]
mod tape;

use crate::rules::Rules;
use crate::script::{Driver, Next, Row, Script, Write};

/// Drives it.
#[derive(Clone, Copy, Debug)]
pub struct Real;

impl Driver for Real {
    fn play(&self, rules: Rules, script: &Script) -> Next {
        drive::play(rules, script)
    }

    fn updated(&self, row: &Row, write: Write) -> Option<Row> {
        drive::updated(row, write)
    }
}

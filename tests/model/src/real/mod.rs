//! The crate as it is.

pub(crate) use session_policy as subject;

#[path = "../drive.rs"]
mod drive;
#[path = "../jwt.rs"]
mod jwt;
#[path = "../tape.rs"]
mod tape;

use crate::script::{Doors, Next, Row, Rules, Script, Write};

/// The front doors as they are.
#[derive(Clone, Copy, Debug)]
pub struct Real;

impl Doors for Real {
    fn play(&self, rules: Rules, script: &Script) -> Next {
        drive::play(rules, script)
    }

    fn renewed(&self, row: &Row, write: Write) -> Option<Row> {
        drive::renewed(row, write)
    }
}

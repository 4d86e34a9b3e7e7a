//! The cases that `vectors.py` wrote down, and what the proven arithmetic answers.

use crate::case::{Answer, Case};
use crate::oracle::{CENTURY, MAX, MIN};

const TEXT: &str = include_str!("../vectors");

/// Every one of them.
///
/// # Panics
///
/// If the file is not what `vectors.py` writes.
#[must_use]
pub fn vectors() -> Vec<(Case, Answer)> {
    let mut lines = TEXT.lines().skip(1);
    let bounds = format!("# MIN {MIN} MAX {MAX} CENTURY {CENTURY}");
    assert_eq!(lines.next(), Some(bounds.as_str()), "the bounds of the arithmetic");
    let columns = lines.next().expect("a line of names").split(' ').count();
    lines
        .map(|line| {
            let mut row = Row(line.split(' '));
            let vector = row.vector();
            assert_eq!((row.0.next(), line.split(' ').count()), (None, columns), "{line}");
            vector
        })
        .collect()
}

struct Row<'a>(core::str::Split<'a, char>);

impl Row<'_> {
    fn number(&mut self) -> Option<i64> {
        let text = self.0.next().expect("a column");
        (text != "-").then(|| text.parse().expect("a number"))
    }

    fn num(&mut self) -> i64 {
        self.number().expect("a number")
    }

    fn nums<const N: usize>(&mut self) -> [i64; N] {
        core::array::from_fn(|_| self.num())
    }

    /// In the order of the columns.
    fn vector(&mut self) -> (Case, Answer) {
        let case = Case {
            today: self.nums(),
            other: self.nums(),
            record: self.nums(),
            now: self.num(),
            ceiling: self.num(),
            onto: self.nums(),
            interval: self.num(),
            later: self.num(),
        };
        let answer = Answer {
            kind: self.num(),
            at: self.num(),
            then: self.nums(),
            peek: self.nums(),
            idle_expires_at: self.num(),
            absolute_expires_at: self.num(),
            extendable: self.num(),
            cookie: self.num(),
            started: self.nums(),
            adopted: self.nums(),
            met: self.nums(),
            scheduled: self.number(),
            applies: self.num(),
            applied: self.nums(),
            look: self.nums(),
        };
        (case, answer)
    }
}

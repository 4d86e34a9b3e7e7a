//! The compiled rule, held equal to the arithmetic of `arithmetic.py`, of which `rule.py`
//! proves the laws; see `tests/README.md`.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

pub mod case;
pub mod draw;
pub mod faulty;
pub mod oracle;
pub mod real;
pub mod vectors;

use crate::case::{Answer, Case};

/// What became of many cases.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many were asked.
    pub cases: u64,
    /// Of each kind of decision; see [`oracle`].
    pub kinds: [u64; 5],
    /// Of decisions at the second of a deadline or the one before it.
    pub on_the_edge: u64,
    /// The first case that was answered otherwise than by the arithmetic.
    pub differs: Option<String>,
}

/// Asks as many cases, and stops at the first that differs.
pub fn agree(seed: u64, cases: u64, asked: impl Fn(&Case) -> Answer) -> Report {
    let mut draw = draw::Draw::new(seed);
    let mut report = Report::default();
    while report.cases < cases && report.differs.is_none() {
        let case = draw.case();
        let right = oracle::answer(&case);
        let got = asked(&case);
        report.cases += 1;
        for (kind, count) in (0..).zip(&mut report.kinds) {
            *count += u64::from(kind == right.kind);
        }
        report.on_the_edge += u64::from((0..=1).contains(&(right.idle_expires_at - case.now)));
        report.differs = (got != right).then(|| difference(&case, &got, &right));
    }
    report
}

/// A case that was answered otherwise.
#[must_use]
pub fn difference(case: &Case, got: &Answer, right: &Answer) -> String {
    format!("{case:?}\nwas answered with  {got:?}\nand not with      {right:?}")
}

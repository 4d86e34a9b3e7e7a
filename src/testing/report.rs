use std::fmt;
use std::string::String;
use std::vec::Vec;

/// What a [`StoreKit`](super::StoreKit) found: each check by name, in the order
/// in which they ran. Prints as one line per check.
///
/// # Example
///
/// ```
/// # #[cfg(feature = "memory")] {
/// use session_policy::MemoryStore;
/// use session_policy::testing::{Outcome, StoreKit};
///
/// let kit = StoreKit::new().only("create never replaces a session");
/// let report = pollster::block_on(kit.check(async || MemoryStore::new()));
/// assert_eq!(report.checks()[0].outcome, Outcome::Passed);
/// assert_eq!(report.failed().count(), 0);
/// report.assert_passed();
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a report says nothing until it is asserted or printed"]
pub struct Report {
    checks: Vec<Check>,
}

/// One check of a report.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Check {
    /// What the store must do.
    pub name: &'static str,
    /// Whether it does.
    pub outcome: Outcome,
}

/// Whether the store passed a check.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The store did something else, panicked, or did not answer within the time limit.
    Failed {
        /// What was expected, and what was seen instead.
        why: String,
    },
    /// The store did as it must.
    Passed,
}

impl Report {
    /// All checks.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The checks that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.outcome != Outcome::Passed)
    }

    /// Panics with the report unless every check passed, and there was one.
    ///
    /// # Panics
    ///
    /// If a check failed; the message is the report, and has of each failed check what
    /// was expected and what was seen. If no check was run, since none has the name that was
    /// asked for.
    #[track_caller]
    pub fn assert_passed(&self) {
        assert!(!self.checks.is_empty(), "no check was run: `only` names none of this call's");
        assert!(self.failed().next().is_none(), "the store breaks its contract:\n{self}");
    }

    pub(super) const fn new() -> Self {
        Self { checks: Vec::new() }
    }

    pub(super) fn push(&mut self, name: &'static str, verdict: Verdict) {
        let outcome = match verdict {
            Err(Failure { why, .. }) => Outcome::Failed { why },
            Ok(()) => Outcome::Passed,
        };
        self.checks.push(Check { name, outcome });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Check { name, outcome } in &self.checks {
            match outcome {
                Outcome::Failed { why } => writeln!(f, "FAILED {name}\n  {why}")?,
                Outcome::Passed => writeln!(f, "passed {name}")?,
            }
        }
        let failed = self.failed().count();
        write!(f, "{} passed, {failed} failed", self.checks.len() - failed)
    }
}

/// What a check finds.
pub(super) type Verdict<T = ()> = Result<T, Failure>;

/// Why a check failed.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    why: String,
    is_a_hang: bool,
}

impl Failure {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), is_a_hang: false }
    }

    pub(super) fn of_a_hang(why: String) -> Self {
        Self { why, is_a_hang: true }
    }

    pub(super) const fn is_a_hang(&self) -> bool {
        self.is_a_hang
    }

    /// The same, with more about where it was.
    pub(super) fn within(self, place: &str) -> Self {
        Self { why: std::format!("{place}: {}", self.why), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::Failure;

    #[test]
    fn a_failure_says_where_and_whether_it_hung() {
        let failed = Failure::new("expected 1, seen 2");
        let hung = Failure::of_a_hang("no answer".into()).within("on threads");
        assert!(!failed.is_a_hang() && hung.is_a_hang());
        assert_eq!(
            (failed.why.as_str(), hung.why.as_str()),
            ("expected 1, seen 2", "on threads: no answer",)
        );
    }
}

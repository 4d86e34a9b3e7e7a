use super::clauses;
use super::report::Report;
use super::standard::Standard;
use crate::rule::SessionPolicy;

impl SessionPolicy {
    /// Judges this policy by a published standard: one finding per clause.
    ///
    /// See [`standards`](crate::review::standards) for how inactivity is judged.
    ///
    /// ```
    /// use session_policy::SessionPolicy;
    /// use session_policy::review::standards::{Level, Standard};
    ///
    /// let report = SessionPolicy::SLIDING_MONTH.check(Standard::NistAal1);
    /// let broken: Vec<_> = report.broken().collect();
    /// assert_eq!(broken.len(), 1);
    /// assert_eq!(broken[0].clause.id, "2.1.3");
    /// assert_eq!(broken[0].clause.level, Level::Should);
    /// assert_eq!(broken[0].advice, "Set absolute_cap to 30d or less.");
    /// ```
    #[must_use]
    pub fn check(&self, standard: Standard) -> Report {
        let findings = clauses::of(standard).map(|rule| rule.judge(self)).collect();
        Report { standard, findings }
    }
}

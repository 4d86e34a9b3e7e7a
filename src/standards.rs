//! Judges a policy by published standards.
//!
//! [`SessionPolicy::check`] goes through the clauses of one [`Standard`] and
//! gives a [`Report`] with a [`Finding`] a clause: broken, kept, or *not shown*.
//! What the three numbers of a policy cannot show (which requests count as
//! activity, what a logout does) is listed as not shown, never as kept.
//!
//! A clause that speaks of inactivity is judged at both ends: since activity
//! within `update_age` of a renewal does not renew, a user may be signed out
//! after [`guaranteed_idle`](SessionPolicy::guaranteed_idle) of real inactivity
//! and is signed out after [`max_age`](SessionPolicy::max_age) of it, so
//! `max_age` must keep an upper limit and `guaranteed_idle` a lower one.
//!
//! A clause that only asks for *some* limit is broken where the limit never
//! ends a session: by a `max_age` equal to `absolute_cap`, and by an
//! `absolute_cap` of 100 years, the longest there is, which stands for "never".
//!
//! WCAG asks of each time limit that the user can extend it ten times, given 20
//! seconds for it, unless it is longer than 20 hours. An inactivity limit takes
//! eleven times `max_age` for that, and an absolute limit is never extended. One
//! that falls short may still be essential or part of a real-time event, or the
//! application may let the user adjust it beforehand: it is not shown.
//!
//! | standard | source |
//! | --- | --- |
//! | [`Asvs5`](Standard::Asvs5) | OWASP ASVS 5.0, chapter 7 |
//! | [`CheatSheetHighValue`](Standard::CheatSheetHighValue), [`CheatSheetLowRisk`](Standard::CheatSheetLowRisk) | OWASP Session Management Cheat Sheet |
//! | [`NistAal1`](Standard::NistAal1), [`NistAal2`](Standard::NistAal2), [`NistAal3`](Standard::NistAal3) | NIST SP 800-63B-4, sections 2 and 5 |
//! | [`PciDss4`](Standard::PciDss4) | PCI DSS 4.0.1, requirement 8.2.8 |
//! | [`Wcag22`](Standard::Wcag22) | WCAG 2.2, success criterion 2.2.1 |
//!
//! # Example
//!
//! One line of test code guards a team's policy. If someone loosens it, the
//! failure shows the broken clauses:
//!
//! ```
//! # use session_policy::{standards::{Standard, NIST_AAL2}, SessionPolicy};
//! # const POLICY: SessionPolicy = NIST_AAL2;
//! assert_eq!(POLICY.check(Standard::NistAal2).broken().next(), None);
//! ```
//!
//! For people:
//!
//! ```
//! use session_policy::{SessionPolicy, standards::Standard};
//!
//! let report = SessionPolicy::WORKING_DAY.check(Standard::PciDss4);
//! assert_eq!(
//!     report.to_string(),
//!     "\
//! PCI DSS 4.0.1: 1 broken, 0 kept, 1 not shown
//! broken     8.2.8 (SHALL) re-authenticate after more than 15 minutes of inactivity: \
//! max_age is 8h, must be at most 15m. Set max_age to 15m or less, with a shorter update_age.
//! not shown  8.2.8 (SHALL) only the user's own activity counts: \
//! Judge polling and other background requests with `peek`, which never renews.",
//! );
//! ```

mod clauses;
mod report;

use core::fmt;

use chrono::TimeDelta;

pub use self::report::{Clause, Finding, Level, Limit, Report, Verdict};
use crate::SessionPolicy;

/// A published standard that says how long a session may live.
///
/// Serialised as its [`as_str`](Self::as_str).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Standard {
    /// OWASP Application Security Verification Standard 5.0, chapter 7. Its
    /// limits are the team's own, by a risk analysis that no policy shows.
    Asvs5,
    /// OWASP Session Management Cheat Sheet, for a high-value application.
    CheatSheetHighValue,
    /// OWASP Session Management Cheat Sheet, for a low-risk application.
    CheatSheetLowRisk,
    /// NIST SP 800-63B-4, authenticator assurance level 1.
    NistAal1,
    /// NIST SP 800-63B-4, authenticator assurance level 2.
    NistAal2,
    /// NIST SP 800-63B-4, authenticator assurance level 3.
    NistAal3,
    /// PCI DSS 4.0.1, requirement 8.2.8.
    PciDss4,
    /// WCAG 2.2, success criterion 2.2.1 (timing adjustable).
    Wcag22,
}

impl Standard {
    /// All standards.
    pub const ALL: [Self; 8] = [
        Self::Asvs5,
        Self::CheatSheetHighValue,
        Self::CheatSheetLowRisk,
        Self::NistAal1,
        Self::NistAal2,
        Self::NistAal3,
        Self::PciDss4,
        Self::Wcag22,
    ];

    /// A short, stable name, for a command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asvs5 => "asvs-5",
            Self::CheatSheetHighValue => "cheat-sheet-high-value",
            Self::CheatSheetLowRisk => "cheat-sheet-low-risk",
            Self::NistAal1 => "nist-aal1",
            Self::NistAal2 => "nist-aal2",
            Self::NistAal3 => "nist-aal3",
            Self::PciDss4 => "pci-dss-4",
            Self::Wcag22 => "wcag-2.2",
        }
    }

    /// Its name with its version.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asvs5 => "OWASP ASVS 5.0 chapter 7",
            Self::CheatSheetHighValue => "OWASP Session Management Cheat Sheet, high value",
            Self::CheatSheetLowRisk => "OWASP Session Management Cheat Sheet, low risk",
            Self::NistAal1 => "NIST SP 800-63B-4 AAL1",
            Self::NistAal2 => "NIST SP 800-63B-4 AAL2",
            Self::NistAal3 => "NIST SP 800-63B-4 AAL3",
            Self::PciDss4 => "PCI DSS 4.0.1",
            Self::Wcag22 => "WCAG 2.2",
        }
    }

    /// A policy that breaks no clause of it: a place to start, not advice.
    ///
    /// ```
    /// use session_policy::standards::Standard;
    ///
    /// for standard in Standard::ALL {
    ///     assert_eq!(standard.preset().check(standard).broken().next(), None);
    /// }
    /// ```
    #[must_use]
    pub const fn preset(self) -> SessionPolicy {
        match self {
            Self::Asvs5 => ASVS_5,
            Self::CheatSheetHighValue => CHEAT_SHEET_HIGH_VALUE,
            Self::CheatSheetLowRisk => CHEAT_SHEET_LOW_RISK,
            Self::NistAal1 => NIST_AAL1,
            Self::NistAal2 => NIST_AAL2,
            Self::NistAal3 => NIST_AAL3,
            Self::PciDss4 => PCI_DSS_4,
            Self::Wcag22 => WCAG_2_2,
        }
    }
}

impl fmt::Display for Standard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Standard {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// For [`Standard::Asvs5`]: idle 30 minutes, renewed every minute, a day in all.
pub const ASVS_5: SessionPolicy =
    preset(TimeDelta::minutes(30), TimeDelta::minutes(1), TimeDelta::hours(24));
/// For [`Standard::CheatSheetHighValue`]: idle 5 minutes, renewed every 30
/// seconds, 4 hours in all.
pub const CHEAT_SHEET_HIGH_VALUE: SessionPolicy =
    preset(TimeDelta::minutes(5), TimeDelta::seconds(30), TimeDelta::hours(4));
/// For [`Standard::CheatSheetLowRisk`]: idle 30 minutes, renewed every minute, 8
/// hours in all.
pub const CHEAT_SHEET_LOW_RISK: SessionPolicy =
    preset(TimeDelta::minutes(30), TimeDelta::minutes(1), TimeDelta::hours(8));
/// For [`Standard::NistAal1`]: idle 14 days, renewed every hour, 30 days in all.
pub const NIST_AAL1: SessionPolicy =
    preset(TimeDelta::days(14), TimeDelta::hours(1), TimeDelta::days(30));
/// For [`Standard::NistAal2`]: idle an hour, renewed every minute, a day in all.
pub const NIST_AAL2: SessionPolicy =
    preset(TimeDelta::hours(1), TimeDelta::minutes(1), TimeDelta::hours(24));
/// For [`Standard::NistAal3`]: idle 15 minutes, renewed every minute, 12 hours in
/// all.
pub const NIST_AAL3: SessionPolicy =
    preset(TimeDelta::minutes(15), TimeDelta::minutes(1), TimeDelta::hours(12));
/// For [`Standard::PciDss4`]: idle 15 minutes, renewed every minute, 8 hours in
/// all.
pub const PCI_DSS_4: SessionPolicy =
    preset(TimeDelta::minutes(15), TimeDelta::minutes(1), TimeDelta::hours(8));
/// For [`Standard::Wcag22`]: idle 30 minutes, renewed every minute, 8 hours in
/// all.
pub const WCAG_2_2: SessionPolicy =
    preset(TimeDelta::minutes(30), TimeDelta::minutes(1), TimeDelta::hours(8));

impl SessionPolicy {
    /// Judges this policy by a published standard: a finding a clause.
    ///
    /// See [`standards`](crate::standards) for how inactivity is judged.
    ///
    /// ```
    /// use session_policy::{SessionPolicy, standards::{Level, Standard}};
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
        let findings = clauses::of(standard).iter().map(|rule| rule.judge(self)).collect();
        Report { standard, findings }
    }
}

const fn preset(
    max_age: TimeDelta,
    update_age: TimeDelta,
    absolute_cap: TimeDelta,
) -> SessionPolicy {
    match SessionPolicy::new(max_age, update_age, absolute_cap) {
        Ok(policy) => policy,
        Err(_) => panic!("contradictory policy"),
    }
}

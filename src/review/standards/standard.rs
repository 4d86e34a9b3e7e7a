use core::fmt;

use chrono::TimeDelta;

use crate::rule::SessionPolicy;

/// A published standard that says how long a session may live.
///
/// Serialised as its [`as_str`](Self::as_str).
///
/// # Example
///
/// ```
/// use session_policy::review::standards::Standard;
///
/// assert_eq!(Standard::NistAal2.as_str(), "nist-aal2"); // For a command line.
/// assert_eq!(Standard::NistAal2.name(), "NIST SP 800-63B-4 AAL2"); // For people.
/// ```
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
    /// use session_policy::review::standards::Standard;
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

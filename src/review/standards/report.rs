use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use chrono::TimeDelta;

use super::super::setting::Setting;
use super::standard::Standard;
use crate::time::Human;

/// What a [`Standard`] says about a policy, clause by clause.
///
/// `Display` prints a line of counts, then one per finding. Serialised with durations as whole
/// seconds.
///
/// # Example
///
/// ```
/// use session_policy::SessionPolicy;
/// use session_policy::review::standards::{Standard, Verdict};
///
/// let report = SessionPolicy::WORKING_DAY.check(Standard::PciDss4);
/// assert_eq!(report.broken().count(), 1);
/// let unverified = report.with(Verdict::Unverified).next().unwrap();
/// assert_eq!(unverified.clause.id, "8.2.8");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Report {
    /// The standard.
    pub standard: Standard,
    /// One or more per clause.
    pub findings: Vec<Finding>,
}

impl Report {
    /// The findings that break a clause, SHALL and SHOULD.
    pub fn broken(&self) -> impl Iterator<Item = &Finding> {
        self.with(Verdict::Broken)
    }

    /// The findings of one verdict.
    pub fn with(&self, verdict: Verdict) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.verdict == verdict)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} broken, {} departed, {} kept, {} unverified",
            self.standard,
            self.broken().count(),
            self.with(Verdict::Departed).count(),
            self.with(Verdict::Kept).count(),
            self.with(Verdict::Unverified).count(),
        )?;
        self.findings.iter().try_for_each(|finding| write!(f, "\n{finding}"))
    }
}

/// What one clause says about a policy.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Finding {
    /// The clause.
    pub clause: Clause,
    /// Whether the policy breaks it.
    pub verdict: Verdict,
    /// Who has to see to it.
    pub duty: Duty,
    /// Which number was judged; `None` if the clause has none.
    pub setting: Option<Setting>,
    /// The policy's value of it.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::time::opt_secs"))]
    pub value: Option<TimeDelta>,
    /// The clause's limit for it.
    pub limit: Option<Limit>,
    /// Broken: what to change. Departed: how far, and what for. Kept: why nothing is to
    /// be changed. Unverified: what else must be shown, or done.
    pub advice: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Clause { id, level, title } = self.clause;
        write!(f, "{:<10} {id} ({level}, {}) {title}: ", self.verdict, self.duty)?;
        if let (Some(setting), Some(value)) = (self.setting, self.value) {
            write!(f, "{setting} is {}", Human(value))?;
            if let Some(limit) = self.limit {
                write!(f, ", {level_verb} be {limit}", level_verb = level.verb())?;
            }
            f.write_str(". ")?;
        }
        f.write_str(&self.advice)
    }
}

/// A clause of a standard.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Clause {
    /// Its number, or for a text without numbers the name of its section.
    pub id: &'static str,
    /// How binding it is.
    pub level: Level,
    /// What it asks for, in a few words of this crate.
    pub title: &'static str,
}

/// Who has to see to a clause.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Duty {
    /// The application: this crate has nothing for it.
    Application,
    /// The application, with what this crate has for it.
    Both,
    /// This crate, where it is used as the advice says.
    Crate,
    /// Whoever chooses the numbers of the policy.
    Policy,
}

impl fmt::Display for Duty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Application => "application",
            Self::Both => "both",
            Self::Crate => "crate",
            Self::Policy => "policy",
        })
    }
}

/// How binding a clause is (NIST SP 800-63B-4 section 1, "Notations"). `Shall` is less than
/// `Should`, in order of importance; both serialise in lower case.
///
/// A requirement of ASVS, PCI DSS or WCAG is a SHALL for whoever adopts its
/// level; a range of the Cheat Sheet is a SHOULD.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Level {
    /// A requirement.
    Shall,
    /// A recommendation.
    Should,
}

impl Level {
    const fn verb(self) -> &'static str {
        match self {
            Self::Shall => "must",
            Self::Should => "should",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Shall => "SHALL",
            Self::Should => "SHOULD",
        })
    }
}

/// A bound on a number of a policy, inclusive unless it says otherwise.
///
/// Serialised as an object of one key, in whole seconds: `{"at_most": 900}`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Limit {
    /// This or longer.
    AtLeast(TimeDelta),
    /// This or shorter.
    AtMost(TimeDelta),
    /// Shorter than this.
    LessThan(TimeDelta),
}

impl Limit {
    pub(super) fn admits(self, value: TimeDelta) -> bool {
        match self {
            Self::AtLeast(limit) => value >= limit,
            Self::AtMost(limit) => value <= limit,
            Self::LessThan(limit) => value < limit,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::AtLeast(limit) => write!(f, "at least {}", Human(limit)),
            Self::AtMost(limit) => write!(f, "at most {}", Human(limit)),
            Self::LessThan(limit) => write!(f, "less than {}", Human(limit)),
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Limit {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (index, name, limit) = match self {
            Self::AtLeast(limit) => (0, "at_least", limit),
            Self::AtMost(limit) => (1, "at_most", limit),
            Self::LessThan(limit) => (2, "less_than", limit),
        };
        serializer.serialize_newtype_variant("Limit", index, name, &limit.num_seconds())
    }
}

/// Whether a policy keeps a clause.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Verdict {
    /// The policy breaks it.
    Broken,
    /// This crate departs from it on purpose: the advice says by how much, and what for.
    Departed,
    /// The policy, judged by this crate's rule, keeps it.
    Kept,
    /// It cannot be verified from the policy.
    Unverified,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Broken => "broken",
            Self::Departed => "departed",
            Self::Kept => "kept",
            Self::Unverified => "unverified",
        })
    }
}

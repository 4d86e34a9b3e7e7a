//! Judges a policy by published standards.
//!
//! [`SessionPolicy::check`] goes through the clauses of one [`Standard`] and
//! gives a [`Report`] of [`Finding`]s: broken, departed, kept or *unverified*.
//! What the three numbers of a policy cannot show (which requests count as
//! activity, what a sign-out does) is listed as unverified, never as kept. From one
//! clause this crate departs on purpose: NIST recommends in 5.1.1 that a cookie
//! expires at or soon after the end of its session, and the cookie of this crate
//! runs to the cap, so it may outlive a session that the inactivity limit ended. The
//! requirement in the same clause is kept, since the record ends a session, never
//! its cookie. A cookie that is `until_closed` has no such date: it is for the
//! recommendation of 5.1 that a secret does not outlive a restart.
//!
//! Each finding names its [`Duty`], too:
//!
//! | duty | who sees to the clause |
//! | --- | --- |
//! | `policy` | whoever chooses the numbers |
//! | `crate` | this crate, where it is used as the advice says |
//! | `both` | the application, with what this crate has for it |
//! | `application` | the application alone |
//!
//! A clause that speaks of inactivity is judged at both ends: since activity
//! within `update_age` of a renewal does not renew, a user may be signed out
//! after [`guaranteed_idle`] of real inactivity
//! and is signed out after [`max_age`] of it, so
//! `max_age` must keep an upper limit and `guaranteed_idle` a lower one. A lower one is there
//! for the users: a session that ends sooner is no less secure.
//!
//! A clause that only asks for *some* limit is broken where the limit never
//! ends a session: by a `max_age` equal to `absolute_cap`, and by an
//! `absolute_cap` of 100 years, the longest there is, which stands for "never".
//!
//! WCAG asks of each time limit that the user can extend it ten times, given 20
//! seconds for it, unless it is longer than 20 hours. Ten extensions take an `absolute_cap` of
//! eleven times `max_age`; the cap is never extended. One
//! that falls short may still be essential or part of a real-time event, or the
//! application may let the user adjust it beforehand: it is unverified.
//!
//! | standard | source |
//! | --- | --- |
//! | [`Asvs5`](Standard::Asvs5) | OWASP ASVS 5.0, chapter 7 |
//! | [`CheatSheetHighValue`](Standard::CheatSheetHighValue), [`CheatSheetLowRisk`](Standard::CheatSheetLowRisk) | OWASP Session Management Cheat Sheet |
//! | [`NistAal1`](Standard::NistAal1), [`NistAal2`](Standard::NistAal2), [`NistAal3`](Standard::NistAal3) | NIST SP 800-63B-4, the limits of section 2, and 5.1.1 and 5.2; of the rest of 5.1 only that secrets do not persist |
//! | [`PciDss4`](Standard::PciDss4) | PCI DSS 4.0.1, requirement 8.2.8, for those who work with card data, not for customers |
//! | [`Wcag22`](Standard::Wcag22) | WCAG 2.2, success criterion 2.2.1 |
//!
//! # Example
//!
//! One line of test code holds a team's policy to a standard. If someone loosens it beyond
//! that, the failure shows the broken clauses:
//!
//! ```
//! # use session_policy::{SessionPolicy, review::standards::{NIST_AAL2, Standard}};
//! # const POLICY: SessionPolicy = NIST_AAL2;
//! assert_eq!(POLICY.check(Standard::NistAal2).broken().next(), None);
//! ```
//!
//! Two more see that it lasts no longer than the team has agreed on (for files, and with limits
//! on sessions: `session-policy diff agreed.toml proposed.toml --looser-only`):
//!
//! ```
//! # use session_policy::SessionPolicy;
//! # const AGREED: SessionPolicy = SessionPolicy::SLIDING_MONTH;
//! # const POLICY: SessionPolicy = SessionPolicy::WORKING_DAY;
//! assert!(POLICY.max_age() <= AGREED.max_age());
//! assert!(POLICY.absolute_cap() <= AGREED.absolute_cap());
//! ```
//!
//! For people:
//!
//! ```
//! use session_policy::{SessionPolicy, review::standards::Standard};
//!
//! let report = SessionPolicy::WORKING_DAY.check(Standard::PciDss4);
//! assert_eq!(
//!     report.to_string(),
//!     "\
//! PCI DSS 4.0.1: 1 broken, 0 departed, 0 kept, 1 unverified
//! broken     8.2.8 (SHALL, policy) re-authenticate after more than 15 minutes of inactivity: \
//! max_age is 8h, must be at most 15m. Set max_age to 15m or less, with a shorter update_age.
//! unverified 8.2.8 (SHALL, both) only the user's own activity counts: \
//! Judge polling and other background requests with `peek`, which never renews.",
//! );
//! ```
//!
//! [`SessionPolicy::check`]: crate::SessionPolicy::check
//! [`guaranteed_idle`]: crate::SessionPolicy::guaranteed_idle
//! [`max_age`]: crate::SessionPolicy::max_age

mod check;
mod clauses;
mod report;
mod rule;
mod standard;

pub use self::report::{Clause, Duty, Finding, Level, Limit, Report, Verdict};
pub use self::standard::{
    ASVS_5, CHEAT_SHEET_HIGH_VALUE, CHEAT_SHEET_LOW_RISK, NIST_AAL1, NIST_AAL2, NIST_AAL3,
    PCI_DSS_4, Standard, WCAG_2_2,
};

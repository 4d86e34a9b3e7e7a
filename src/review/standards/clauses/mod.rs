//! The clauses, as data.

mod asvs;
mod make;
mod nist;

use chrono::TimeDelta;

use self::make::{at_most, both, idle, shall, should};
use super::super::setting::Setting;
use super::report::Limit;
use super::rule::{Rule, Test};
use super::standard::Standard;

/// Those of this standard alone, and those that it has in common with its other levels.
pub(super) fn of(standard: Standard) -> impl Iterator<Item = &'static Rule> {
    let (own, common): (&[_], &[_]) = match standard {
        Standard::Asvs5 => (asvs::CHAPTER_7, &[]),
        Standard::CheatSheetHighValue => (CHEAT_SHEET_HIGH_VALUE, CHEAT_SHEET),
        Standard::CheatSheetLowRisk => (CHEAT_SHEET_LOW_RISK, CHEAT_SHEET),
        Standard::NistAal1 => (nist::AAL1, nist::EVERY_LEVEL),
        Standard::NistAal2 => (nist::AAL2, nist::EVERY_LEVEL),
        Standard::NistAal3 => (nist::AAL3, nist::EVERY_LEVEL),
        Standard::PciDss4 => (PCI_DSS_4, &[]),
        Standard::Wcag22 => (WCAG_2_2, &[]),
    };
    own.iter().chain(common)
}

const CHEAT_SHEET_HIGH_VALUE: &[Rule] = &[
    idle(
        "2 to 5 minutes of inactivity, longest",
        Setting::MaxAge,
        Limit::AtMost(TimeDelta::minutes(5)),
    ),
    idle(
        "2 to 5 minutes of inactivity, shortest",
        Setting::GuaranteedIdle,
        Limit::AtLeast(TimeDelta::minutes(2)),
    ),
];

const CHEAT_SHEET_LOW_RISK: &[Rule] = &[
    idle(
        "15 to 30 minutes of inactivity, longest",
        Setting::MaxAge,
        Limit::AtMost(TimeDelta::minutes(30)),
    ),
    idle(
        "15 to 30 minutes of inactivity, shortest",
        Setting::GuaranteedIdle,
        Limit::AtLeast(TimeDelta::minutes(15)),
    ),
];

const CHEAT_SHEET: &[Rule] = &[
    should(
        "Absolute Timeout",
        "4 to 8 hours in all for a working day",
        Test::FullDay { shortest: TimeDelta::hours(4), longest: TimeDelta::hours(8) },
    ),
    should(
        "Renewal Timeout",
        "the session id changes now and then, with an overlap",
        both("Rotate the session now and then; update_age renews without a new id."),
    ),
    shall(
        "Renew the Session ID",
        "a new session id at any change of privilege",
        both("Rotate the session there."),
    ),
];

const PCI_DSS_4: &[Rule] = &[
    shall(
        "8.2.8",
        "re-authenticate after more than 15 minutes of inactivity",
        at_most(Setting::MaxAge, TimeDelta::minutes(15)),
    ),
    shall(
        "8.2.8",
        "only the user's own activity counts",
        both("Judge polling and other background requests with `peek`, which never renews."),
    ),
];

/// Longer than 20 hours, in whole seconds.
const OVER_20_HOURS: TimeDelta = TimeDelta::seconds(20 * 60 * 60 + 1);

const WCAG_2_2: &[Rule] = &[
    shall(
        "2.2.1",
        "20 seconds to extend the inactivity limit before it ends a session",
        Test::TimeToExtend { time: TimeDelta::seconds(20), long: OVER_20_HOURS },
    ),
    shall(
        "2.2.1",
        "ten extensions of the inactivity limit, or an absolute limit longer than 20 hours",
        Test::TenExtensions(OVER_20_HOURS),
    ),
    shall(
        "2.2.1",
        "an absolute limit longer than 20 hours, or essential",
        Test::LongOrEssential(OVER_20_HOURS),
    ),
    shall(
        "2.2.1",
        "a warning, and a simple action that extends",
        both("Warn from `status` at least 20 s before the end, and let one click send a request."),
    ),
];

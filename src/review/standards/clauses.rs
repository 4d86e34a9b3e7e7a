//! The clauses, as data.

use chrono::TimeDelta;

use super::super::setting::Setting;
use super::report::{Clause, Level, Limit};
use super::rule::{Rule, Test};
use super::standard::Standard;

pub(super) const fn of(standard: Standard) -> &'static [Rule] {
    match standard {
        Standard::Asvs5 => ASVS_5,
        Standard::CheatSheetHighValue => CHEAT_SHEET_HIGH_VALUE,
        Standard::CheatSheetLowRisk => CHEAT_SHEET_LOW_RISK,
        Standard::NistAal1 => NIST_AAL1,
        Standard::NistAal2 => NIST_AAL2,
        Standard::NistAal3 => NIST_AAL3,
        Standard::PciDss4 => PCI_DSS_4,
        Standard::Wcag22 => WCAG_2_2,
    }
}

const ASVS_5: &[Rule] = &[
    shall(
        "7.2.3",
        "reference tokens have 128 random bits",
        Test::Unverified("Let `start` make the tokens, whose secrets have 256 random bits."),
    ),
    shall(
        "7.2.4",
        "a new token at authentication and re-authentication",
        Test::Unverified("Start or rotate the session after each, and end the old one."),
    ),
    shall("7.3.1", "an inactivity limit", Test::Exists(Setting::MaxAge)),
    shall(
        "7.3.1",
        "the inactivity limit follows a documented risk analysis",
        Test::Unverified("Write down why this max_age and this update_age."),
    ),
    shall("7.3.2", "an absolute limit", Test::Exists(Setting::AbsoluteCap)),
    shall(
        "7.3.2",
        "the absolute limit follows a documented risk analysis",
        Test::Unverified("Write down why this absolute_cap."),
    ),
    shall(
        "7.4.1",
        "a terminated session cannot be used again",
        Test::Unverified(
            "End sessions in a store, or keep an issued-before time per user for self-contained \
             tokens.",
        ),
    ),
    shall(
        "7.4.2",
        "all sessions end when an account is disabled or deleted",
        Test::Unverified("Call `end_all` from there."),
    ),
    shall(
        "7.4.3",
        "the user can end the other sessions after a change of a factor",
        Test::Unverified("Offer `end_others` there."),
    ),
    shall(
        "7.4.5",
        "administrators can end any session",
        Test::Unverified("Offer them `end` and `end_all`."),
    ),
    shall(
        "7.5.2",
        "users see their sessions and can end each",
        Test::Unverified("Offer a page with `list` and `end`."),
    ),
];

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
    CHEAT_SHEET_ABSOLUTE,
    CHEAT_SHEET_RENEWAL,
    CHEAT_SHEET_PRIVILEGE,
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
    CHEAT_SHEET_ABSOLUTE,
    CHEAT_SHEET_RENEWAL,
    CHEAT_SHEET_PRIVILEGE,
];

const CHEAT_SHEET_ABSOLUTE: Rule = should(
    "Absolute Timeout",
    "4 to 8 hours in all for a working day",
    Test::FullDay { shortest: TimeDelta::hours(4), longest: TimeDelta::hours(8) },
);

const CHEAT_SHEET_RENEWAL: Rule = should(
    "Renewal Timeout",
    "the session id changes now and then, with an overlap",
    Test::Unverified("Rotate the session now and then; update_age renews without a new id."),
);

const CHEAT_SHEET_PRIVILEGE: Rule = should(
    "Renew the Session ID",
    "a new session id at any change of privilege",
    Test::Unverified("Rotate the session there."),
);

const NIST_AAL1: &[Rule] = &[
    shall("2.1.3", "an overall limit", Test::Exists(Setting::AbsoluteCap)),
    should("2.1.3", "at most 30 days in all", at_most(Setting::AbsoluteCap, TimeDelta::days(30))),
    NIST_EITHER,
    NIST_RESETS,
    NIST_BOTH,
    NIST_COOKIES_SECURE,
    NIST_COOKIES_HOST,
    NIST_COOKIE_EXPIRY,
];

const NIST_AAL2: &[Rule] = &[
    shall("2.2.3", "an overall limit", Test::Exists(Setting::AbsoluteCap)),
    should("2.2.3", "at most 24 hours in all", at_most(Setting::AbsoluteCap, TimeDelta::hours(24))),
    should("2.2.3", "at most 1 hour of inactivity", at_most(Setting::MaxAge, TimeDelta::hours(1))),
    NIST_EITHER,
    NIST_RESETS,
    NIST_BOTH,
    NIST_COOKIES_SECURE,
    NIST_COOKIES_HOST,
    NIST_COOKIE_EXPIRY,
];

const NIST_AAL3: &[Rule] = &[
    shall("2.3.3", "at most 12 hours in all", at_most(Setting::AbsoluteCap, TimeDelta::hours(12))),
    should(
        "2.3.3",
        "at most 15 minutes of inactivity",
        at_most(Setting::MaxAge, TimeDelta::minutes(15)),
    ),
    NIST_EITHER,
    NIST_RESETS,
    NIST_BOTH,
    NIST_COOKIES_SECURE,
    NIST_COOKIES_HOST,
    NIST_COOKIE_EXPIRY,
];

const NIST_EITHER: Rule = shall(
    "5.2",
    "either limit ends the session",
    Test::ByTheRule("`evaluate` refuses a session from the earlier of its two deadlines on."),
);

const NIST_RESETS: Rule = shall("5.2", "activity resets the inactivity limit", Test::Resets);

const NIST_BOTH: Rule = shall(
    "5.2",
    "re-authentication resets both limits",
    Test::Unverified("Start a new session after each re-authentication, and end the old one."),
);

const NIST_COOKIES_SECURE: Rule =
    shall("5.1.1", "cookies with Secure", Test::Unverified("Set it where the cookie is made."));

const NIST_COOKIES_HOST: Rule = should(
    "5.1.1",
    "cookies with `__Host-` and Path=/",
    Test::Unverified("Set them where the cookie is made."),
);

const NIST_COOKIE_EXPIRY: Rule = shall(
    "5.1.1",
    "the expiry of a cookie does not enforce the limits",
    Test::Unverified("Judge every request with `evaluate`, also one whose cookie is still there."),
);

const PCI_DSS_4: &[Rule] = &[
    shall(
        "8.2.8",
        "re-authenticate after more than 15 minutes of inactivity",
        at_most(Setting::MaxAge, TimeDelta::minutes(15)),
    ),
    shall(
        "8.2.8",
        "only the user's own activity counts",
        Test::Unverified(
            "Judge polling and other background requests with `peek`, which never renews.",
        ),
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
        Test::Unverified(
            "Warn from `status` at least 20 s before the end, and let one click send a request.",
        ),
    ),
];

const fn shall(id: &'static str, title: &'static str, test: Test) -> Rule {
    Rule { clause: Clause { id, level: Level::Shall, title }, test }
}

const fn should(id: &'static str, title: &'static str, test: Test) -> Rule {
    Rule { clause: Clause { id, level: Level::Should, title }, test }
}

const fn idle(title: &'static str, setting: Setting, limit: Limit) -> Rule {
    should("Idle Timeout", title, Test::Bound(setting, limit))
}

const fn at_most(setting: Setting, limit: TimeDelta) -> Test {
    Test::Bound(setting, Limit::AtMost(limit))
}

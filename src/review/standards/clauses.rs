//! The clauses, as data.

use alloc::{borrow::ToOwned, format};

use chrono::TimeDelta;

use super::super::setting::Setting;
use super::report::{Clause, Finding, Level, Limit, Verdict};
use super::standard::Standard;
use crate::rule::LONGEST_CAP;
use crate::rule::SessionPolicy;
use crate::time::Human;

pub(super) struct Rule {
    clause: Clause,
    test: Test,
}

enum Test {
    /// The number is within the limit.
    Bound(Setting, Limit),
    /// The rule of this crate keeps it under every policy.
    ByTheRule(&'static str),
    /// The number ends sessions at all.
    Exists(Setting),
    /// The cap is within a range for one kind of use.
    FullDay { shortest: TimeDelta, longest: TimeDelta },
    /// The cap is this long, or is essential.
    LongOrEssential(TimeDelta),
    /// The policy says nothing about it.
    NotShown(&'static str),
    /// Every activity counts, not only the first after each `update_age`.
    Resets,
    /// The inactivity limit can be extended ten times, or the cap is this long.
    TenExtensions(TimeDelta),
    /// A user who is warned `time` before the inactivity limit can extend it; no
    /// need to where there is only a cap of at least `long`.
    TimeToExtend { time: TimeDelta, long: TimeDelta },
}

impl Rule {
    pub(super) fn judge(&self, policy: &SessionPolicy) -> Finding {
        match self.test {
            Test::Bound(setting, limit) => self.bound(policy, setting, limit),
            Test::ByTheRule(why) => self.unmeasured(Verdict::Kept, why),
            Test::Exists(Setting::MaxAge) => {
                self.bound(policy, Setting::MaxAge, Limit::LessThan(policy.absolute_cap()))
            }
            Test::Exists(setting) => self.bound(policy, setting, Limit::LessThan(LONGEST_CAP)),
            Test::FullDay { shortest, .. } if policy.absolute_cap() < shortest => Finding {
                advice: "Show that the application is not in use for a whole working day.".into(),
                verdict: Verdict::NotShown,
                ..self.bound(policy, Setting::AbsoluteCap, Limit::AtLeast(shortest))
            },
            Test::FullDay { longest, .. } => {
                self.bound(policy, Setting::AbsoluteCap, Limit::AtMost(longest))
            }
            Test::LongOrEssential(long) => self.long_or_essential(policy, long),
            Test::NotShown(what) => self.unmeasured(Verdict::NotShown, what),
            Test::Resets => self.resets(policy),
            // Each at the last moment and by all of max_age, after the first one.
            Test::TenExtensions(long) => {
                self.long_or_essential(policy, (policy.max_age() * 11).min(long))
            }
            Test::TimeToExtend { time, .. } if policy.max_age() < policy.absolute_cap() => {
                self.bound(policy, Setting::GuaranteedIdle, Limit::AtLeast(time))
            }
            Test::TimeToExtend { long, .. } if policy.absolute_cap() >= long => self.unmeasured(
                Verdict::Kept,
                "There is none to extend, since max_age is as long as absolute_cap, which is long \
                 enough.",
            ),
            Test::TimeToExtend { .. } => self.unmeasured(
                Verdict::NotShown,
                "There is none to extend, since max_age is as long as absolute_cap; show that the \
                 absolute limit is essential.",
            ),
        }
    }

    fn bound(&self, policy: &SessionPolicy, setting: Setting, limit: Limit) -> Finding {
        let value = setting.of(policy);
        let (verdict, advice) = if limit.admits(value) {
            (Verdict::Kept, "Nothing is to be changed.".to_owned())
        } else {
            (Verdict::Broken, advice(policy, setting, limit))
        };
        Finding {
            clause: self.clause,
            verdict,
            setting: Some(setting),
            value: Some(value),
            limit: Some(limit),
            advice,
        }
    }

    fn long_or_essential(&self, policy: &SessionPolicy, long: TimeDelta) -> Finding {
        let finding = self.bound(policy, Setting::AbsoluteCap, Limit::AtLeast(long));
        if finding.verdict == Verdict::Kept {
            return finding;
        }
        let advice = format!(
            "Show that the absolute limit is essential, or set absolute_cap to {} or more.",
            Human(long),
        );
        Finding { verdict: Verdict::NotShown, advice, ..finding }
    }

    fn resets(&self, policy: &SessionPolicy) -> Finding {
        let update_age = policy.update_age();
        if policy.max_age() == policy.absolute_cap() {
            let why = "There is none to reset, since max_age is as long as absolute_cap.";
            return self.unmeasured(Verdict::Kept, why);
        }
        let (verdict, advice) = if update_age == TimeDelta::zero() {
            (Verdict::Kept, "Every request resets it, since update_age is 0s.".to_owned())
        } else {
            let advice = format!(
                "Activity within {} of a renewal does not count, so show that {} is enough for \
                 the user, or set update_age to 0s.",
                Human(update_age),
                Human(policy.guaranteed_idle()),
            );
            (Verdict::NotShown, advice)
        };
        Finding {
            clause: self.clause,
            verdict,
            setting: Some(Setting::GuaranteedIdle),
            value: Some(policy.guaranteed_idle()),
            limit: None,
            advice,
        }
    }

    fn unmeasured(&self, verdict: Verdict, advice: &str) -> Finding {
        Finding {
            clause: self.clause,
            verdict,
            setting: None,
            value: None,
            limit: None,
            advice: advice.to_owned(),
        }
    }
}

fn advice(policy: &SessionPolicy, setting: Setting, limit: Limit) -> alloc::string::String {
    match (setting, limit) {
        (Setting::GuaranteedIdle, Limit::AtLeast(limit)) => {
            let longest = policy.max_age() - limit;
            if longest >= TimeDelta::zero() {
                format!("Set update_age to {} or less.", Human(longest))
            } else {
                format!("Set max_age to {} or more.", Human(limit + policy.update_age()))
            }
        }
        (_, Limit::AtLeast(limit)) => format!("Set {setting} to {} or more.", Human(limit)),
        (Setting::AbsoluteCap, Limit::AtMost(limit)) if policy.max_age() > limit => {
            format!("Set {setting} to {} or less, and max_age with it.", Human(limit))
        }
        (Setting::MaxAge, Limit::AtMost(limit)) if policy.update_age() >= limit => {
            format!("Set {setting} to {} or less, with a shorter update_age.", Human(limit))
        }
        (_, Limit::AtMost(limit)) => format!("Set {setting} to {} or less.", Human(limit)),
        (_, Limit::LessThan(limit)) => format!(
            "Set {setting} to less than {}, since at that length it ends no session.",
            Human(limit),
        ),
    }
}

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
        Test::NotShown(
            "Let `SessionToken::generate` make the tokens, whose secrets have 256 random bits.",
        ),
    ),
    shall(
        "7.2.4",
        "a new token at authentication and re-authentication",
        Test::NotShown("Start or rotate the session after each, and end the old one."),
    ),
    shall("7.3.1", "an inactivity limit", Test::Exists(Setting::MaxAge)),
    shall(
        "7.3.1",
        "the inactivity limit follows a documented risk analysis",
        Test::NotShown("Write down why this max_age and this update_age."),
    ),
    shall("7.3.2", "an absolute limit", Test::Exists(Setting::AbsoluteCap)),
    shall(
        "7.3.2",
        "the absolute limit follows a documented risk analysis",
        Test::NotShown("Write down why this absolute_cap."),
    ),
    shall(
        "7.4.1",
        "a terminated session cannot be used again",
        Test::NotShown(
            "End sessions in a store, or keep an issued-before time per user for self-contained \
             tokens.",
        ),
    ),
    shall(
        "7.4.2",
        "all sessions end when an account is disabled or deleted",
        Test::NotShown("Call `end_all` from there."),
    ),
    shall(
        "7.4.3",
        "the user can end the other sessions after a change of a factor",
        Test::NotShown("Offer `end_others` there."),
    ),
    shall(
        "7.4.5",
        "administrators can end any session",
        Test::NotShown("Offer them `end` and `end_all`."),
    ),
    shall(
        "7.5.2",
        "users see their sessions and can end each",
        Test::NotShown("Offer a page with `list` and `end`."),
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
    Test::NotShown("Rotate the session now and then; update_age renews without a new id."),
);

const CHEAT_SHEET_PRIVILEGE: Rule = should(
    "Renew the Session ID",
    "a new session id at any change of privilege",
    Test::NotShown("Rotate the session there."),
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
    Test::NotShown("Start a new session after each re-authentication, and end the old one."),
);

const NIST_COOKIES_SECURE: Rule =
    shall("5.1.1", "cookies with Secure", Test::NotShown("Set it where the cookie is made."));

const NIST_COOKIES_HOST: Rule = should(
    "5.1.1",
    "cookies with `__Host-` and Path=/",
    Test::NotShown("Set them where the cookie is made."),
);

const NIST_COOKIE_EXPIRY: Rule = shall(
    "5.1.1",
    "the expiry of a cookie does not enforce the limits",
    Test::NotShown("Judge every request with `evaluate`, also one whose cookie is still there."),
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
        Test::NotShown(
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
        Test::NotShown(
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

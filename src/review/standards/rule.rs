//! How a clause is judged.

use alloc::{borrow::ToOwned, format};
use core::cmp::Ordering;

use chrono::TimeDelta;

use super::super::setting::Setting;
use super::report::{Clause, Duty, Finding, Limit, Verdict};
use crate::rule::{LONGEST_CAP, MAX_COOKIE_AGE, SessionPolicy};
use crate::time::Human;

pub(super) struct Rule {
    pub(super) clause: Clause,
    pub(super) test: Test,
}

pub(super) enum Test {
    /// The number is within the limit.
    Bound(Setting, Limit),
    /// The rule of this crate keeps it under every policy.
    ByTheRule(&'static str),
    /// The cookie of this crate, which runs to the cap, ends when the session does.
    CookieExpires,
    /// The number ends sessions at all.
    Exists(Setting),
    /// The cap is within a range for one kind of use.
    FullDay { shortest: TimeDelta, longest: TimeDelta },
    /// The cap is this long, or is essential.
    LongOrEssential(TimeDelta),
    /// The policy says nothing about it.
    Unverified(Duty, &'static str),
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
            Test::CookieExpires => self.cookie_expires(policy),
            Test::Exists(Setting::MaxAge) => {
                self.bound(policy, Setting::MaxAge, Limit::LessThan(policy.absolute_cap()))
            }
            Test::Exists(setting) => self.bound(policy, setting, Limit::LessThan(LONGEST_CAP)),
            Test::FullDay { shortest, .. } if policy.absolute_cap() < shortest => Finding {
                advice: "Show that the application is not in use for a whole working day.".into(),
                verdict: Verdict::Unverified,
                ..self.bound(policy, Setting::AbsoluteCap, Limit::AtLeast(shortest))
            },
            Test::FullDay { longest, .. } => {
                self.bound(policy, Setting::AbsoluteCap, Limit::AtMost(longest))
            }
            Test::LongOrEssential(long) => self.long_or_essential(policy, long),
            Test::Unverified(_, what) => self.unmeasured(Verdict::Unverified, what),
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
                Verdict::Unverified,
                "There is none to extend, since max_age is as long as absolute_cap; show that the \
                 absolute limit is essential.",
            ),
        }
    }

    const fn duty(&self) -> Duty {
        match self.test {
            Test::Bound(..)
            | Test::Exists(_)
            | Test::FullDay { .. }
            | Test::LongOrEssential(_)
            | Test::Resets
            | Test::TenExtensions(_)
            | Test::TimeToExtend { .. } => Duty::Policy,
            Test::ByTheRule(_) | Test::CookieExpires => Duty::Crate,
            Test::Unverified(duty, _) => duty,
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
            duty: self.duty(),
            setting: Some(setting),
            value: Some(value),
            limit: Some(limit),
            advice,
        }
    }

    fn cookie_expires(&self, policy: &SessionPolicy) -> Finding {
        let idle = policy.max_age();
        let longest = policy.absolute_cap().min(MAX_COOKIE_AGE);
        let (verdict, advice) = match idle.cmp(&longest) {
            Ordering::Equal => {
                (Verdict::Kept, "The cookie ends when an unused session does.".to_owned())
            }
            Ordering::Greater => {
                let why = "No cookie lives longer than 400 days, so `WebSessions` takes this \
                           policy only for a cookie that is `until_closed`.";
                (Verdict::Unverified, why.to_owned())
            }
            Ordering::Less => {
                let advice = format!(
                    "The cookie outlives an unused session by up to {}, since it runs to the \
                     absolute_cap (at most 400 days), so that a lost answer costs no live session \
                     its cookie.",
                    Human(longest - idle),
                );
                (Verdict::Departed, advice)
            }
        };
        Finding {
            setting: Some(Setting::MaxAge),
            value: Some(idle),
            advice,
            ..self.unmeasured(verdict, "")
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
        Finding { verdict: Verdict::Unverified, advice, ..finding }
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
            (Verdict::Unverified, advice)
        };
        Finding {
            clause: self.clause,
            verdict,
            duty: self.duty(),
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
            duty: self.duty(),
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
            let max_age = Human(limit + policy.update_age());
            match longest.num_seconds() {
                0 => format!("Set update_age to 0s, or max_age to {max_age} or more."),
                1.. => format!("Set update_age to {} or less.", Human(longest)),
                ..0 => format!("Set max_age to {max_age} or more."),
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

use chrono::TimeDelta;

use super::super::super::setting::Setting;
use super::super::report::{Clause, Duty, Level, Limit};
use super::super::rule::{Rule, Test};

pub(super) const fn shall(id: &'static str, title: &'static str, test: Test) -> Rule {
    Rule { clause: Clause { id, level: Level::Shall, title }, test }
}

pub(super) const fn should(id: &'static str, title: &'static str, test: Test) -> Rule {
    Rule { clause: Clause { id, level: Level::Should, title }, test }
}

pub(super) const fn idle(title: &'static str, setting: Setting, limit: Limit) -> Rule {
    should("Idle Timeout", title, Test::Bound(setting, limit))
}

pub(super) const fn at_most(setting: Setting, limit: TimeDelta) -> Test {
    Test::Bound(setting, Limit::AtMost(limit))
}

/// Left to the application, for which this crate has nothing.
pub(super) const fn application(advice: &'static str) -> Test {
    Test::Unverified(Duty::Application, advice)
}

/// The application has to use what this crate has for it.
pub(super) const fn both(advice: &'static str) -> Test {
    Test::Unverified(Duty::Both, advice)
}

/// Done by this crate where it is used as the advice says.
pub(super) const fn by_crate(advice: &'static str) -> Test {
    Test::Unverified(Duty::Crate, advice)
}

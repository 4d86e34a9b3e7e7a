use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};
use core::fmt;

use chrono::TimeDelta;

use super::scenario::{Scenario, ScenarioChange};
use super::setting::Setting;
use crate::rule::SessionPolicy;
use crate::time::Human;

/// What a change of policy means, in words and as data.
///
/// `Display` prints two Markdown tables: for each changed number what happens to the
/// sessions that are live at the change, and what users notice before and after.
/// Serialised, it is the same as data, with durations as whole seconds, but for the two
/// policies, which are as in a file. An
/// [`Impact`](super::Impact) counts real sessions.
///
/// The one rule behind them: *tighten now, loosen at the next sign-in*. A shorter
/// limit ends or shortens live sessions at once; a longer `max_age` reaches a
/// live session at its next renewal, a longer `absolute_cap` never.
///
/// # Example
///
/// ```
/// use chrono::TimeDelta;
/// use session_policy::SessionPolicy;
/// use session_policy::review::PolicyChange;
///
/// // A month that slides without a real cap, and with one.
/// let old = SessionPolicy::new(
///     TimeDelta::days(30),
///     TimeDelta::minutes(5),
///     TimeDelta::days(36_525),
/// )?;
/// let change = PolicyChange::between(old, SessionPolicy::SLIDING_MONTH);
/// assert_eq!(
///     change.to_string().lines().nth(2),
///     Some(
///         "| absolute_cap | 36525d | 45d   | \
///          those older than the new cap end at once, others sooner |"
///     ),
/// );
/// # Ok::<(), session_policy::PolicyError>(())
/// ```
///
/// ```
/// use session_policy::SessionPolicy;
/// use session_policy::review::PolicyChange;
///
/// let change = PolicyChange::between(SessionPolicy::SLIDING_MONTH, SessionPolicy::WORKING_DAY);
/// assert_eq!(change.before(), &SessionPolicy::SLIDING_MONTH);
/// assert_eq!(change.after(), &SessionPolicy::WORKING_DAY);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct PolicyChange {
    old: SessionPolicy,
    new: SessionPolicy,
}

impl PolicyChange {
    /// The change from `old` to `new`.
    #[must_use]
    pub const fn between(old: SessionPolicy, new: SessionPolicy) -> Self {
        Self { old, new }
    }

    /// The policy before.
    #[must_use]
    pub const fn before(&self) -> &SessionPolicy {
        &self.old
    }

    /// The policy after.
    #[must_use]
    pub const fn after(&self) -> &SessionPolicy {
        &self.new
    }

    /// The numbers that change, each with what it means for sessions that are
    /// live at the change. Empty if nothing changes.
    fn settings(&self) -> Vec<SettingChange> {
        let change = |setting: Setting| {
            let (before, after) = (setting.of(&self.old), setting.of(&self.new));
            let live_sessions = live_sessions(setting, before < after);
            (before != after).then_some(SettingChange { setting, before, after, live_sessions })
        };
        Setting::ALL.into_iter().filter_map(change).collect()
    }

    /// What users notice, before and after, in the order of [`Scenario::ALL`].
    fn scenarios(&self) -> [ScenarioChange; 5] {
        Scenario::ALL.map(|scenario| ScenarioChange {
            scenario,
            before: scenario.play(&self.old),
            after: scenario.play(&self.new),
        })
    }
}

/// Two Markdown tables: the changed settings, and the scenarios.
impl fmt::Display for PolicyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = self.settings();
        if settings.is_empty() {
            return f.write_str("Nothing changes.");
        }
        let mut rows = vec![["setting", "before", "after", "live sessions"].map(String::from)];
        rows.extend(settings.iter().map(|change| {
            [
                change.setting.to_string(),
                Human(change.before).to_string(),
                Human(change.after).to_string(),
                change.live_sessions.to_string(),
            ]
        }));
        table(f, &rows)?;
        f.write_str("\n\n")?;
        let mut rows = vec![["scenario", "before", "after"].map(String::from)];
        rows.extend(self.scenarios().iter().map(|effect| {
            let after = if effect.before == effect.after {
                "the same".to_string()
            } else {
                effect.after.to_string()
            };
            [effect.scenario.to_string(), effect.before.to_string(), after]
        }));
        table(f, &rows)
    }
}

/// Serialised as both policies, the changed settings and the scenarios.
#[cfg(feature = "serde")]
impl serde::Serialize for PolicyChange {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;

        let mut change = serializer.serialize_struct("PolicyChange", 4)?;
        change.serialize_field("old", &self.old)?;
        change.serialize_field("new", &self.new)?;
        change.serialize_field("settings", &self.settings())?;
        change.serialize_field("scenarios", &self.scenarios())?;
        change.end()
    }
}

/// One number that changes. Serialised with durations as whole seconds.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
struct SettingChange {
    /// Which one.
    setting: Setting,
    /// Its value before.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::time::secs"))]
    before: TimeDelta,
    /// Its value after.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::time::secs"))]
    after: TimeDelta,
    /// What it means for sessions that are live at the change.
    live_sessions: &'static str,
}

const fn live_sessions(setting: Setting, longer: bool) -> &'static str {
    match (setting, longer) {
        (Setting::AbsoluteCap, true) => "keep the cap they were started with",
        (Setting::AbsoluteCap, false) => "those older than the new cap end at once, others sooner",
        (Setting::ClockSkew, _) => "as before, but for those created ahead of the clock",
        (Setting::GuaranteedIdle, _) => "follows from max_age and update_age",
        (Setting::MaxAge, true) => "get it at their next renewal, within their cap",
        (Setting::MaxAge, false) => "those idle for longer end at once, others sooner",
        (Setting::UpdateAge, true) => "are renewed less often from now on",
        (Setting::UpdateAge, false) => "are renewed more often from now on",
    }
}

/// A Markdown table with aligned columns, the first row as its head.
fn table<const N: usize>(f: &mut fmt::Formatter<'_>, rows: &[[String; N]]) -> fmt::Result {
    let widths: [usize; N] =
        core::array::from_fn(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or(0));
    for (index, row) in rows.iter().enumerate() {
        if index > 0 {
            f.write_str("\n")?;
        }
        for (cell, width) in row.iter().zip(widths) {
            write!(f, "| {cell:<width$} ")?;
        }
        f.write_str("|")?;
        if index == 0 {
            let rule: Vec<_> = widths.map(|width| format!("| {:-<width$} ", "")).into();
            write!(f, "\n{}|", rule.concat())?;
        }
    }
    Ok(())
}

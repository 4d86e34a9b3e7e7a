use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use session_policy::review::PolicyChange;
use session_policy::{Policies, SessionLimit, SessionPolicy, WhenFull};

use crate::Failure;
use crate::commands::help;
use crate::input::{InputError, policies};
use crate::report::{Report, json, shown};

/// Say what a change of policy means; 1 if anything changes
#[derive(Debug, clap::Args)]
#[command(after_help = help::DIFF)]
pub(crate) struct Args {
    /// The policy file in force
    old: PathBuf,
    /// The policy file that replaces it
    new: PathBuf,
    /// Only this profile of a set
    #[arg(long)]
    profile: Option<String>,
    /// Let changes pass that make no limit longer or higher (they are still listed)
    #[arg(long)]
    looser_only: bool,
}

pub(crate) fn run(args: &Args) -> Result<Report, Failure> {
    let (old, new) = (policies(&args.old)?, policies(&args.new)?);
    let (mut text, mut changes, mut found) = (String::new(), Vec::new(), false);
    if args.profile.is_none() {
        warn_of_missing(&args.old, &old, &new);
        warn_of_missing(&args.new, &new, &old);
    }
    for profile in selected(&args.new, [&old, &new], args.profile.as_deref())? {
        let change = PolicyChange::between(*old.policy_for(&profile), *new.policy_for(&profile));
        let limit = LimitChange { old: old.limit(&profile), new: new.limit(&profile) };
        let rows = limit.rows();
        let changes_policy = change.before() != change.after();
        let _ = writeln!(text, "{profile}\n");
        if rows.is_empty() || changes_policy {
            let _ = writeln!(text, "{change}\n");
        }
        if !rows.is_empty() {
            let _ = writeln!(text, "{}", table(&rows));
        }
        found |= if args.looser_only {
            is_longer(&change) || limit.is_higher()
        } else {
            changes_policy || !rows.is_empty()
        };
        changes.push(json!({"profile": profile, "change": json(change), "limit": limit.json()}));
    }
    Ok(Report { text, json: changes.into(), found })
}

/// Whether a session may last longer, be idle for longer, or be accepted earlier.
fn is_longer(change: &PolicyChange) -> bool {
    let limits =
        |policy: &SessionPolicy| [policy.max_age(), policy.absolute_cap(), policy.clock_skew()];
    limits(change.before()).into_iter().zip(limits(change.after())).any(|(old, new)| old < new)
}

/// Tells of the profiles that `set` lacks and `other` has.
fn warn_of_missing(file: &Path, set: &Policies, other: &Policies) {
    for (name, _) in other.profiles().filter(|(name, _)| set.get(name).is_none()) {
        eprintln!(
            "warning: {}: no profile `{}`: its sessions are judged by `default`",
            file.display(),
            shown(name),
        );
    }
}

/// The profiles of these sets, the default first, or the one that was asked for.
pub(crate) fn selected<'a>(
    file: &Path,
    sets: impl IntoIterator<Item = &'a Policies> + Clone,
    profile: Option<&str>,
) -> Result<Vec<String>, InputError> {
    if let Some(name) = profile {
        return if sets.into_iter().any(|set| set.get(name).is_some()) {
            Ok(vec![name.to_owned()])
        } else {
            let message = format!("there is no profile `{}`", name.escape_debug());
            Err(InputError::new(file.display().to_string(), message))
        };
    }
    let named: BTreeSet<&str> =
        sets.into_iter().flat_map(Policies::profiles).map(|(name, _)| name).collect();
    Ok([Policies::DEFAULT].into_iter().chain(named).map(str::to_owned).collect())
}

/// What becomes of the limit on concurrent sessions.
struct LimitChange<'a> {
    old: Option<&'a SessionLimit>,
    new: Option<&'a SessionLimit>,
}

impl LimitChange<'_> {
    /// The settings that change, as `PolicyChange` shows those of time.
    fn rows(&self) -> Vec<[String; 4]> {
        let shown = |value: Value| match value {
            Value::Null => "none".to_owned(),
            Value::String(text) => text,
            other => other.to_string(),
        };
        let changed = self.changed().into_iter().map(|(setting, before, after)| {
            let effect = if setting == "max_sessions" { self.effect() } else { "live on" };
            [setting.to_owned(), shown(before), shown(after), effect.to_owned()]
        });
        changed.collect()
    }

    fn json(&self) -> Value {
        let changed = self.changed().into_iter().map(|(setting, before, after)| {
            json!({"setting": setting, "before": before, "after": after})
        });
        changed.collect()
    }

    fn is_higher(&self) -> bool {
        self.old
            .is_some_and(|old| self.new.is_none_or(|new| old.max_sessions() < new.max_sessions()))
    }

    fn changed(&self) -> Vec<(&'static str, Value, Value)> {
        let both = [self.old, self.new];
        let [most, most_after] = both.map(|limit| json(limit.map(SessionLimit::max_sessions)));
        let [before, after] = both.map(|limit| json(limit.map(SessionLimit::when_full)));
        let mut changed = vec![("max_sessions", most, most_after), ("when_full", before, after)];
        changed.retain(|(_, before, after)| before != after);
        changed
    }

    /// What another number of sessions does to those that are there.
    fn effect(&self) -> &'static str {
        let Some(new) = self.new else { return "live on" };
        let lower = self.old.is_none_or(|old| new.max_sessions() < old.max_sessions());
        match new.when_full() {
            _ if !lower => "live on",
            WhenFull::EndLeastRecent => "the least recently used beyond it end at the next sign-in",
            WhenFull::EndOldest => "the oldest beyond it end at the next sign-in",
            WhenFull::Refuse => "live on; sign-ins are refused until there is room",
        }
    }
}

/// As wide as the texts, in which no character is wider than another.
fn table(rows: &[[String; 4]]) -> String {
    let header = ["setting", "before", "after", "live sessions"].map(String::from);
    let width = |column: usize| {
        [&header].into_iter().chain(rows).map(|row| row[column].len()).max().unwrap_or_default()
    };
    let widths = [0, 1, 2, 3].map(width);
    let rule = widths.map(|width| "-".repeat(width));
    let mut text = String::new();
    for row in [&header, &rule].into_iter().chain(rows) {
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(text, "| {cell:<width$} ");
        }
        text.push_str("|\n");
    }
    text
}

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;
use session_policy::{Policies, PolicyChange};

use crate::Failure;
use crate::input::{InputError, policies};
use crate::report::{Report, json};

/// Say what a change of policy means and for whom; 1 if anything changes
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The policy file in force
    old: PathBuf,
    /// The policy file that replaces it
    new: PathBuf,
    /// Only this profile of a set
    #[arg(long)]
    profile: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<Report, Failure> {
    let (old, new) = (policies(&args.old)?, policies(&args.new)?);
    let (mut text, mut changes, mut found) = (String::new(), Vec::new(), false);
    for profile in selected(&args.new, [&old, &new], args.profile.as_deref())? {
        let change = PolicyChange::between(*old.judge(&profile), *new.judge(&profile));
        found |= !change.settings().is_empty();
        let _ = writeln!(text, "{profile}\n\n{change}\n");
        changes.push(json!({"profile": profile, "change": json(change)}));
    }
    Ok(Report { text, json: changes.into(), found })
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

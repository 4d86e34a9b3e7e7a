use std::fmt::Write as _;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use serde_json::json;
use session_policy::review::standards::{Level, Standard};

use crate::Failure;
use crate::commands::diff::selected;
use crate::commands::help;
use crate::input::policies;
use crate::report::{Report, json};

/// Judge a policy by published standards; 1 if a clause is broken
#[derive(Debug, clap::Args)]
#[command(after_help = help::CHECK)]
pub(crate) struct Args {
    /// The policy file (.toml or .json)
    policy: PathBuf,
    /// The standard; may be given several times
    #[arg(long, short, required = true, value_parser = standards())]
    standard: Vec<Standard>,
    /// Only this profile of a set
    #[arg(long)]
    profile: Option<String>,
    /// Let broken SHOULD clauses pass (they are still listed)
    #[arg(long)]
    shall_only: bool,
    /// List only the clauses that are broken, after the counts of all
    #[arg(long, conflicts_with = "json")]
    broken: bool,
}

pub(crate) fn run(args: &Args) -> Result<Report, Failure> {
    let policies = policies(&args.policy)?;
    let (mut text, mut reports, mut found) = (String::new(), Vec::new(), false);
    for profile in selected(&args.policy, [&policies], args.profile.as_deref())? {
        for standard in &args.standard {
            let report = policies.policy_for(&profile).check(*standard);
            found |= report
                .broken()
                .any(|finding| !args.shall_only || finding.clause.level == Level::Shall);
            let listed = report.to_string();
            let is_listed =
                |(n, line): &(usize, &str)| *n == 0 || !args.broken || line.starts_with("broken");
            let listed = listed.lines().enumerate().filter(is_listed).map(|(_, line)| line);
            let listed = listed.collect::<Vec<_>>().join("\n");
            let _ = writeln!(text, "{profile}, by {listed}\n");
            reports.push(json!({"profile": profile, "report": json(&report)}));
        }
    }
    Ok(Report { text, json: reports.into(), found })
}

fn standards() -> impl clap::builder::TypedValueParser<Value = Standard> {
    PossibleValuesParser::new(Standard::ALL.map(Standard::as_str)).map(|name| {
        // Always found: the parser admits these names only.
        let named = |standard: &Standard| standard.as_str() == name;
        Standard::ALL.into_iter().find(named).unwrap_or(Standard::Asvs5)
    })
}

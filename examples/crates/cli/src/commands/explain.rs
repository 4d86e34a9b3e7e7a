use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::json;
use session_policy::{Clock as _, SystemClock};

use crate::Failure;
use crate::commands::help;
use crate::input::{Instant, Records, Unknown, policies};
use crate::report::{Report, json, shown};

/// Say why sessions have ended, or when they will; 1 if any has ended
#[derive(Debug, clap::Args)]
#[command(after_help = help::EXPLAIN)]
pub(crate) struct Args {
    /// The policy file in force
    policy: PathBuf,
    /// The sessions (CSV or JSON; `-` for standard input)
    sessions: PathBuf,
    /// The instant to judge at, in unix seconds or RFC 3339 [default: now]
    #[arg(long)]
    now: Option<Instant>,
}

/// Makes the text or, if `as_json`, the JSON: of a large export each takes much memory.
pub(crate) fn run(args: &Args, as_json: bool) -> Result<Report, Failure> {
    let policies = policies(&args.policy)?;
    let now = args.now.map_or_else(|| SystemClock.now(), |now| now.0);
    let mut records = Records::open(&args.sessions, None)?;
    let (mut text, mut explanations, mut found) = (String::new(), Vec::new(), false);
    let mut unknown = Unknown::default();
    while let Some(record) = records.next()? {
        unknown.look_at(&record, &policies);
        let profile = record.judged_as(&policies).to_owned();
        let explanation = policies.policy_for(&profile).explain(&record.lifetime, now);
        found |= !explanation.decision.is_served();
        let (line, subject) = (record.line, record.subject);
        if as_json {
            explanations.push(json!({
                "line": line,
                "subject": subject,
                "profile": profile,
                "explanation": json(explanation),
            }));
            continue;
        }
        let named = subject.as_deref().map(|subject| format!(", {}", shown(subject)));
        let named = named.unwrap_or_default();
        let _ = writeln!(text, "line {line}{named} ({profile}): {explanation}");
    }
    if text.is_empty() && explanations.is_empty() {
        eprintln!("warning: {}: there is no session in it", args.sessions.display());
    }
    unknown.warn(&args.policy);
    Ok(Report { text, json: explanations.into(), found })
}

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::json;
use session_policy::review::{Impact, PolicyChange};
use session_policy::{Clock as _, SystemClock};

use crate::Failure;
use crate::commands::help;
use crate::input::{Instant, Records, Unknown, policies};
use crate::report::{Report, json};

/// Count what a change of policy does to live sessions; 1 if any ends sooner
///
/// They are streamed, so that memory does not grow with their number.
#[derive(Debug, clap::Args)]
#[command(after_help = help::IMPACT)]
pub(crate) struct Args {
    /// The policy file in force
    old: PathBuf,
    /// The policy file that replaces it
    new: PathBuf,
    /// The sessions (CSV or JSON; `-` for standard input)
    sessions: PathBuf,
    /// When the change is made, in unix seconds or RFC 3339 [default: now]
    #[arg(long)]
    now: Option<Instant>,
    /// Take records from before the cap, without renewed_at and
    /// absolute_expires_at; they get them from the old default policy
    #[arg(long)]
    adopt: bool,
}

pub(crate) fn run(args: &Args) -> Result<Report, Failure> {
    let (old, new) = (policies(&args.old)?, policies(&args.new)?);
    let now = args.now.map_or_else(|| SystemClock.now(), |now| now.0);
    let mut records = Records::open(&args.sessions, args.adopt.then_some(*old.default_policy()))?;
    let mut impacts = BTreeMap::<String, Impact>::new();
    let (mut not_in_old, mut not_in_new) = (Unknown::default(), Unknown::default());
    while let Some(record) = records.next()? {
        not_in_old.look_at(&record, &old);
        not_in_new.look_at(&record, &new);
        // A set that knows the profile names it; the other judges by its default.
        let profile = match record.judged_as(&new) {
            session_policy::Policies::DEFAULT => record.judged_as(&old),
            named => named,
        };
        if let Some(impact) = impacts.get_mut(profile) {
            impact.count(&record.lifetime);
        } else {
            let change = PolicyChange::between(*old.policy_for(profile), *new.policy_for(profile));
            let mut impact = Impact::new(change, now);
            impact.count(&record.lifetime);
            impacts.insert(profile.to_owned(), impact);
        }
    }
    if impacts.is_empty() {
        eprintln!("warning: {}: there is no session in it", args.sessions.display());
    }
    not_in_old.warn(&args.old);
    not_in_new.warn(&args.new);
    let found = impacts.values().any(|impact| impact.ended_at_once.count() + impact.sooner > 0);
    let text = impacts.iter().map(|(profile, impact)| format!("{profile}: {impact}"));
    let text = text.collect::<Vec<_>>().join("\n\n");
    let json = impacts
        .iter()
        .map(|(profile, impact)| json!({"profile": profile, "impact": json(impact)}))
        .collect::<Vec<_>>();
    Ok(Report { text, json: json.into(), found })
}

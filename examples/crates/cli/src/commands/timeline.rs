use std::fs;
use std::path::PathBuf;

use chrono::TimeDelta;
use session_policy::Policies;
use session_policy::review::Timeline;

use crate::Failure;
use crate::commands::diff::selected;
use crate::commands::help;
use crate::input::{duration, policies, requests};
use crate::picture::draw;
use crate::report::{Report, json};

/// Play a log of requests under a policy: every decision, write and cookie
///
/// A line of the log is an instant (unix seconds or RFC 3339) and optionally
/// sign-in, request or poll, and a note. The first line is the sign-in. Polls are
/// left out, since they never renew.
#[derive(Debug, clap::Args)]
#[command(after_help = help::TIMELINE)]
pub(crate) struct Args {
    /// The policy file
    policy: PathBuf,
    /// The log (`-` for standard input)
    requests: PathBuf,
    /// Which profile of a set
    #[arg(long, default_value = Policies::DEFAULT)]
    profile: String,
    /// Warn this long before the end
    #[arg(long, value_parser = duration)]
    warn: Option<TimeDelta>,
    /// Also draw it into this SVG file
    #[arg(long)]
    svg: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<Report, Failure> {
    let policies = policies(&args.policy)?;
    selected(&args.policy, [&policies], Some(&args.profile))?;
    let requests = requests(&args.requests)?;
    let mut timeline =
        Timeline::play(policies.policy_for(&args.profile), requests.sign_in, requests.instants);
    if let Some(warn) = args.warn {
        timeline = timeline.with_warning(warn);
    }
    if let Some(file) = &args.svg {
        let failure = |error: String| Failure::Picture { file: file.display().to_string(), error };
        let svg = draw(&timeline).map_err(failure)?;
        fs::write(file, svg).map_err(|error| failure(error.to_string()))?;
    }
    let left_out = match requests.polls {
        0 => String::new(),
        polls => format!(" (polls left out: {polls})"),
    };
    let text = format!(
        "{timeline}\n\n{} requests{left_out}, {} writes\n",
        timeline.requests(),
        timeline.writes(),
    );
    Ok(Report { text, json: json(timeline), found: false })
}

use std::io::{self, Write as _};
use std::path::PathBuf;

use chrono::TimeDelta;
use session_policy::{Clock as _, Lifetime, SystemClock};

use crate::Failure;
use crate::commands::help;
use crate::input::{Instant, policies};

/// Print made-up sessions as CSV, to try the other commands on
#[derive(Debug, clap::Args)]
#[command(after_help = help::SAMPLE)]
pub(crate) struct Args {
    /// The policy file that the sessions are under
    policy: PathBuf,
    /// How many
    #[arg(long, default_value_t = 1_000)]
    sessions: u64,
    /// The instant to look at them, in unix seconds or RFC 3339 [default: now]
    #[arg(long)]
    now: Option<Instant>,
    /// The same seed gives the same sessions
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Sessions that started within the last 90 days or the cap, whichever is
/// shorter, and were active once since.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let policies = policies(&args.policy)?;
    let policy = policies.default_policy();
    let now = args.now.map_or_else(|| SystemClock.now(), |now| now.0);
    let mut random = fastrand::Rng::with_seed(args.seed);
    let mut below = |limit: i64| TimeDelta::seconds(random.i64(0..limit.max(1)));
    let oldest = policy.absolute_cap().min(TimeDelta::days(90)).num_seconds();
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    let header = "created_at,renewed_at,expires_at,absolute_expires_at";
    writeln!(stdout, "{header}").map_err(Failure::Output)?;
    for _ in 0..args.sessions {
        let age = below(oldest);
        let idle = below(policy.max_age().min(age).num_seconds());
        let start = policy.start(now.saturating_sub(age));
        let active = now.saturating_sub(idle);
        let cap = start.absolute_expires_at();
        let expires_at = active.saturating_add(policy.max_age()).min(cap);
        // In order: it is younger than its cap, and was active since it started.
        let lifetime =
            Lifetime::restore(start.created_at(), active, expires_at, cap).unwrap_or(start);
        writeln!(
            stdout,
            "{},{},{},{}",
            lifetime.created_at().as_unix_secs(),
            lifetime.renewed_at().as_unix_secs(),
            lifetime.expires_at().as_unix_secs(),
            lifetime.absolute_expires_at().as_unix_secs(),
        )
        .map_err(Failure::Output)?;
    }
    stdout.flush().map_err(Failure::Output)
}

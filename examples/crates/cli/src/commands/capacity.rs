mod engines;
mod session;
mod usage;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use session_policy::Policies;

use self::engines::{ENGINES, Slots};
use self::usage::{Load, Usage, as_f64};
use crate::Failure;
use crate::commands::diff::selected;
use crate::commands::help;
use crate::input::{InputError, duration, policies};
use crate::report::Report;

/// Say what N users cost: reads, writes, sweeps and space, in each engine
///
/// A user sends a request at a fixed interval and signs in again when the session has
/// ended: all the time, or in visits. Each request is one read, and each sign-in, renewal
/// and sign-out is one write. A session that was signed out is removed at once; one that a
/// limit ended is kept for the retention, until a sweep removes it.
#[derive(Debug, clap::Args)]
#[command(after_help = help::CAPACITY)]
pub(crate) struct Args {
    /// The policy file
    policy: PathBuf,
    /// How many users there are
    #[arg(long)]
    users: u64,
    /// How long a user takes from one request to the next, such as 30s
    #[arg(long, value_parser = duration)]
    every: TimeDelta,
    /// How often a user comes, on average [default: never leaves]
    #[arg(long)]
    visits_per_day: Option<f64>,
    /// How long a visit is, on average
    #[arg(long, value_parser = duration, default_value = "20m", requires = "visits_per_day")]
    visit: TimeDelta,
    /// Which share of visits ends with a sign-out, from 0 to 1
    #[arg(long, default_value_t = 0.0, requires = "visits_per_day")]
    sign_out: f64,
    /// How long a session is kept after a limit has ended it
    #[arg(long, value_parser = duration, default_value = "1d")]
    retention: TimeDelta,
    /// Which profile of a set
    #[arg(long, default_value = Policies::DEFAULT)]
    profile: String,
    /// How long a subject is, in bytes (36 is a UUID as text)
    #[arg(long, default_value_t = 36, value_parser = clap::value_parser!(u64).range(1..=1024))]
    subject_bytes: u64,
}

pub(crate) fn run(args: &Args) -> Result<Report, Failure> {
    let policies = policies(&args.policy)?;
    selected(&args.policy, [&policies], Some(&args.profile))?;
    if args.every < TimeDelta::seconds(1) {
        return Err(InputError::new("--every", "shorter than 1s").into());
    }
    if args.users == 0 {
        return Err(InputError::new("--users", "fewer than 1").into());
    }
    let [every, visit, retention] = [args.every, args.visit, args.retention].map(seconds);
    let usage = match args.visits_per_day {
        None => Usage::always(every),
        Some(a_day) => Usage::visits(every, a_day, visit, args.sign_out)?,
    };
    let policy = policies.policy_for(&args.profile);
    let load = Load::of(policy, &usage, as_f64(args.users))?;
    let rows = load.live + load.expired() * as_f64(retention);
    let slots = Slots::of(&load, rows, as_f64(seconds(policy.max_age())));
    let text = text(args, &load, rows, &slots);
    let json = json(args, &load, rows, &slots);
    Ok(Report { text, json, found: false })
}

fn text(args: &Args, load: &Load, rows: f64, slots: &Slots) -> String {
    let Args { users, subject_bytes, .. } = args;
    let [every, visit] = [args.every, args.visit]
        .map(|duration| humantime::format_duration(Duration::from_secs(seconds(duration))));
    let mut text = format!("{users} users, a request every {every}");
    if let Some(visits) = args.visits_per_day {
        let signed_out = 100.0 * args.sign_out;
        _ = write!(text, " in {visits} visits a day of {visit}, {signed_out:.1} % with a sign-out");
    }
    _ = write!(
        text,
        "

each second
reads          {reads:>14.3}
writes         {writes:>14.3}  ({throttle:.1} times as many with one a request)
  sign-ins     {sign_ins:>14.3}
  renewals     {renewals:>14.3}
  sign-outs    {sign_outs:>14.3}
rows swept     {swept:>14.3}

at any time
live sessions  {live:>14.0}
rows           {rows:>14.0}  (with those that a limit ended within the retention)

                bytes a row       GB  machines
",
        reads = load.reads(),
        writes = load.writes(),
        throttle = load.unthrottled() / load.writes(),
        sign_ins = load.sign_ins,
        renewals = load.renewals,
        sign_outs = load.sign_outs,
        swept = load.expired(),
        live = load.live,
    );
    for engine in &ENGINES {
        let (name, bytes) = (engine.name, engine.bytes_a_row(*subject_bytes));
        let (gigabytes, machines) = (rows * bytes / 1e9, engine.machines(load));
        _ = writeln!(text, "{name:<14} {bytes:>12.0} {gigabytes:>8.3} {machines:>9.3}");
    }
    _ = write!(
        text,
        "
Redis Cluster: as Redis, on all nodes together. In each of {all} slots at most {keys:.1} keys
on average, and in {index} of them a key of the index by expiry, with {notes:.0} notes
({megabytes:.1} MB) and {calls:.1} calls a second
",
        keys = slots.keys,
        all = Slots::ALL,
        index = Slots::INDEX,
        notes = slots.notes,
        megabytes = slots.notes * Slots::NOTE / 1e6,
        calls = slots.calls,
    );
    text
}

fn json(args: &Args, load: &Load, rows: f64, slots: &Slots) -> Value {
    let engines: Vec<_> = ENGINES
        .iter()
        .map(|engine| {
            let bytes = engine.bytes_a_row(args.subject_bytes);
            json!({
                "engine": engine.name,
                "bytes_per_row": bytes,
                "bytes": rows * bytes,
                "machines": engine.machines(load),
            })
        })
        .collect();
    json!({
        "users": args.users,
        "every": seconds(args.every),
        "visit": args.visits_per_day.map(|_| seconds(args.visit)),
        "sign_out": args.sign_out,
        "retention": seconds(args.retention),
        "subject_bytes": args.subject_bytes,
        "visits_per_day": args.visits_per_day,
        "reads_per_second": load.reads(),
        "writes_per_second": load.writes(),
        "writes_per_second_unthrottled": load.unthrottled(),
        "sign_ins_per_second": load.sign_ins,
        "renewals_per_second": load.renewals,
        "sign_outs_per_second": load.sign_outs,
        "swept_per_second": load.expired(),
        "live_sessions": load.live,
        "rows": rows,
        "engines": engines,
        "redis_cluster": {
            "slots": Slots::ALL,
            "keys_per_slot": slots.keys,
            "expiry_keys": Slots::INDEX,
            "notes_per_expiry_key": slots.notes,
            "bytes_per_expiry_key": slots.notes * Slots::NOTE,
            "calls_per_second_per_expiry_key": slots.calls,
        },
    })
}

/// Durations of options are never negative.
fn seconds(duration: TimeDelta) -> u64 {
    duration.num_seconds().unsigned_abs()
}

use std::path::PathBuf;

use chrono::TimeDelta;
use serde_json::json;
use session_policy::{Policies, SessionPolicy};

use crate::Failure;
use crate::commands::diff::selected;
use crate::commands::help;
use crate::input::{InputError, duration, policies};
use crate::report::Report;

/// Say what the throttle buys: writes, re-issued tokens and storage for N users
///
/// Every user is active all the time, sends a request at a fixed interval and
/// signs in again when the session has ended. A renewal is one write of a stored
/// session, or one re-issued token of a stateless one.
#[derive(Debug, clap::Args)]
#[command(after_help = help::CAPACITY)]
pub(crate) struct Args {
    /// The policy file
    policy: PathBuf,
    /// How many users are signed in
    #[arg(long)]
    users: u64,
    /// How long a user takes from one request to the next, such as 30s
    #[arg(long, value_parser = duration)]
    every: TimeDelta,
    /// Which profile of a set
    #[arg(long, default_value = Policies::DEFAULT)]
    profile: String,
    /// How long a subject is, in bytes (36 is a UUID as text)
    #[arg(long, default_value_t = 36)]
    subject_bytes: u64,
}

/// Id, secret, epoch, ordinal, version, generation, confirmation and four instants, in
/// bytes.
const FIXED_BYTES: u64 = 16 + 32 + 8 + 8 + 8 + 8 + 8 + 4 * 8;

pub(crate) fn run(args: &Args) -> Result<Report, Failure> {
    let policies = policies(&args.policy)?;
    selected(&args.policy, [&policies], Some(&args.profile))?;
    if args.every < TimeDelta::seconds(1) {
        return Err(InputError::new("--every", "shorter than 1s").into());
    }
    if args.users == 0 {
        return Err(InputError::new("--users", "fewer than 1").into());
    }
    let load = Load::of(policies.policy_for(&args.profile), args.every);
    let record = (FIXED_BYTES + args.profile.len() as u64)
        .checked_add(args.subject_bytes)
        .ok_or_else(|| InputError::new("--subject-bytes", "2^64 bytes or more a session"))?;
    let storage = args.users.checked_mul(record).ok_or_else(|| {
        InputError::new("--users", format!("2^64 bytes or more, at {record} a session"))
    })?;
    let users = as_f64(args.users);
    let every = args.every.num_seconds().unsigned_abs();
    let requests = users / as_f64(every);
    let writes = users * as_f64(load.renewals + 1) / as_f64(load.session);
    let text = format!(
        "\
{users} users, a request every {every} s each
requests                      {requests:>14.3} a second
writes under the policy       {writes:>14.3} a second ({renewals} renewals and 1 sign-in in {days:.1} days)
writes with one a request     {requests:>14.3} a second, {times:.1} times as many
storage                       {storage:>14} bytes ({record} a session, without `about` and the store's own)
",
        users = args.users,
        renewals = load.renewals,
        days = as_f64(load.session) / 86_400.0,
        times = requests / writes,
    );
    let json = json!({
        "users": args.users,
        "every": every,
        "session": load.session,
        "renewals_per_session": load.renewals,
        "requests_per_second": requests,
        "writes_per_second": writes,
        "writes_per_second_unthrottled": requests,
        "bytes_per_session": record,
        "bytes": storage,
    });
    Ok(Report { text, json, found: false })
}

/// What one user costs who sends a request at a fixed interval.
#[derive(Debug, Eq, PartialEq)]
struct Load {
    /// Seconds from one sign-in to the next.
    session: u64,
    /// Renewals in that time.
    renewals: u64,
}

impl Load {
    fn of(policy: &SessionPolicy, every: TimeDelta) -> Self {
        // Never negative: settings of a policy, and an interval of 1 s or more.
        let secs = |duration: TimeDelta| duration.num_seconds().unsigned_abs();
        let (max_age, cap, every) =
            (secs(policy.max_age()), secs(policy.absolute_cap()), secs(every));
        // The first request that is due, and from there on every so many seconds.
        let renewal = secs(policy.update_age()).max(1).next_multiple_of(every);
        let (end, renewals) = if renewal >= max_age {
            (max_age, 0) // Idle before a request is due.
        } else {
            (cap, (cap - 1) / renewal)
        };
        // The first request that is refused signs in again.
        Self { session: end.next_multiple_of(every), renewals }
    }
}

#[expect(clippy::cast_precision_loss, reason = "rates for people")]
const fn as_f64(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use session_policy::Timestamp;
    use session_policy::review::{Happening, Timeline};

    use super::*;

    fn policy(max_age: i64, update_age: i64, absolute_cap: i64) -> SessionPolicy {
        SessionPolicy::new(
            TimeDelta::seconds(max_age),
            TimeDelta::seconds(update_age),
            TimeDelta::seconds(absolute_cap),
        )
        .unwrap()
    }

    /// The same from the rule, request by request.
    fn played(policy: &SessionPolicy, every: i64) -> Load {
        let requests = (1..).map(|n| Timestamp::from_unix_secs(n * every));
        let timeline = Timeline::play(
            policy,
            Timestamp::from_unix_secs(0),
            requests
                .take_while(|at| at.as_unix_secs() <= policy.absolute_cap().num_seconds() + every),
        );
        let refused = |happening| matches!(happening, Happening::Refused { .. });
        let mut events = timeline.events().iter();
        let first = events.find(|event| refused(event.happening)).unwrap().at;
        Load {
            session: first.as_unix_secs().unsigned_abs(),
            renewals: timeline.writes() as u64 - 1,
        }
    }

    #[test]
    fn the_load_is_what_the_rule_gives_request_by_request() {
        for cap in 1..24 {
            for max_age in 1..=cap {
                for update_age in 0..max_age {
                    for every in 1..30 {
                        let policy = policy(max_age, update_age, cap);
                        assert_eq!(
                            Load::of(&policy, TimeDelta::seconds(every)),
                            played(&policy, every),
                            "{max_age}/{update_age}/{cap}, every {every}",
                        );
                    }
                }
            }
        }
    }
}

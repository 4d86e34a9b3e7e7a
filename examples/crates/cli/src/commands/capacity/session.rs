//! What one session costs, from the policy and how its user comes and goes.
//!
//! Time is counted in intervals: from one request of a visit to the next. After each
//! request the visit ends with the same chance, perhaps with a sign-out, and a user who is
//! away is back after each interval with the same chance. So what becomes of a session
//! depends only on its age and on the time since its last renewal, and each sum below goes
//! over every case.

use chrono::TimeDelta;
use session_policy::SessionPolicy;

use super::usage::{Usage, as_f64};
use crate::input::InputError;

/// A session has at most so many intervals, which is about a second of work.
const MOST: usize = 1 << 27;
/// And so many within `max_age`, which is 400 MB.
const MOST_IDLE: usize = 1 << 24;
/// A chance that changes no sum.
const NEVER: f64 = 1e-15;

/// On average.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// That are served, the first of them after the sign-in.
    pub(super) requests: f64,
    pub(super) renewals: f64,
    /// How long it lives.
    pub(super) seconds: f64,
}

impl Session {
    pub(super) fn of(policy: &SessionPolicy, usage: &Usage) -> Result<Self, InputError> {
        // Never negative: settings of a policy.
        let secs = |duration: TimeDelta| duration.num_seconds().unsigned_abs();
        let (max_age, cap) = (secs(policy.max_age()), secs(policy.absolute_cap()));
        let intervals = |secs: u64, most: usize| {
            let intervals = usize::try_from(secs.div_ceil(usage.every)).ok();
            intervals
                .filter(|intervals| *intervals <= most)
                .ok_or_else(|| InputError::new("--every", "too short for so long a session"))
        };
        // From here on a request is refused, and renews.
        let (end, idle) = (intervals(cap, MOST)?, intervals(max_age, MOST_IDLE)?);
        let due = intervals(secs(policy.update_age()).max(1), MOST_IDLE)?.min(idle);
        let stretch = Stretch::of(usage, due, idle);

        let mut session = Self::default();
        // How likely a renewal is at each age, of the last `idle` ages; and how likely the
        // user is away at this one, with a renewal due.
        let (mut renewed, mut away) = (vec![0.0; idle], 0.0);
        let mut last = 0;
        for age in 0..end {
            let here = if age == 0 {
                1.0 // The sign-in.
            } else if due == idle {
                0.0
            } else {
                let ago = |intervals| {
                    if intervals > age { 0.0 } else { renewed[(age - intervals) % idle] }
                };
                away =
                    away * stretch.stays + ago(due) * stretch.away - ago(idle) * stretch.too_late;
                ago(due) * stretch.on_time + away * usage.come_back
            };
            if here > NEVER {
                last = age;
            } else if age - last > idle {
                break; // It has ended.
            }
            renewed[age % idle] = here;
            let left = cap - as_u64(age) * usage.every;
            session.requests += here * stretch.requests[due.min(end - age) - 1];
            session.renewals += if age == 0 { 0.0 } else { here };
            session.seconds += here * stretch.seconds(left.min(max_age), usage.every);
        }
        Ok(session)
    }
}

/// From one renewal to the next, to a sign-out or to the idle end; each is a chance.
#[derive(Debug, Default)]
struct Stretch {
    /// How many requests there are at or before each interval, without the next renewal.
    requests: Vec<f64>,
    /// How long it lasts at most until each interval, in intervals.
    lasts: Vec<f64>,
    /// That a request of the same visit comes when a renewal falls due.
    on_time: f64,
    /// That the user is away when a renewal falls due.
    away: f64,
    /// That the user is away from then to the idle end.
    too_late: f64,
    /// That a user who is away is so after the next interval, too.
    stays: f64,
}

impl Stretch {
    fn of(usage: &Usage, due: usize, idle: usize) -> Self {
        let (goes_on, stays) = (1.0 - usage.leave, 1.0 - usage.come_back);
        let pauses = usage.leave * (1.0 - usage.sign_out);
        let mut all = Self { stays, ..Self::default() };
        let (mut requests, mut lasts) = (1.0, 0.0);
        let (mut here, mut away) = (goes_on, pauses);
        all.requests.push(requests);
        all.lasts.push(lasts);
        for interval in 1..=idle {
            lasts += here + away;
            all.lasts.push(lasts);
            if interval < due {
                let request = here + away * usage.come_back;
                requests += request;
                all.requests.push(requests);
                (here, away) = (request * goes_on, away * stays + request * pauses);
            } else {
                if interval == due {
                    (all.on_time, all.away) = (here, away);
                }
                all.too_late = away;
                (here, away) = (0.0, away * stays);
            }
        }
        all
    }

    /// How long it lasts, at most `limit`, in seconds.
    fn seconds(&self, limit: u64, every: u64) -> f64 {
        let whole = usize::try_from(limit / every).unwrap_or(usize::MAX).min(self.lasts.len() - 1);
        let next = self.lasts[(whole + 1).min(self.lasts.len() - 1)];
        let part = as_f64(limit % every) / as_f64(every);
        (self.lasts[whole] + part * (next - self.lasts[whole])) * as_f64(every)
    }
}

const fn as_u64(number: usize) -> u64 {
    number as u64
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

    /// Requests and renewals of a session from the rule, request by request.
    fn played(policy: &SessionPolicy, every: i64) -> (u64, u64) {
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
        ((first.as_unix_secs() / every).unsigned_abs(), as_u64(timeline.writes() - 1))
    }

    #[test]
    fn a_session_that_is_always_in_use_is_what_the_rule_gives_request_by_request() {
        for cap in 1..24 {
            for max_age in 1..=cap {
                for update_age in 0..max_age {
                    for every in 1_i64..30 {
                        let policy = policy(max_age, update_age, cap);
                        let usage = Usage::always(every.unsigned_abs());
                        let session = Session::of(&policy, &usage).unwrap();
                        let (requests, renewals) = played(&policy, every);
                        let lives = if renewals == 0 { max_age } else { cap };
                        let numbers = [session.requests, session.renewals, session.seconds];
                        let expected = [requests, renewals, lives.unsigned_abs()].map(as_f64);
                        let near =
                            numbers.iter().zip(expected).all(|(one, two)| (one - two).abs() < 1e-9);
                        assert!(
                            near,
                            "{max_age}/{update_age}/{cap}, every {every}: {session:?}, not {expected:?}"
                        );
                    }
                }
            }
        }
    }
}

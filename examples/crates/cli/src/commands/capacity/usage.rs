//! How users come and go, and what each of them costs in a second.

use session_policy::SessionPolicy;

use super::session::Session;
use crate::input::InputError;

const DAY: f64 = 86_400.0;

/// How a user comes and goes; each is a chance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usage {
    /// Seconds from one request of a visit to the next.
    pub(super) every: u64,
    /// That a request is the last one of its visit.
    pub(super) leave: f64,
    /// That a visit ends with a sign-out.
    pub(super) sign_out: f64,
    /// That a user who is away is back after the next interval.
    pub(super) come_back: f64,
}

impl Usage {
    /// A user who never pauses.
    pub(super) fn always(every: u64) -> Self {
        Self { every, leave: 0.0, sign_out: 0.0, come_back: 1.0 }
    }

    /// A user who comes so many times a day, and stays for `visit` seconds on average.
    pub(super) fn visits(
        every: u64,
        a_day: f64,
        visit: u64,
        sign_out: f64,
    ) -> Result<Self, InputError> {
        let (interval, visit) = (as_f64(every), as_f64(visit));
        let away = DAY / a_day - visit;
        if visit < interval {
            return Err(InputError::new("--visit", "shorter than --every"));
        }
        if !(away.is_finite() && away >= interval) {
            let message = "a user must be away for at least --every between two visits";
            return Err(InputError::new("--visits-per-day", message));
        }
        if !(0.0..=1.0).contains(&sign_out) {
            return Err(InputError::new("--sign-out", "not from 0 to 1"));
        }
        let leave = interval / (visit + interval);
        Ok(Self { every, leave, sign_out, come_back: interval / away })
    }

    /// Requests of a user in a second.
    fn rate(&self) -> f64 {
        let intervals = 1.0 - self.leave + self.leave / self.come_back;
        1.0 / (as_f64(self.every) * intervals)
    }
}

/// What users cost in a second, on average over the day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) requests: f64,
    pub(super) sign_ins: f64,
    pub(super) renewals: f64,
    pub(super) sign_outs: f64,
    /// How many sessions live.
    pub(super) live: f64,
}

impl Load {
    pub(super) fn of(
        policy: &SessionPolicy,
        usage: &Usage,
        users: f64,
    ) -> Result<Self, InputError> {
        let requests = users * usage.rate();
        let session = Session::of(policy, usage)?;
        // A session ends before a request of its user, which is the next session's first.
        let sign_ins = requests / session.requests;
        Ok(Self {
            requests,
            sign_ins,
            renewals: sign_ins * session.renewals,
            sign_outs: requests * usage.leave * usage.sign_out,
            live: sign_ins * session.seconds,
        })
    }

    /// Requests that name a session: all but the first one after a sign-out.
    pub(super) fn reads(&self) -> f64 {
        self.requests - self.sign_outs
    }

    pub(super) fn writes(&self) -> f64 {
        self.sign_ins + self.renewals + self.sign_outs
    }

    /// Writes, if each request were one; a sign-out is another.
    pub(super) fn unthrottled(&self) -> f64 {
        self.requests + self.sign_outs
    }

    /// Sessions that one of the limits ends, in a second: a sweep removes them.
    pub(super) fn expired(&self) -> f64 {
        (self.sign_ins - self.sign_outs).max(0.0)
    }
}

#[expect(clippy::cast_precision_loss, reason = "rates for people")]
pub(super) const fn as_f64(number: u64) -> f64 {
    number as f64
}

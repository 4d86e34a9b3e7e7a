use core::iter::successors;

use chrono::TimeDelta;

use super::decision::Decision;
use super::lifetime::Lifetime;
use super::policy::SessionPolicy;
use crate::time::Timestamp;

impl SessionPolicy {
    /// The instants at which a continuously active session is renewed, from `lifetime`
    /// on to its end: a schedule that can be predicted and audited.
    ///
    /// At each, a stored session's record is written, and a stateless token re-issued. A
    /// hybrid one is re-issued only once the token before it was presented and its grace
    /// is over.
    ///
    /// Each is the first instant at which [`evaluate`](Self::evaluate) renews,
    /// and then that renewal's. A session without activity at such an instant is
    /// renewed at its next activity, and the schedule counts from there. With an
    /// `update_age` of 0 s it is every second.
    ///
    /// Lazy: up to `absolute_cap / update_age` instants.
    ///
    /// ```
    /// use session_policy::{SessionPolicy, Timestamp};
    ///
    /// // A working day re-issues its token every 15 minutes for 8 hours.
    /// let login = Timestamp::from_unix_secs(1_800_000_000);
    /// let policy = SessionPolicy::WORKING_DAY;
    /// let schedule: Vec<_> = policy.renewal_schedule(&policy.start(login)).collect();
    /// assert_eq!(schedule.len(), 31);
    /// assert_eq!(schedule[0].since(login), policy.update_age());
    /// assert_eq!(schedule[30].since(schedule[29]), policy.update_age());
    /// ```
    pub fn renewal_schedule(&self, lifetime: &Lifetime) -> impl Iterator<Item = Timestamp> + use<> {
        let policy = *self;
        let period = policy.update_age().max(TimeDelta::seconds(1));
        let renewal_after = move |lifetime: &Lifetime| {
            let due = lifetime.renewed_at().saturating_add(period);
            match policy.evaluate(lifetime, due) {
                Decision::Renew { lifetime: renewed } => Some(renewed),
                // Time saturates, and at its very end every session has ended.
                Decision::Keep { .. } | Decision::Reject { .. } => None,
            }
        };
        successors(renewal_after(lifetime), renewal_after)
            .map(|renewed: Lifetime| renewed.renewed_at())
    }
}

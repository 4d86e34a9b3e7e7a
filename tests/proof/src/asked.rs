//! What the crate answers; the same text for the crate as it is and with faults.

use chrono::TimeDelta;

use super::subject::store::{SecretHash, Update};
use super::subject::{
    Decision, Lifetime, Look, RejectReason, Session, SessionId, SessionPolicy, Timestamp, Watch,
};
use crate::case::{Answer, Case, Record, Settings};
use crate::oracle::{ABSOLUTE_CAP, IDLE, KEEP, NOT_YET_VALID, RENEW};

fn at(secs: i64) -> Timestamp {
    Timestamp::try_from(secs).expect("a case is within the range")
}

/// Whether it accepts these settings.
#[must_use]
pub fn is_policy(settings: Settings) -> bool {
    policy(settings).is_some()
}

/// Whether it accepts these instants.
#[must_use]
pub fn is_lifetime(record: Record) -> bool {
    lifetime(record).is_some()
}

fn policy([max_age, update_age, absolute_cap, skew]: Settings) -> Option<SessionPolicy> {
    let secs = TimeDelta::seconds;
    let policy = SessionPolicy::new(secs(max_age), secs(update_age), secs(absolute_cap)).ok()?;
    policy.with_clock_skew(secs(skew)).ok()
}

fn lifetime(record: Record) -> Option<Lifetime> {
    let [created, renewed, expires, absolute] = record.map(|secs| Timestamp::try_from(secs).ok());
    Lifetime::restore(created?, renewed?, expires?, absolute?).ok()
}

fn but_created(lifetime: &Lifetime) -> [i64; 3] {
    [lifetime.renewed_at(), lifetime.expires_at(), lifetime.absolute_expires_at()]
        .map(Timestamp::as_unix_secs)
}

fn decided(decision: Decision) -> (i64, i64) {
    let (kind, at) = match decision {
        Decision::Keep { until } => (KEEP, until),
        Decision::Renew { lifetime } => (RENEW, lifetime.expires_at()),
        Decision::Reject { reason, since } => {
            let kind = match reason {
                RejectReason::AbsoluteCap => ABSOLUTE_CAP,
                RejectReason::Idle => IDLE,
                RejectReason::NotYetValid => NOT_YET_VALID,
            };
            (kind, since)
        }
    };
    (kind, at.as_unix_secs())
}

fn session(record: Lifetime) -> Session {
    let (id, secret) = (SessionId::from_bytes([1; 16]), SecretHash::from_bytes([0; 32]));
    Session::new(id, "user", "default", secret, record).expect("the fields are a session's")
}

/// The record after the write that was decided, if it applies to what is stored.
fn applied(
    decided: &Lifetime,
    record: &Lifetime,
    now: Timestamp,
    stored: Lifetime,
) -> Option<Lifetime> {
    let update = Update::new(&session(*record), now, decided);
    Some(*update.apply(&session(stored))?.lifetime())
}

/// What the crate answers.
///
/// # Panics
///
/// If the crate refuses the settings or instants of a case.
#[must_use]
pub fn answer(case: &Case) -> Answer {
    let policy_of = |settings| policy(settings).expect("a case has policies");
    let (policy, other) = (policy_of(case.today), policy_of(case.other));
    let record = lifetime(case.record).expect("a case has a record");
    let [created, .., absolute] = case.record;
    let stored = lifetime([created, case.onto[0], case.onto[1], absolute]);
    let stored = stored.expect("a case has a second record");
    let (now, ceiling, later) = (at(case.now), at(case.ceiling), at(case.later));

    let decision = policy.evaluate(&record, now);
    let then = if let Decision::Renew { lifetime } = decision { lifetime } else { record };
    assert_eq!(then.created_at(), record.created_at());
    let (kind, at) = decided(decision);
    let status = policy.status(&record, now);
    assert_eq!(status.now, now);
    let [started, adopted] = [policy.start_until(now, ceiling), policy.adopt(now, ceiling)];
    assert_eq!([started.created_at(), adopted.created_at()], [now, now]);
    let met = policy.meet(&other);
    let met = [met.max_age(), met.update_age(), met.absolute_cap(), met.clock_skew()];
    // Of what is refused, nothing is written by the verbs; here it may be tried.
    let applied = applied(&then, &record, now, stored);
    let interval = TimeDelta::seconds(case.interval);
    let look = match Watch::new(&status, interval).next(later) {
        Look::At { at } => [0, at.as_unix_secs()],
        Look::End { at, .. } => [1, at.as_unix_secs()],
    };
    let peeked = decided(policy.peek(&record, now));
    Answer {
        kind,
        at,
        then: but_created(&then),
        peek: [peeked.0, peeked.1],
        idle_expires_at: status.idle_expires_at.as_unix_secs(),
        absolute_expires_at: status.absolute_expires_at.as_unix_secs(),
        extendable: i64::from(status.extendable),
        cookie: status.cookie_max_age().num_seconds(),
        started: but_created(&started),
        adopted: but_created(&adopted),
        met: met.map(|setting| setting.num_seconds()),
        scheduled: policy.renewal_schedule(&record).next().map(Timestamp::as_unix_secs),
        applies: i64::from(applied.is_some()),
        applied: but_created(&applied.unwrap_or(stored)),
        look,
    }
}

//! What a hybrid session does with a presented token: a pure function of the
//! row, the token's generation and the instant.

use super::grace::Grace;
use crate::record::Session;
use crate::rule::{Decision, Lifetime, RejectReason, SessionPolicy};
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Step {
    /// A limit refuses the session, whatever the token.
    Reject { reason: RejectReason, since: Timestamp },
    /// A superseded token: end the session.
    Reuse,
    /// Serve, once written.
    Serve(Serve),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Serve {
    pub(super) write: Option<Write>,
    /// Which generation to answer with a token of.
    pub(super) answer: Option<u64>,
}

/// What the guarded write sets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Write {
    pub(super) lifetime: Lifetime,
    pub(super) generation: u64,
    pub(super) confirmed_at: Option<Timestamp>,
}

/// With g the row's generation and k the token's:
///
/// ```text
/// k == g,    due and confirmed_at + grace <= now -> extend, g + 1, confirmed_at = none, answer with g + 1
/// k == g,    otherwise                           -> confirm if not confirmed; extend if due; answer with nothing
/// k == g - 1 and not confirmed                   -> the answer was lost: answer with g again (extend if due)
/// k == g - 1 and now < confirmed_at + grace      -> serve (extend if due), answer with nothing
/// anything else                                  -> reuse
/// ```
///
/// "Due" and "extend" are [`SessionPolicy::evaluate`]'s renewal. A `confirmed_at` that
/// is further ahead than the skew gives no grace.
pub(super) fn step(
    row: &Session,
    presented: u64,
    now: Timestamp,
    grace: Grace,
    policy: &SessionPolicy,
) -> Step {
    let extended = match policy.evaluate(row.lifetime(), now) {
        Decision::Keep { .. } => None,
        Decision::Reject { reason, since } => return Step::Reject { reason, since },
        Decision::Renew { lifetime } => Some(lifetime),
    };
    let (generation, confirmed_at) = (row.generation(), row.confirmed_at());
    let in_grace = confirmed_at.is_some_and(|at| now < at.saturating_add(grace.get()));
    let is_credible = confirmed_at.is_some_and(|at| at.saturating_sub(policy.clock_skew()) <= now);
    let write = |lifetime, generation, confirmed_at| Write { lifetime, generation, confirmed_at };
    let extend = extended.map(|lifetime| write(lifetime, generation, confirmed_at));
    let serve = |write, answer| Step::Serve(Serve { write, answer });

    if presented == generation {
        match (extended, generation.checked_add(1), confirmed_at) {
            (Some(lifetime), Some(next), Some(_)) if !in_grace => {
                serve(Some(write(lifetime, next, None)), Some(next))
            }
            (_, _, None) => {
                let lifetime = extended.unwrap_or(*row.lifetime());
                serve(Some(write(lifetime, generation, Some(now))), None)
            }
            (_, _, Some(_)) => serve(extend, None),
        }
    } else if presented.checked_add(1) != Some(generation) {
        Step::Reuse
    } else if confirmed_at.is_none() {
        serve(extend, Some(generation))
    } else if in_grace && is_credible {
        serve(extend, None)
    } else {
        Step::Reuse
    }
}

#[cfg(test)]
mod tests {
    use alloc::sync::Arc;

    use chrono::TimeDelta;

    use super::*;
    use crate::config::Policies;
    use crate::record::{SecretHash, SessionId, SessionParts};

    const fn at(secs: i64) -> Timestamp {
        Timestamp::from_unix_secs(secs)
    }

    /// Started at 0, renewed at 1 000, good until 3 000, capped at 9 000; due
    /// from 1 100 on. The grace is 30 s.
    fn row(generation: u64, confirmed_at: Option<i64>) -> Session {
        Session::restore(SessionParts {
            id: SessionId::from_bytes([1; 16]),
            subject: Arc::from("user"),
            profile: Arc::from("default"),
            epoch: None,
            ordinal: 0,
            about: None,
            version: 7,
            secret: SecretHash::from_bytes([0; 32]),
            lifetime: Lifetime::restore(at(0), at(1_000), at(3_000), at(9_000)).unwrap(),
            generation,
            confirmed_at: confirmed_at.map(at),
        })
        .unwrap()
    }

    /// `renewed_at`, generation and `confirmed_at` after the write.
    type Written = (i64, u64, Option<i64>);
    /// `confirmed_at`, the presented generation and the instant; then what is
    /// written, and the generation of the answer.
    type Case = (Option<i64>, u64, i64, Option<Written>, Option<u64>);

    #[test]
    fn the_table_is_decided_to_the_second() {
        let secs = TimeDelta::seconds;
        let policy = SessionPolicy::new(secs(2_000), secs(100), secs(9_000)).unwrap();
        let policy = policy.with_clock_skew(secs(20)).unwrap();
        let grace = Grace::new(secs(30), &Policies::new(policy)).unwrap();
        let cases: [Case; 18] = [
            // The current token, confirmed.
            (Some(1_000), 5, 1_029, None, None),
            (Some(1_000), 5, 1_099, None, None),
            (Some(1_000), 5, 1_100, Some((1_100, 6, None)), Some(6)),
            (Some(1_070), 5, 1_100, Some((1_100, 6, None)), Some(6)),
            (Some(1_071), 5, 1_100, Some((1_100, 5, Some(1_071))), None),
            (Some(1_200), 5, 1_150, Some((1_150, 5, Some(1_200))), None), // clock went back
            // The current token, not confirmed.
            (None, 5, 1_099, Some((1_000, 5, Some(1_099))), None),
            (None, 5, 1_100, Some((1_100, 5, Some(1_100))), None),
            (None, 5, 2_999, Some((2_999, 5, Some(2_999))), None),
            // Its predecessor, while the successor is not confirmed.
            (None, 4, 1_000, None, Some(5)),
            (None, 4, 1_099, None, Some(5)),
            (None, 4, 1_100, Some((1_100, 5, None)), Some(5)),
            // Its predecessor, within the grace.
            (Some(1_000), 4, 1_000, None, None),
            (Some(1_000), 4, 1_029, None, None),
            (Some(1_090), 4, 1_099, None, None),
            (Some(1_090), 4, 1_100, Some((1_100, 5, Some(1_090))), None),
            (Some(1_090), 4, 1_119, Some((1_119, 5, Some(1_090))), None),
            (Some(1_070), 4, 1_050, None, None), // confirmed by a clock that is ahead
        ];
        for (confirmed_at, presented, now, written, answer) in cases {
            let case = (confirmed_at, presented, now);
            let step = step(&row(5, confirmed_at), presented, at(now), grace, &policy);
            let Step::Serve(Serve { write, answer: answered }) = step else {
                panic!("{case:?}: {step:?}");
            };
            let write = write.map(|write| {
                let confirmed_at = write.confirmed_at.map(Timestamp::as_unix_secs);
                (write.lifetime.renewed_at().as_unix_secs(), write.generation, confirmed_at)
            });
            assert_eq!((write, answered), (written, answer), "{case:?}");
        }
        for (confirmed_at, presented, now) in [
            (Some(1_000), 4, 1_030),
            (Some(1_090), 4, 1_120),
            (Some(1_000), 3, 1_001),
            (None, 3, 1_001),
            (Some(1_000), 6, 1_001),
            (None, 6, 1_001),
            (Some(1_000), 0, 1_001),
            (None, u64::MAX, 1_001),
            (Some(1_070), 4, 1_049), // confirmed further ahead than the skew
        ] {
            let step = step(&row(5, confirmed_at), presented, at(now), grace, &policy);
            assert_eq!(step, Step::Reuse, "{confirmed_at:?} {presented} {now}");
        }
    }

    #[test]
    fn a_limit_comes_before_any_generation() {
        let policy = SessionPolicy::WORKING_DAY;
        let grace = Grace::of(&Policies::new(policy)).unwrap();
        for presented in [0, 4, 5, 6, u64::MAX] {
            let step = step(&row(5, None), presented, at(3_000), grace, &policy);
            let idle = Step::Reject { reason: RejectReason::Idle, since: at(3_000) };
            assert_eq!(step, idle, "{presented}");
        }
    }

    #[test]
    fn the_last_generation_does_not_overflow() {
        let policy = SessionPolicy::WORKING_DAY;
        let grace = Grace::of(&Policies::new(policy)).unwrap();
        let step = step(&row(u64::MAX, Some(0)), u64::MAX, at(2_999), grace, &policy);
        let Step::Serve(Serve { write: Some(write), answer }) = step else { panic!("{step:?}") };
        assert_eq!((write.generation, answer), (u64::MAX, None));
    }
}

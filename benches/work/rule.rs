//! The rule over many records, and the floor under it.

use std::hint::select_unpredictable;

use chrono::TimeDelta;
use session_policy::{Decision, Lifetime, RejectReason, SessionPolicy, Timestamp};

use super::Random;

const NOW: i64 = 1_800_000_000;

/// Records and the instant at which they are evaluated.
pub struct Scan {
    pub policy: SessionPolicy,
    pub lifetimes: Vec<Lifetime>,
    pub now: Timestamp,
}

/// Which decisions a scan meets.
#[derive(Clone, Copy)]
pub enum Mix {
    /// Nine in ten are kept, the others of every kind.
    MostlyKept,
    /// All kinds, alike often, in no order.
    Mixed,
}

/// 30 minutes idle, renewed at most every 5, 8 hours in all.
pub fn policy() -> SessionPolicy {
    SessionPolicy::new(TimeDelta::minutes(30), TimeDelta::minutes(5), TimeDelta::hours(8))
        .expect("a policy")
}

impl Scan {
    pub fn new(mix: Mix, count: usize) -> Self {
        let policy = policy();
        let mut random = Random::new(5);
        let lifetimes = (0..count).map(|_| lifetime(&policy, mix, &mut random)).collect();
        Self { policy, lifetimes, now: Timestamp::from_unix_secs(NOW) }
    }

    /// Both sides decide every record alike.
    pub fn assert_same(&self) {
        let (reference, now) = (Reference::from(&self.policy), self.now.as_unix_secs());
        let mut kinds = [0; 5];
        for lifetime in &self.lifetimes {
            let ours = Plain::from(self.policy.evaluate(lifetime, self.now));
            let theirs = reference.decide(&instants(lifetime), now);
            assert_eq!(ours, theirs.only_what_it_means());
            kinds[ours.kind] += 1;
        }
        assert!(kinds.iter().all(|count| *count > 0), "{kinds:?} of each kind");
    }
}

/// A record that meets one kind of decision at `NOW`.
fn lifetime(policy: &SessionPolicy, mix: Mix, random: &mut Random) -> Lifetime {
    let kind = match mix {
        Mix::MostlyKept if random.below(10) > 0 => 0,
        Mix::MostlyKept | Mix::Mixed => random.below(5),
    };
    let started = |ago: i64| policy.start(Timestamp::from_unix_secs(NOW - ago));
    let jitter = i64::try_from(random.below(299)).expect("small");
    match kind {
        0 => started(jitter),
        1 => started(300 + jitter),
        2 => started(1_800 + jitter),
        3 => {
            // Active to the end, so that the cap ended it.
            let login = NOW - 28_800 - jitter;
            let [created, renewed, cap] =
                [login, login + 28_000, login + 28_800].map(Timestamp::from_unix_secs);
            Lifetime::restore(created, renewed, cap, cap).expect("in order")
        }
        _ => started(-61 - jitter),
    }
}

/// A decision as its kind and its instants, of integers only.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Plain {
    pub kind: usize,
    pub created_at: i64,
    pub renewed_at: i64,
    pub expires_at: i64,
    pub absolute_expires_at: i64,
}

impl From<Decision> for Plain {
    fn from(decision: Decision) -> Self {
        let only = |kind, at: Timestamp| Self {
            kind,
            created_at: at.as_unix_secs(),
            renewed_at: 0,
            expires_at: 0,
            absolute_expires_at: 0,
        };
        match decision {
            Decision::Keep { until } => only(0, until),
            Decision::Renew { lifetime } => Self {
                kind: 1,
                created_at: lifetime.created_at().as_unix_secs(),
                renewed_at: lifetime.renewed_at().as_unix_secs(),
                expires_at: lifetime.expires_at().as_unix_secs(),
                absolute_expires_at: lifetime.absolute_expires_at().as_unix_secs(),
            },
            Decision::Reject { reason: RejectReason::NotYetValid, since } => only(2, since),
            Decision::Reject { reason: RejectReason::AbsoluteCap, since } => only(3, since),
            Decision::Reject { reason: RejectReason::Idle, since } => only(4, since),
        }
    }
}

/// The floor: the rule on bare integers, straight through, saturating, as one
/// would write it by hand for one policy.
#[derive(Clone, Copy)]
pub struct Reference {
    pub max_age: i64,
    pub update_age: i64,
    pub absolute_cap: i64,
    pub clock_skew: i64,
}

impl From<&SessionPolicy> for Reference {
    fn from(policy: &SessionPolicy) -> Self {
        Self {
            max_age: policy.max_age().num_seconds(),
            update_age: policy.update_age().num_seconds(),
            absolute_cap: policy.absolute_cap().num_seconds(),
            clock_skew: policy.clock_skew().num_seconds(),
        }
    }
}

/// The four instants as integers: created, renewed, expires, cap.
pub type Instants = [i64; 4];

pub fn instants(lifetime: &Lifetime) -> Instants {
    [
        lifetime.created_at(),
        lifetime.renewed_at(),
        lifetime.expires_at(),
        lifetime.absolute_expires_at(),
    ]
    .map(Timestamp::as_unix_secs)
}

impl Plain {
    /// Without the words that its kind does not use.
    fn only_what_it_means(self) -> Self {
        let at = |at| if self.kind == 1 { at } else { 0 };
        Self {
            renewed_at: at(self.renewed_at),
            expires_at: at(self.expires_at),
            absolute_expires_at: at(self.absolute_expires_at),
            ..self
        }
    }
}

impl Reference {
    #[inline]
    pub fn decide(&self, [created, renewed, expires, absolute]: &Instants, now: i64) -> Plain {
        let cap = created.saturating_add(self.absolute_cap).min(*absolute);
        let end = renewed.saturating_add(self.max_age).min(*expires).min(cap);
        let earliest = created.saturating_sub(self.clock_skew);
        let due = renewed.saturating_add(self.update_age);
        let slid = now.saturating_add(self.max_age);
        // Conditional moves; the compiler makes a jump of the plain minimum.
        let slid = cap + slid.saturating_sub(cap).min(0);
        let ended = select_unpredictable(end == cap, 3, 4);
        let served = usize::from(now >= due);
        let kind = select_unpredictable(now >= end, ended, served);
        let kind = select_unpredictable(now < earliest, 2, kind);
        let first = select_unpredictable(now < earliest, earliest, end);
        Plain {
            kind,
            created_at: select_unpredictable(kind == 1, *created, first),
            renewed_at: now,
            expires_at: slid,
            absolute_expires_at: *absolute,
        }
    }
}

//! A long life: policies change, clocks step, stores round, ids rotate, and the
//! cap stays where the login put it.
//!
//! A state machine drawn by proptest. At every step law 1 (no `expires_at`
//! exceeds its cap) and law 2 (nothing is served at or after `created_at +
//! absolute_cap`) hold.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]

mod strategies;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use session_policy::store::{SecretHash, SessionParts, Update};
use session_policy::{Decision, Lifetime, Session, SessionId, SessionPolicy, Timestamp};

use crate::strategies::{Near, cases, instant, near, policy, policy_of};

/// What can happen to a session.
#[derive(Clone, Debug)]
enum Event {
    /// Another clock, or this one after it was set: forwards or backwards, near
    /// a limit.
    ClockSet(Near),
    /// Time passes.
    ClockRuns(i64),
    /// A request of the user's.
    Request,
    /// A new policy is deployed.
    PolicyChanges(SessionPolicy),
    /// Every bound of the policy is multiplied, up to a century.
    PolicyLoosens(i64),
    /// Every bound of the policy is divided.
    PolicyTightens(i64),
    /// The record goes to a store and back.
    StoreRoundTrips(Store),
    /// The session gets a new id and secret.
    TokenRotates([u8; 16], [u8; 32]),
    /// A tenant's policy is met with today's.
    TenantMeets(SessionPolicy),
    /// A request as soon as a renewal is due, or seconds later.
    UserReturns(i64),
    /// A write of an earlier version of the record arrives late.
    WriteArrivesLate,
}

/// What a store keeps of the instants.
#[derive(Clone, Copy, Debug)]
enum Store {
    /// The whole record in a format that is not human-readable.
    #[cfg(feature = "serde")]
    Binary,
    /// Both ends cut to whole minutes, creation and renewal to the second: a
    /// record that this breaks must be refused.
    EndsInMinutes,
    /// `expires_at` in whole minutes rounded up: a record that this takes past
    /// its cap must be refused.
    ExpiryInMinutesUp,
    /// Milliseconds, as JavaScript's dates.
    IntegerMillis,
    /// Seconds in `i64` columns.
    IntegerSecs,
    /// The whole record as JSON.
    #[cfg(feature = "serde")]
    Json,
    /// All four in whole minutes.
    Minutes,
    /// RFC 3339 text.
    Text,
}

proptest! {
    #![proptest_config(cases(2_048))]

    #[test]
    fn whatever_happens_in_a_session_s_life_its_cap_holds(
        first in policy(),
        login in instant(),
        ceiling in proptest::option::of(near()),
        events in proptest::collection::vec(event(), 1..120),
    ) {
        let unlimited = first.start(login);
        let ceiling =
            ceiling.map_or(Timestamp::MAX, |ceiling| ceiling.instant(&first, &unlimited));
        let mut life = Life::new(first, login, ceiling);
        for event in events {
            life.step(event);
            life.check();
        }
    }
}

/// The session as the application holds it, and what must never change.
struct Life {
    session: Session,
    policy: SessionPolicy,
    now: Timestamp,
    /// The login, and the end that it was given.
    login: Timestamp,
    last: Timestamp,
    /// That end as it is stored now, which a coarse store may have cut.
    stored_cap: Timestamp,
    /// A renewal that was decided, and has not arrived yet.
    late: Option<Update>,
}

impl Life {
    fn new(policy: SessionPolicy, login: Timestamp, ceiling: Timestamp) -> Self {
        let (id, secret) = (SessionId::from_bytes([0; 16]), SecretHash::of_secret(&[0; 32]));
        let lifetime = policy.start_until(login, ceiling);
        let session = Session::new(id, "user-42", "default", secret, lifetime).unwrap();
        let last = login.saturating_add(policy.absolute_cap()).min(ceiling).max(login);
        Self { session, policy, now: login, login, last, stored_cap: last, late: None }
    }

    fn step(&mut self, event: Event) {
        match event {
            Event::ClockSet(near) => self.now = near.instant(&self.policy, self.session.lifetime()),
            Event::ClockRuns(secs) => {
                self.now = self.now.saturating_add(TimeDelta::seconds(secs));
            }
            Event::Request => self.request(),
            Event::PolicyChanges(policy) => self.policy = policy,
            Event::PolicyLoosens(factor) => self.policy = scaled(&self.policy, |n| n * factor),
            Event::PolicyTightens(factor) => self.policy = scaled(&self.policy, |n| n / factor),
            Event::StoreRoundTrips(store) => self.round_trip(store),
            Event::TokenRotates(id, secret) => {
                let parts = SessionParts {
                    id: SessionId::from_bytes(id),
                    secret: SecretHash::of_secret(&secret),
                    version: 0,
                    ..self.session.clone().into_parts()
                };
                self.session = Session::restore(parts).unwrap();
            }
            Event::TenantMeets(policy) => self.policy = self.policy.meet(&policy),
            Event::UserReturns(secs) => {
                let due =
                    self.session.lifetime().renewed_at().saturating_add(self.policy.update_age());
                self.now = due.saturating_add(TimeDelta::seconds(secs));
                self.request();
            }
            Event::WriteArrivesLate => {
                if let Some(late) = self.late.take() {
                    // The guard of a store: never back, never of another session.
                    if let Some(renewed) = late.apply(&self.session) {
                        assert_eq!(late.expected_version() + 1, renewed.version());
                        self.session = renewed;
                    }
                }
            }
        }
    }

    fn request(&mut self) {
        let decision = self.policy.evaluate(self.session.lifetime(), self.now);
        self.check_served(decision.is_served());
        match decision {
            Decision::Keep { until } => assert!(until <= self.cap_in_force()),
            Decision::Reject { .. } => {}
            Decision::Renew { lifetime } => {
                assert!(lifetime.expires_at() <= self.cap_in_force());
                let renewal = Update::new(&self.session, self.now, &lifetime);
                let renewed = renewal.apply(&self.session).expect("a decided renewal applies");
                assert_eq!(*renewed.lifetime(), lifetime);
                // Every other write is lost on its way.
                if self.session.version() % 2 == 1 && self.late.is_none() {
                    self.late = Some(renewal);
                } else {
                    self.session = renewed;
                }
            }
        }
    }

    /// A store that does not keep the second may shorten the session, or break
    /// the record, which is then refused; the session never outlives its cap.
    fn round_trip(&mut self, store: Store) {
        let before = *self.session.lifetime();
        let Some(after) = store.keep(&before) else {
            assert!(store.is_coarse(), "{store:?} refused {before:?}");
            return;
        };
        assert!(store.is_coarse() || after == before, "{store:?}: {before:?} became {after:?}");
        assert!(after.created_at() <= before.created_at());
        assert!(after.absolute_expires_at() <= before.absolute_expires_at());
        if !matches!(store, Store::ExpiryInMinutesUp) {
            let end = |lifetime| self.policy.status(lifetime, self.now).idle_expires_at;
            assert!(end(&after) <= end(&before), "{store:?} lengthened {before:?} to {after:?}");
        }
        let parts = SessionParts { lifetime: after, ..self.session.clone().into_parts() };
        self.session = Session::restore(parts).unwrap();
        self.stored_cap = after.absolute_expires_at();
    }

    /// Law 1 and law 2, at any instant and not only at the request's.
    fn check(&self) {
        let lifetime = self.session.lifetime();
        assert!(lifetime.expires_at() <= lifetime.absolute_expires_at());
        assert_eq!(lifetime.absolute_expires_at(), self.stored_cap);
        assert!(self.stored_cap <= self.last);
        assert!(lifetime.created_at() <= self.login);
        for end in [self.cap_in_force(), self.stored_cap, self.last, Timestamp::MAX] {
            assert!(!self.policy.evaluate(lifetime, end).is_served(), "served at {end}");
        }
        self.check_served(self.policy.peek(lifetime, self.now).is_served());
    }

    fn check_served(&self, served: bool) {
        assert!(!served || self.now < self.cap_in_force(), "served at {}", self.now);
    }

    /// The cap of the login or of today's policy, whichever is earlier.
    fn cap_in_force(&self) -> Timestamp {
        self.login.saturating_add(self.policy.absolute_cap()).min(self.last)
    }
}

impl Store {
    fn is_coarse(self) -> bool {
        matches!(self, Self::EndsInMinutes | Self::ExpiryInMinutesUp | Self::Minutes)
    }

    /// What comes back; `None` if it is refused.
    fn keep(self, lifetime: &Lifetime) -> Option<Lifetime> {
        let exact = |secs: i64| Some(secs);
        let millis = |secs: i64| Some(secs.checked_mul(1_000)?.div_euclid(1_000));
        let down = |secs: i64| Some(secs.div_euclid(60) * 60);
        let up = |secs: i64| Some(-(-secs).div_euclid(60) * 60);
        let text = |secs: i64| {
            let text = DateTime::from_timestamp(secs, 0)?.to_rfc3339();
            Some(text.parse::<DateTime<Utc>>().ok()?.timestamp())
        };
        match self {
            #[cfg(feature = "serde")]
            Self::Binary => {
                Some(postcard::from_bytes(&postcard::to_allocvec(lifetime).unwrap()).unwrap())
            }
            Self::EndsInMinutes => columns(lifetime, [&exact, &exact, &down, &down]),
            Self::ExpiryInMinutesUp => columns(lifetime, [&exact, &exact, &up, &exact]),
            Self::IntegerMillis => columns(lifetime, [&millis; 4]),
            Self::IntegerSecs => columns(lifetime, [&exact; 4]),
            #[cfg(feature = "serde")]
            Self::Json => {
                Some(serde_json::from_str(&serde_json::to_string(lifetime).unwrap()).unwrap())
            }
            Self::Minutes => columns(lifetime, [&down; 4]),
            Self::Text => columns(lifetime, [&text; 4]),
        }
    }
}

/// The four instants, each through its column.
fn columns(
    lifetime: &Lifetime,
    [created, renewed, expires, cap]: [&dyn Fn(i64) -> Option<i64>; 4],
) -> Option<Lifetime> {
    let through = |column: &dyn Fn(i64) -> Option<i64>, instant: Timestamp| {
        Timestamp::try_from(column(instant.as_unix_secs())?).ok()
    };
    Lifetime::restore(
        through(created, lifetime.created_at())?,
        through(renewed, lifetime.renewed_at())?,
        through(expires, lifetime.expires_at())?,
        through(cap, lifetime.absolute_expires_at())?,
    )
    .ok()
}

fn scaled(policy: &SessionPolicy, scale: impl Fn(i64) -> i64) -> SessionPolicy {
    let century = TimeDelta::days(36_525).num_seconds();
    let scaled = |setting: TimeDelta| scale(setting.num_seconds()).min(century);
    let max_age = scaled(policy.max_age()).max(1);
    policy_of(
        max_age,
        scaled(policy.update_age()).min(max_age - 1),
        scaled(policy.absolute_cap()).max(max_age),
        policy.clock_skew().num_seconds(),
    )
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => near().prop_map(Event::ClockSet),
        2 => (-90..=90_000_i64).prop_map(Event::ClockRuns),
        8 => Just(Event::Request),
        1 => policy().prop_map(Event::PolicyChanges),
        1 => (2..=50_i64).prop_map(Event::PolicyLoosens),
        1 => (2..=3_i64).prop_map(Event::PolicyTightens),
        2 => store().prop_map(Event::StoreRoundTrips),
        1 => any::<([u8; 16], [u8; 32])>().prop_map(|(id, secret)| Event::TokenRotates(id, secret)),
        1 => policy().prop_map(Event::TenantMeets),
        8 => (0..=2_i64).prop_map(Event::UserReturns),
        1 => Just(Event::WriteArrivesLate),
    ]
}

fn store() -> impl Strategy<Value = Store> {
    proptest::sample::select(vec![
        #[cfg(feature = "serde")]
        Store::Binary,
        Store::EndsInMinutes,
        Store::ExpiryInMinutesUp,
        Store::IntegerMillis,
        Store::IntegerSecs,
        #[cfg(feature = "serde")]
        Store::Json,
        Store::Minutes,
        Store::Text,
    ])
}

/// The two that break a record, each shown to be refused.
#[test]
fn a_record_that_a_coarse_column_breaks_is_refused() {
    let restore = |instants: [i64; 4]| {
        let [created, renewed, expires, cap] = instants.map(Timestamp::from_unix_secs);
        Lifetime::restore(created, renewed, expires, cap).unwrap()
    };
    for (store, before, after) in [
        (Store::EndsInMinutes, [0, 61, 119, 200], None),
        (Store::EndsInMinutes, [0, 60, 119, 200], Some([0, 60, 60, 180])),
        (Store::ExpiryInMinutesUp, [0, 0, 61, 119], None),
        (Store::ExpiryInMinutesUp, [0, 0, 61, 120], Some([0, 0, 120, 120])),
        (Store::Minutes, [59, 61, 119, 200], Some([0, 60, 60, 180])),
    ] {
        assert_eq!(store.keep(&restore(before)), after.map(restore), "{store:?}: {before:?}");
    }
}

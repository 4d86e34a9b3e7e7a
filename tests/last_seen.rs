//! "Last seen" is the last counted activity, to within `update_age` (law 15).
#![cfg(feature = "std")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod schedules;
mod strategies;

use std::sync::{Arc, Mutex};

use pollster::block_on;
use proptest::prelude::*;
#[cfg(feature = "jwt")]
use session_policy::jwt::{Algorithm, HybridSessions, KeyRing, SigningKey};
use session_policy::{ManualClock, SessionPolicy, Sessions};

use schedules::{Choices, Fault, SUBJECT, Store, When, at};
use strategies::{cases, policy_of};

/// Policies with the settings that coincide: a working day, whose idle limit is its
/// cap; a renewal at each request, and one that is due at the last second.
fn policies() -> impl Strategy<Value = SessionPolicy> {
    let idle = prop_oneof![Just(1_i64), Just(60), 2..5_000_i64];
    let update = prop_oneof![Just(0_i64), Just(i64::MAX), 0..5_000_i64];
    let cap = prop_oneof![Just(0_i64), 0..20_000_i64];
    (idle, update, cap).prop_map(|(max_age, update_age, more)| {
        policy_of(max_age, update_age.min(max_age - 1), max_age + more, 60)
    })
}

/// Seconds between requests: often none, or about the throttle.
fn pauses(policy: &SessionPolicy) -> impl Strategy<Value = Vec<i64>> + use<> {
    let (update, idle) = (policy.update_age().num_seconds(), policy.max_age().num_seconds());
    let near = (update - 1).max(0)..=update + 1;
    let pause = prop_oneof![Just(0), Just(1), near, 0..=idle];
    prop::collection::vec(pause, 1..40)
}

fn story() -> impl Strategy<Value = (SessionPolicy, Vec<i64>)> {
    policies().prop_flat_map(|policy| (Just(policy), pauses(&policy)))
}

fn store(fault: Fault) -> Arc<Store> {
    Arc::new(Store::new(&Arc::new(Mutex::new(Choices::default())), When::Before, fault))
}

/// Where the law does not hold, if anywhere.
fn opaque(policy: SessionPolicy, pauses: &[i64], fault: Fault) -> Result<(), String> {
    let (store, clock) = (store(fault), ManualClock::new(at(0)));
    let sessions = Sessions::new(Arc::clone(&store), policy).with_clock(clock.clone());
    let started = block_on(sessions.start(SUBJECT)).unwrap();
    let token = started.token.expose();
    last_seen(policy, pauses, &store, &clock, |peeks| {
        if peeks {
            return block_on(sessions.peek(token)).is_ok();
        }
        block_on(sessions.authenticate(token)).is_ok()
    })
}

#[cfg(feature = "jwt")]
fn hybrid(policy: SessionPolicy, pauses: &[i64]) -> Result<(), String> {
    let (store, clock) = (store(Fault::None), ManualClock::new(at(0)));
    let key = SigningKey::secret("k", Algorithm::Hs256, [7; 32]).unwrap();
    let ring = KeyRing::new(key).unwrap();
    let Ok(sessions) = HybridSessions::new(Arc::clone(&store), ring, policy) else {
        return Ok(()); // No grace fits.
    };
    let sessions = sessions.with_clock(clock.clone());
    let mut token = block_on(sessions.start(SUBJECT)).unwrap().token;
    last_seen(policy, pauses, &store, &clock, |peeks| {
        if peeks {
            return block_on(sessions.peek(token.expose())).is_ok();
        }
        let Ok(served) = block_on(sessions.authenticate(token.expose())) else { return false };
        token = served.token.unwrap_or_else(|| token.clone());
        true
    })
}

/// Every third request is not the user's own.
fn last_seen(
    policy: SessionPolicy,
    pauses: &[i64],
    store: &Store,
    clock: &ManualClock,
    mut request: impl FnMut(bool) -> bool,
) -> Result<(), String> {
    let (mut now, mut last) = (0, 0);
    for (step, pause) in pauses.iter().enumerate() {
        now += pause;
        clock.set(at(now));
        let peeks = step % 3 == 2;
        if !request(peeks) {
            return Ok(()); // Its time is over.
        }
        last = if peeks { last } else { now };
        let renewed_at = store.rows()[0].lifetime().renewed_at().as_unix_secs();
        let (renewed_at, throttle) = (renewed_at - at(0).as_unix_secs(), policy.update_age());
        if !(renewed_at <= last && last < renewed_at + throttle.num_seconds().max(1)) {
            return Err(format!("renewed at {renewed_at}, last active at {last}"));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn renewed_at_is_the_last_counted_activity((policy, pauses) in story()) {
        prop_assert_eq!(opaque(policy, &pauses, Fault::None), Ok(()));
    }

    #[cfg(feature = "jwt")]
    #[test]
    fn renewed_at_of_a_hybrid_session_is_it_too((policy, pauses) in story()) {
        prop_assert_eq!(hybrid(policy, &pauses), Ok(()));
    }
}

/// At the cap a renewal gains no time, and "last seen" would stand still.
#[test]
fn a_renewal_that_is_skipped_where_it_gains_no_time_is_found() {
    let pauses = [300; 40];
    let skips = opaque(SessionPolicy::WORKING_DAY, &pauses, Fault::SkipsWithoutGain);
    println!("{}", skips.unwrap_err());
    assert_eq!(opaque(SessionPolicy::WORKING_DAY, &pauses, Fault::None), Ok(()));
}

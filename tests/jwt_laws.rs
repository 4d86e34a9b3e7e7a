//! The laws of the rule hold through issue, verification and re-issue.
#![cfg(feature = "jwt")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use chrono::TimeDelta;
use jsonwebtoken::dangerous::insecure_decode_claims;
use pollster::block_on;
use proptest::prelude::*;
use serde_json::Value;
use session_policy::jwt::{Algorithm, JwtSessions, KeyRing, SigningKey};
use session_policy::{
    AuthenticateError, Clock, Decision, ManualClock, SessionPolicy, SessionToken, Timestamp,
};

const START: i64 = 1_800_000_000;

fn ring() -> KeyRing {
    KeyRing::new(SigningKey::secret("k", Algorithm::Hs256, [7; 32]).unwrap()).unwrap()
}

fn policies() -> impl Strategy<Value = SessionPolicy> {
    (1..400_i64, 0..400_i64, 0..400_i64, 0..3_i64).prop_map(|(max_age, update_age, more, skew)| {
        let secs = TimeDelta::seconds;
        let policy =
            SessionPolicy::new(secs(max_age), secs(update_age % max_age), secs(max_age + more));
        policy.unwrap().with_clock_skew(secs(skew)).unwrap()
    })
}

/// What happens next: the clock goes to within 2 s of a limit of the current
/// token, or by some seconds, also back; perhaps under another policy.
#[derive(Clone, Debug)]
enum Move {
    By(i64),
    NearCap(i64),
    NearDue(i64),
    NearEnd(i64),
    Policy(SessionPolicy),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        (-50..300_i64).prop_map(Move::By),
        (-2..3_i64).prop_map(Move::NearCap),
        (-2..3_i64).prop_map(Move::NearDue),
        (-2..3_i64).prop_map(Move::NearEnd),
        policies().prop_map(Move::Policy),
    ];
    prop::collection::vec(one, 1..12)
}

fn jti(token: &SessionToken) -> Value {
    let claims: Value = insecure_decode_claims(token.expose()).unwrap();
    claims["jti"].clone()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_laws_hold_through_issue_verification_and_reissue(first in policies(), moves in moves()) {
        let clock = ManualClock::new(Timestamp::from_unix_secs(START));
        let of = |policy| JwtSessions::new(ring(), policy).with_clock(clock.clone());
        let mut policy = first;
        let started = block_on(of(policy).start("ada")).unwrap();
        let (login, cap) = (
            started.session.lifetime().created_at(),
            started.session.lifetime().absolute_expires_at(),
        );
        let (mut token, mut session) = (started.token, started.session);
        for next in moves {
            let lifetime = *session.lifetime();
            let near = |limit: Timestamp, offset| limit.saturating_add(TimeDelta::seconds(offset));
            match next {
                Move::By(secs) => clock.advance(TimeDelta::seconds(secs)),
                Move::NearCap(offset) => clock.set(near(cap, offset)),
                Move::NearDue(offset) => {
                    clock.set(near(lifetime.renewed_at().saturating_add(policy.update_age()), offset));
                }
                Move::NearEnd(offset) => clock.set(near(lifetime.expires_at(), offset)),
                Move::Policy(other) => policy = other,
            }
            let now = clock.now();
            let sessions = of(policy);
            let decision = policy.evaluate(&lifetime, now);
            let authenticated = block_on(sessions.authenticate(token.expose()));
            let peeked = block_on(sessions.peek(token.expose()));

            // 9. To peek agrees, and never re-issues.
            prop_assert_eq!(authenticated.is_ok(), peeked.is_ok());
            if let Ok(peeked) = peeked {
                prop_assert!(peeked.token.is_none());
                prop_assert_eq!(peeked.session.lifetime(), &lifetime);
            }
            match (decision, authenticated) {
                (Decision::Reject { reason, since }, Err(AuthenticateError::Rejected { reason: told, since: told_since })) => {
                    prop_assert_eq!((reason, since), (told, told_since));
                }
                (Decision::Keep { .. }, Ok(served)) => {
                    prop_assert!(served.token.is_none());
                    prop_assert_eq!(&served.session, &session);
                    // 2. Nobody is served at or after the cap, of any policy.
                    prop_assert!(now < cap && now < login.saturating_add(policy.absolute_cap()));
                }
                (Decision::Renew { lifetime: renewed }, Ok(served)) => {
                    prop_assert!(now < cap && now < login.saturating_add(policy.absolute_cap()));
                    // 6. Only `iat`, `exp` and `jti` change, and `iat` never goes back.
                    prop_assert_eq!(served.session.lifetime(), &renewed);
                    prop_assert_eq!(served.session.id(), session.id());
                    prop_assert_eq!(renewed.created_at(), login);
                    prop_assert_eq!(renewed.absolute_expires_at(), cap);
                    prop_assert!(renewed.renewed_at() >= lifetime.renewed_at());
                    let reissued = served.token.unwrap();
                    prop_assert_ne!(jti(&reissued), jti(&token));
                    // 7. At most one re-issue in any `update_age`.
                    prop_assert!(now.since(lifetime.renewed_at()) >= policy.update_age());
                    // 1. No token outlives its cap.
                    prop_assert!(renewed.expires_at() <= cap);
                    token = reissued;
                    session = served.session;
                }
                (decision, authenticated) => {
                    prop_assert!(false, "{decision:?}, but {authenticated:?}");
                }
            }
        }
    }

    #[test]
    fn the_deadline_of_a_token_is_its_first_refused_second(policy in policies()) {
        // 4 and 5.
        let clock = ManualClock::new(Timestamp::from_unix_secs(START));
        let sessions = JwtSessions::new(ring(), policy).with_clock(clock.clone());
        let started = block_on(sessions.start("ada")).unwrap();
        let end = started.status.idle_expires_at;
        let opens = |now| {
            clock.set(now);
            block_on(sessions.peek(started.token.expose())).is_ok()
        };
        prop_assert!(opens(end.saturating_sub(TimeDelta::seconds(1))));
        for later in [0, 1, 2, 60, 1_000_000] {
            prop_assert!(!opens(end.saturating_add(TimeDelta::seconds(later))));
        }
        prop_assert!(!opens(Timestamp::MAX));
    }

    #[test]
    fn no_instant_panics(policy in policies(), start in any::<i64>(), now in any::<i64>()) {
        // 10.
        let clock = ManualClock::new(Timestamp::from_unix_secs(start));
        let sessions = JwtSessions::new(ring(), policy).with_clock(clock.clone());
        if let Ok(started) = block_on(sessions.start("ada")) {
            clock.set(Timestamp::from_unix_secs(now));
            let _ = block_on(sessions.authenticate(started.token.expose()));
        } else {
            // Before any token's range, or no second before its end.
            prop_assert!(start < 0 || clock.now() == Timestamp::MAX);
        }
    }
}

//! Stateless sessions: issue, verify, re-issue, revoke.
#![cfg(feature = "jwt")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use jsonwebtoken::dangerous::insecure_decode_claims;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use session_policy::jwt::{
    Algorithm, HybridSessions, IssueError, JwtSessions, KeyRing, SigningKey, TokenError, ValidAfter,
};
use session_policy::store::StoreError;
use session_policy::{
    AuthenticateError, ManualClock, MemoryStore, Policies, RejectReason, SessionPolicy,
    SessionToken, SignIn, StartError, Timestamp,
};

const NINE: i64 = 1_800_003_600;

fn at(offset: i64) -> Timestamp {
    Timestamp::from_unix_secs(NINE + offset)
}

fn ring() -> KeyRing {
    KeyRing::new(SigningKey::secret("k", Algorithm::Hs256, [7; 32]).unwrap()).unwrap()
}

fn sessions(policies: impl Into<Policies>) -> (JwtSessions, ManualClock) {
    let clock = ManualClock::new(at(0));
    (JwtSessions::new(ring(), policies).with_clock(clock.clone()), clock)
}

fn policy(max_age: i64, update_age: i64, cap: i64) -> SessionPolicy {
    let secs = TimeDelta::seconds;
    SessionPolicy::new(secs(max_age), secs(update_age), secs(cap)).unwrap()
}

fn jti(token: &SessionToken) -> Value {
    let claims: Value = insecure_decode_claims(token.expose()).unwrap();
    claims["jti"].clone()
}

#[test]
fn a_working_day_is_reissued_on_schedule_although_its_end_cannot_move() {
    let (sessions, clock) = sessions(SessionPolicy::WORKING_DAY);
    let started = pollster::block_on(sessions.start("ada")).unwrap();
    assert_eq!(started.status.cookie_max_age(), TimeDelta::hours(8));
    let (first, end) = (started.session, at(28_800));
    let first_jti = jti(&started.token);
    let mut token = started.token;
    let mut reissued = Vec::new();
    // A request every second minute, and one at every boundary of 15 minutes.
    for now in (0..28_800).filter(|now| now % 120 == 0 || (now + 1) % 900 < 2) {
        clock.set(at(now));
        let served = pollster::block_on(sessions.authenticate(token.expose())).unwrap();
        assert_eq!(served.session.lifetime().expires_at(), end);
        let Some(issued) = served.token else { continue };
        assert_eq!(served.status.cookie_max_age(), TimeDelta::seconds(28_800 - now));
        assert_eq!(served.session.id(), first.id());
        assert_eq!(served.session.lifetime().created_at(), first.lifetime().created_at());
        assert_eq!(served.session.lifetime().absolute_expires_at(), end);
        assert_eq!(served.session.lifetime().renewed_at(), at(now));
        assert_ne!(jti(&issued), first_jti);
        reissued.push(at(now));
        token = issued;
    }
    let schedule = SessionPolicy::WORKING_DAY.renewal_schedule(first.lifetime());
    assert_eq!(reissued, schedule.collect::<Vec<_>>());
    clock.set(end);
    let error = pollster::block_on(sessions.authenticate(token.expose())).unwrap_err();
    assert!(matches!(
        error,
        AuthenticateError::Rejected { reason: RejectReason::AbsoluteCap, since } if since == end
    ));
    assert!(error.clears_cookie());
}

#[test]
fn the_answer_holds_what_the_new_token_says() {
    let (sessions, clock) = sessions(policy(3_600, 900, 28_800));
    let started = pollster::block_on(sessions.start("ada")).unwrap();
    let peeked = pollster::block_on(sessions.peek(started.token.expose())).unwrap();
    assert_eq!(peeked.session, started.session);
    clock.set(at(900));
    let served = pollster::block_on(sessions.authenticate(started.token.expose())).unwrap();
    let issued = served.token.unwrap();
    let peeked = pollster::block_on(sessions.peek(issued.expose())).unwrap();
    assert_eq!(peeked.session, served.session);
    assert_eq!(peeked.status, served.status);
    assert_eq!(served.status.cookie_max_age(), TimeDelta::hours(1));
}

#[test]
fn to_peek_issues_nothing() {
    let (sessions, clock) = sessions(policy(3_600, 900, 28_800));
    let started = pollster::block_on(sessions.start("ada")).unwrap();
    clock.set(at(3_599));
    let peeked = pollster::block_on(sessions.peek(started.token.expose())).unwrap();
    assert!(peeked.token.is_none());
    assert_eq!(peeked.status.idle_expires_at, at(3_600));
}

#[test]
fn a_shorter_policy_shortens_tokens_already_issued_and_a_longer_one_does_not_lengthen() {
    let (long, clock) = sessions(policy(3_600, 900, 28_800));
    let started = pollster::block_on(long.start("ada")).unwrap();
    let token = started.token.expose();
    let (short, _) = sessions(policy(600, 60, 1_200));
    let short = short.with_clock(clock.clone());
    clock.set(at(599));
    assert!(pollster::block_on(short.peek(token)).is_ok());
    clock.set(at(600));
    assert!(pollster::block_on(short.peek(token)).is_err());
    let (longer, _) = sessions(policy(86_400, 900, 864_000));
    let longer = longer.with_clock(clock.clone());
    clock.set(at(3_600));
    assert!(pollster::block_on(longer.peek(token)).is_err());
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Roles {
    roles: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<u64>,
}

#[test]
fn claims_of_the_application_come_back_and_survive_a_reissue() {
    let (sessions, clock) = sessions(SessionPolicy::WORKING_DAY);
    let sessions = sessions.with_claims::<Roles>();
    let roles = Roles { roles: vec!["admin".into()], tenant: Some(u64::MAX) };
    let sign_in = SignIn::of("ada").claims(roles.clone());
    let started = pollster::block_on(sessions.start(sign_in)).unwrap();
    clock.set(at(900));
    let served = pollster::block_on(sessions.authenticate(started.token.expose())).unwrap();
    let token = served.token.unwrap();
    let peeked = pollster::block_on(sessions.peek(token.expose())).unwrap();
    assert_eq!(peeked.claims, roles);
}

#[test]
fn claims_of_the_application_cannot_shadow_ours() {
    let (sessions, _) = sessions(SessionPolicy::WORKING_DAY);
    let sessions = sessions.with_claims::<HashMap<String, u64>>();
    for name in [
        "aud",
        "auth_time",
        "cap",
        "exp",
        "gen",
        "iat",
        "iss",
        "jti",
        "nbf",
        "profile",
        "sid",
        "sub",
    ] {
        let sign_in = SignIn::of("ada").claims(HashMap::from([(name.to_owned(), 1)]));
        let error = pollster::block_on(sessions.start(sign_in)).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the application's claim `{name}` has a reserved name"),
        );
    }
    // At verification ours are not among those of the application.
    let claims = HashMap::from([("EXP".to_owned(), 1), ("cap2".to_owned(), 2)]);
    let sign_in = SignIn::of("ada").claims(claims.clone());
    let started = pollster::block_on(sessions.start(sign_in)).unwrap();
    let peeked = pollster::block_on(sessions.peek(started.token.expose())).unwrap();
    assert_eq!(peeked.claims, claims);
}

#[test]
fn a_token_of_8_kib_is_issued_and_a_longer_one_is_not() {
    let (mut issued, mut refused) = (Vec::new(), Vec::new());
    // Base64url skips every fourth length, another one for each key id.
    for kid in ["k", "kk", "kkk", "kkkk"] {
        let key = SigningKey::secret(kid, Algorithm::Hs256, [7; 32]).unwrap();
        let sessions = JwtSessions::new(KeyRing::new(key).unwrap(), SessionPolicy::WORKING_DAY)
            .with_clock(ManualClock::new(at(0)))
            .with_claims::<HashMap<String, String>>();
        for padding in 5_700..5_900 {
            let claims = HashMap::from([("pad".to_owned(), "x".repeat(padding))]);
            match pollster::block_on(sessions.start(SignIn::of("ada").claims(claims))) {
                Ok(started) => issued.push(started.token.expose().len()),
                Err(StartError::Issue(IssueError::TooLong { bytes })) => refused.push(bytes),
                Err(error) => panic!("{error}"),
            }
        }
    }
    assert_eq!(issued.into_iter().max(), Some(8_192));
    assert_eq!(refused.into_iter().min(), Some(8_193));
}

#[test]
fn claims_that_are_no_object_or_do_not_fit_are_refused() {
    let (sessions, _) = sessions(SessionPolicy::WORKING_DAY);
    let numbers = sessions.clone().with_claims::<u64>();
    let sign_in = SignIn::of("ada").claims(7_u64);
    let error = pollster::block_on(numbers.start(sign_in)).unwrap_err();
    assert_eq!(error.to_string(), "the application's claims are not an object");
    let keyed = sessions.clone().with_claims::<HashMap<String, Vec<u8>>>();
    let long = HashMap::from([("pad".to_owned(), vec![200; 2_000])]);
    let sign_in = SignIn::of("ada").claims(long);
    let error = pollster::block_on(keyed.start(sign_in)).unwrap_err();
    assert!(
        matches!(error, StartError::Issue(IssueError::TooLong { bytes }) if bytes > 8_192),
        "{error}",
    );
    let started = pollster::block_on(sessions.start("ada")).unwrap();
    let roles = sessions.with_claims::<Roles>();
    let error = pollster::block_on(roles.peek(started.token.expose())).unwrap_err();
    assert_eq!(error.to_string(), "the application's claims do not fit");
    assert!(!error.clears_cookie());
}

#[test]
fn a_start_names_what_is_wrong_with_it() {
    let (sessions, clock) = sessions(SessionPolicy::WORKING_DAY);
    let error = pollster::block_on(sessions.start("")).unwrap_err();
    assert_eq!(error.to_string(), "subject is empty");
    let error = pollster::block_on(sessions.start(SignIn::of("ada").profile("admni"))).unwrap_err();
    assert_eq!(error.to_string(), "there is no profile `admni`");
    clock.set(Timestamp::from_unix_secs(-1));
    let error = pollster::block_on(sessions.start("ada")).unwrap_err();
    assert_eq!(error.to_string(), "the session was started at 1969-12-31T23:59:59Z, before 1970");
    clock.set(Timestamp::from_unix_secs(0));
    let started = pollster::block_on(sessions.start("ada")).unwrap();
    assert!(pollster::block_on(sessions.peek(started.token.expose())).is_ok());
}

#[test]
fn a_ceiling_caps_the_session_that_replaces_another() {
    let (sessions, clock) = sessions(SessionPolicy::WORKING_DAY);
    let first = pollster::block_on(sessions.start("ada")).unwrap();
    clock.set(at(3_600));
    let ceiling = first.session.lifetime().absolute_expires_at();
    let second = pollster::block_on(sessions.start(SignIn::of("ada").until(ceiling))).unwrap();
    assert_eq!(second.session.lifetime().absolute_expires_at(), ceiling);
    assert_ne!(second.session.id(), first.session.id());
}

#[derive(Clone, Default)]
struct Changes(Arc<Mutex<HashMap<String, Timestamp>>>);

impl Changes {
    fn revoke(&self, subject: &str, valid_after: Timestamp) {
        self.0.lock().unwrap().insert(subject.into(), valid_after);
    }
}

impl ValidAfter for Changes {
    async fn valid_after(&self, subject: &str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.0.lock().unwrap().get(subject).copied())
    }
}

#[test]
fn a_password_change_revokes_what_was_issued_up_to_its_second_and_nothing_later() {
    let changes = Changes::default();
    // Without clock skew, so that no tolerance helps.
    let strict = policy(3_600, 900, 28_800).with_clock_skew(TimeDelta::zero()).unwrap();
    let (sessions, clock) = sessions(strict);
    // Behind a pointer, as an application shares it.
    let sessions = sessions.with_valid_after(Arc::new(changes.clone()));
    let start = |offset| {
        clock.set(at(offset));
        let started = pollster::block_on(sessions.start("ada")).unwrap();
        started.token.expose().to_owned()
    };
    let decide = |token: &str| {
        let decided = pollster::block_on(sessions.authenticate(token));
        decided.map_or_else(|error| error.as_str(), |_| "ok")
    };
    let (before, within) = (start(99), start(100));
    assert_eq!(decide(&before), "ok");
    changes.revoke("ada", at(100));
    assert_eq!(decide(&before), "revoked");
    assert_eq!(decide(&within), "revoked");

    // Signed in again within the very second of the change.
    let again = start(100);
    assert_eq!(decide(&again), "ok");
    let peeked = pollster::block_on(sessions.peek(&again)).unwrap();
    let lifetime = peeked.session.lifetime();
    assert_eq!((lifetime.created_at(), lifetime.renewed_at()), (at(100), at(101)));
    assert_eq!(lifetime.expires_at(), at(3_700));
    assert_eq!(lifetime.absolute_expires_at(), at(28_900));

    // The next second, and another user, are as usual.
    assert_eq!(decide(&start(101)), "ok");
    clock.set(at(100));
    let other = pollster::block_on(sessions.start("bob")).unwrap();
    assert_eq!(other.session.lifetime().renewed_at(), at(100));

    // A re-issue of the new session is not revoked either.
    clock.set(at(1_001));
    let served = pollster::block_on(sessions.authenticate(&again)).unwrap();
    assert_eq!(decide(served.token.unwrap().expose()), "ok");
    assert_eq!(decide(&before), "revoked");
}

#[test]
fn a_revocation_that_lies_ahead_holds_for_requests_under_way() {
    let changes = Changes::default();
    let (sessions, clock) = sessions(policy(3_600, 900, 28_800));
    let sessions = sessions.with_valid_after(changes.clone());
    let stolen = pollster::block_on(sessions.start("ada")).unwrap().token;
    // The thief's request asks just before the change is written at 900, and its
    // answer is issued at 902.
    clock.set(at(902));
    let answered = pollster::block_on(sessions.authenticate(stolen.expose())).unwrap();
    let stale = answered.token.unwrap();
    changes.revoke("ada", at(905));
    clock.set(at(903));
    let own = pollster::block_on(sessions.start("ada")).unwrap().token;
    for now in [903, 905, 906, 1_900] {
        clock.set(at(now));
        let thief = pollster::block_on(sessions.peek(stale.expose())).unwrap_err();
        assert!(
            matches!(thief, AuthenticateError::Revoked { valid_after } if valid_after == at(905))
        );
        assert!(pollster::block_on(sessions.peek(own.expose())).is_ok(), "{now}");
    }
    // Beyond the end of any new session, nobody is sent a token that is dead.
    changes.revoke("ada", Timestamp::MAX);
    let error = pollster::block_on(sessions.start("ada")).unwrap_err();
    assert!(matches!(error, StartError::Revoked { .. }));
}

/// An answer that takes ten seconds.
struct Slow(ManualClock);

impl ValidAfter for Slow {
    async fn valid_after(&self, _: &str) -> Result<Option<Timestamp>, StoreError> {
        self.0.advance(TimeDelta::seconds(10));
        Ok(None)
    }
}

#[test]
fn time_that_the_question_of_revocation_takes_counts() {
    let (sessions, clock) = sessions(policy(900, 60, 900));
    let sessions = sessions.with_valid_after(Slow(clock.clone()));
    let started = pollster::block_on(sessions.start("ada")).unwrap();
    assert_eq!(started.session.lifetime().created_at(), at(0), "the sign-in");
    assert_eq!(started.status.cookie_max_age(), TimeDelta::seconds(890));
    let token = started.token.expose();

    // Counted from before the question, so that a change meanwhile revokes it.
    clock.set(at(100));
    let served = pollster::block_on(sessions.authenticate(token)).unwrap();
    assert_eq!(served.session.lifetime().renewed_at(), at(100));
    assert_eq!(served.status.now, at(110));
    assert!(served.token.is_some());
    assert_eq!(served.status.cookie_max_age(), TimeDelta::seconds(790));

    // Good when the question is asked, over when it is answered.
    let over = |error: AuthenticateError| match error {
        AuthenticateError::Rejected { reason, since } => (reason, since),
        error => panic!("{error}"),
    };
    for second in [890, 895, 899] {
        clock.set(at(second));
        let refused = pollster::block_on(sessions.authenticate(token)).unwrap_err();
        assert_eq!(over(refused), (RejectReason::AbsoluteCap, at(900)));
        clock.set(at(second));
        let refused = pollster::block_on(sessions.peek(token)).unwrap_err();
        assert_eq!(over(refused), (RejectReason::AbsoluteCap, at(900)));
    }
    clock.set(at(889));
    assert!(pollster::block_on(sessions.peek(token)).is_ok());
}

#[test]
fn nobody_is_let_in_when_revocation_cannot_be_told() {
    struct Down;

    impl ValidAfter for Down {
        async fn valid_after(&self, _: &str) -> Result<Option<Timestamp>, StoreError> {
            Err(StoreError::unavailable("timeout"))
        }
    }

    let (up, clock) = sessions(SessionPolicy::WORKING_DAY);
    let token = pollster::block_on(up.start("ada")).unwrap().token;
    let down = JwtSessions::new(ring(), SessionPolicy::WORKING_DAY).with_clock(clock);
    let down = down.with_valid_after(Down);
    let error = pollster::block_on(down.authenticate(token.expose())).unwrap_err();
    assert!(matches!(error, AuthenticateError::Store(StoreError::Unavailable(_))));
    assert!(!error.clears_cookie());
    assert!(pollster::block_on(down.start("ada")).is_err());
}

#[test]
fn a_token_is_good_for_one_strategy_only() {
    let (stateless, clock) = sessions(SessionPolicy::WORKING_DAY);
    let store = MemoryStore::new();
    let hybrid = HybridSessions::new(store, ring(), SessionPolicy::WORKING_DAY).unwrap();
    let hybrid = hybrid.with_clock(clock);
    let of_hybrid = pollster::block_on(hybrid.start("ada")).unwrap().token;
    let of_stateless = pollster::block_on(stateless.start("ada")).unwrap().token;
    let error = pollster::block_on(stateless.peek(of_hybrid.expose())).unwrap_err();
    assert!(matches!(error, AuthenticateError::Token(TokenError::Strategy)));
    let error = pollster::block_on(hybrid.peek(of_stateless.expose())).unwrap_err();
    assert!(matches!(error, AuthenticateError::Token(TokenError::Strategy)));
}

#[test]
fn what_is_printed_for_debugging_names_the_parts_and_no_token() {
    let (sessions, _) = sessions(SessionPolicy::WORKING_DAY);
    let started = pollster::block_on(sessions.start("ada")).unwrap();
    assert_eq!(format!("{:?}", started.token), "SessionToken([redacted])");
    assert_eq!(started.session.profile(), "default");
    let debug = format!("{sessions:?}");
    assert!(debug.starts_with("JwtSessions { codec: ") && debug.contains("policies: "), "{debug}");
    let store = MemoryStore::new();
    let hybrid = HybridSessions::new(store, ring(), SessionPolicy::WORKING_DAY).unwrap();
    let debug = format!("{hybrid:?}");
    assert!(debug.starts_with("HybridSessions { codec: ") && debug.contains("grace: "), "{debug}");
}

#[test]
fn a_sign_in_is_refused_whose_every_second_is_revoked_already() {
    let changes = Changes::default();
    let (sessions, _) = sessions(policy(3_600, 900, 28_800));
    let sessions = sessions.with_valid_after(changes.clone());
    for (valid_after, stamped) in [
        (at(-1), Some(at(0))),
        (at(0), Some(at(1))),
        (at(3_599), Some(at(3_600))),
        (at(3_600), None), // the first instant at which it has ended
        (at(3_601), None),
        (Timestamp::MAX, None),
    ] {
        changes.revoke("ada", valid_after);
        match (pollster::block_on(sessions.start("ada")), stamped) {
            (Ok(started), Some(stamped)) => {
                assert_eq!(started.session.lifetime().renewed_at(), stamped);
                assert_eq!(started.session.lifetime().expires_at(), at(3_600));
            }
            (Err(StartError::Revoked { valid_after: until }), None) => {
                assert_eq!(until, valid_after);
            }
            (started, stamped) => panic!("{valid_after}: {started:?}, not {stamped:?}"),
        }
    }
}

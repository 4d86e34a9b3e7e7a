//! Stateless sessions: issue, verify, re-issue, revoke.
#![cfg(all(feature = "jwt", feature = "memory"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use jsonwebtoken::dangerous::insecure_decode_claims;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use session_policy::jwt::{
    Algorithm, HybridSessions, IssueError, JwtSessions, KeyRing, SigningKey, TokenError,
};
use session_policy::store::StoreError;
use session_policy::{
    AuthenticateError, Bound, Bounds, ManualClock, MemoryStore, Policies, RejectReason,
    SessionPolicy, SessionToken, SignIn, StartError, Timestamp,
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
    assert_eq!(served.status.cookie_max_age(), TimeDelta::seconds(27_900));
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
        "epoch",
        "exp",
        "fam",
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
                Err(StartError::Issue(IssueError::TooLong { bytes, longest: 8_192 })) => {
                    refused.push(bytes);
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
    assert_eq!(issued.into_iter().max(), Some(8_192));
    assert_eq!(refused.into_iter().min(), Some(8_193));
}

/// F23: they would be read as the JSON in their text, past the check of names.
#[test]
fn claims_with_a_private_name_of_serde_json_are_not_issued() {
    let (sessions, _) = sessions(SessionPolicy::WORKING_DAY);
    let sessions = sessions.with_claims::<Value>();
    let private = "$serde_json::private::RawValue";
    let raw = serde_json::json!({ private: r#"{"sub":"root"}"# });
    for claims in [
        raw.clone(),
        serde_json::json!({ "role": raw }),
        serde_json::json!({ "roles": [1, [{ "deep": raw }]] }),
        serde_json::json!({ "$serde_json::private::Number": "1" }),
        serde_json::json!({ "n": { "$serde_json::private::Number": "1" } }),
    ] {
        let sign_in = SignIn::of("ada").claims(claims.clone());
        let started = pollster::block_on(sessions.start(sign_in)).map(drop);
        assert!(
            matches!(started, Err(StartError::Issue(IssueError::Private))),
            "{claims}: {started:?}"
        );
    }
    let sign_in = SignIn::of("ada").claims(serde_json::json!({ "role": private }));
    assert!(pollster::block_on(sessions.start(sign_in)).is_ok(), "a value is no name");
}

/// What is issued is read again.
#[test]
fn claims_that_are_nested_too_deeply_are_not_issued() {
    let (sessions, _) = sessions(SessionPolicy::WORKING_DAY);
    let sessions = sessions.with_claims::<Value>();
    let within_array = |value| Value::Array(vec![value]);
    let within_object = |value| serde_json::json!({ "in": value });
    for within in [within_array, within_object] {
        let mut issued = 0;
        for depth in 100..140 {
            let nested = (0..depth).fold(Value::Null, |value, _| within(value));
            let sign_in = SignIn::of("ada").claims(serde_json::json!({ "deep": nested }));
            match pollster::block_on(sessions.start(sign_in)) {
                Ok(started) => {
                    pollster::block_on(sessions.authenticate(started.token.expose())).unwrap();
                    issued = depth;
                }
                Err(error) => {
                    assert!(matches!(error, StartError::Issue(IssueError::Application(_))));
                }
            }
        }
        // 127 with the claims' own object.
        assert_eq!(issued, 126);
    }
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
        matches!(error, StartError::Issue(IssueError::TooLong { bytes, .. }) if bytes > 8_192),
        "{error}",
    );
    let started = pollster::block_on(sessions.start("ada")).unwrap();
    let roles = sessions.with_claims::<Roles>();
    let error = pollster::block_on(roles.peek(started.token.expose())).unwrap_err();
    assert_eq!(error.to_string(), "the application's claims do not fit");
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

/// Epochs, by subject.
#[derive(Clone, Default)]
struct Users(Arc<Mutex<HashMap<String, u64>>>);

impl Users {
    fn set(&self, subject: &str, epoch: u64) {
        self.0.lock().unwrap().insert(subject.into(), epoch);
    }
}

impl Bounds for Users {
    async fn bound(&self, subject: &str, _: &str) -> Result<Option<Bound>, StoreError> {
        let epoch = self.0.lock().unwrap().get(subject).copied();
        Ok(epoch.map(|epoch| Bound::default().with_epoch(epoch)))
    }
}

#[test]
fn a_password_change_revokes_what_was_started_under_another_epoch() {
    let users = Users::default();
    users.set("ada", 7);
    users.set("bob", 7);
    let (sessions, clock) = sessions(policy(3_600, 900, 28_800));
    // Behind a pointer, as an application shares it.
    let sessions = sessions.with_bounds(Arc::new(users.clone()));
    let start = |subject: &'static str, epoch| {
        let sign_in = SignIn::of(subject).epoch(epoch);
        pollster::block_on(sessions.start(sign_in)).map(|started| started.token)
    };
    let decide = |token: &SessionToken| {
        let decided = pollster::block_on(sessions.authenticate(token.expose()));
        decided.map_or_else(|error| error.as_str(), |_| "ok")
    };
    let (before, other) = (start("ada", 7).unwrap(), start("bob", 7).unwrap());
    assert_eq!(decide(&before), "ok");
    users.set("ada", 8);
    // Within the very second of the change.
    assert_eq!(decide(&before), "revoked");
    let again = start("ada", 8).unwrap();
    assert_eq!((decide(&again), decide(&other)), ("ok", "ok"));
    // The old password was verified before the change.
    assert!(matches!(start("ada", 7), Err(StartError::Revoked)));
    // A re-issue goes on under the epoch of its sign-in.
    clock.set(at(1_000));
    let served = pollster::block_on(sessions.authenticate(again.expose())).unwrap();
    assert_eq!(served.session.epoch(), Some(8));
    assert_eq!(decide(&served.token.unwrap()), "ok");
    assert_eq!(decide(&before), "revoked");
}

/// F22: a server whose clock is 30 s ahead re-issues a stolen token while the password
/// changes.
#[test]
fn a_stolen_token_does_not_outlive_a_change_by_a_clock_that_is_ahead() {
    let users = Users::default();
    users.set("ada", 1);
    let node = |secs| {
        let (sessions, clock) = sessions(policy(3_600, 900, 28_800));
        clock.set(at(secs));
        sessions.with_bounds(users.clone())
    };
    let token = pollster::block_on(node(0).start(SignIn::of("ada").epoch(1))).unwrap().token;
    let ahead = pollster::block_on(node(930).authenticate(token.expose())).unwrap();
    let stolen = ahead.token.unwrap();
    users.set("ada", 2); // At 900 by the clock of the server that changes it.
    for secs in [0, 900, 901, 930, 931, 1_000, 3_000] {
        for token in [&token, &stolen] {
            for refused in [
                pollster::block_on(node(secs).authenticate(token.expose())),
                pollster::block_on(node(secs).peek(token.expose())),
            ] {
                assert!(matches!(refused.unwrap_err(), AuthenticateError::Revoked), "{secs}");
            }
        }
    }
}

/// An answer that takes ten seconds.
struct Slow(ManualClock);

impl Bounds for Slow {
    async fn bound(&self, _: &str, _: &str) -> Result<Option<Bound>, StoreError> {
        self.0.advance(TimeDelta::seconds(10));
        Ok(Some(Bound::default()))
    }
}

#[test]
fn time_that_the_question_of_the_bound_takes_counts() {
    let (sessions, clock) = sessions(policy(900, 60, 900));
    let sessions = sessions.with_bounds(Slow(clock.clone()));
    let started = pollster::block_on(sessions.start("ada")).unwrap();
    assert_eq!(started.session.lifetime().created_at(), at(10), "once it may start");
    assert_eq!(started.status.cookie_max_age(), TimeDelta::seconds(900));
    let token = started.token.expose();

    clock.set(at(110));
    let served = pollster::block_on(sessions.authenticate(token)).unwrap();
    assert_eq!(served.session.lifetime().renewed_at(), at(120));
    assert_eq!(served.status.now, at(120));
    assert!(served.token.is_some());
    assert_eq!(served.status.cookie_max_age(), TimeDelta::seconds(790));

    // Good when the question is asked, over when it is answered.
    let over = |error: AuthenticateError| match error {
        AuthenticateError::Rejected { reason, since } => (reason, since),
        error => panic!("{error}"),
    };
    for second in [900, 905, 909] {
        clock.set(at(second));
        let refused = pollster::block_on(sessions.authenticate(token)).unwrap_err();
        assert_eq!(over(refused), (RejectReason::AbsoluteCap, at(910)));
        clock.set(at(second));
        let refused = pollster::block_on(sessions.peek(token)).unwrap_err();
        assert_eq!(over(refused), (RejectReason::AbsoluteCap, at(910)));
    }
    clock.set(at(899));
    assert!(pollster::block_on(sessions.peek(token)).is_ok());
}

#[test]
fn nobody_is_let_in_when_the_bound_cannot_be_told() {
    struct Down;

    impl Bounds for Down {
        async fn bound(&self, _: &str, _: &str) -> Result<Option<Bound>, StoreError> {
            Err(StoreError::unavailable("timeout"))
        }
    }

    let (up, clock) = sessions(SessionPolicy::WORKING_DAY);
    let token = pollster::block_on(up.start("ada")).unwrap().token;
    let down = JwtSessions::new(ring(), SessionPolicy::WORKING_DAY).with_clock(clock);
    let down = down.with_bounds(Down);
    let error = pollster::block_on(down.authenticate(token.expose())).unwrap_err();
    assert!(matches!(error, AuthenticateError::Store(StoreError::Unavailable(_))));
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
    // By its `typ` (RFC 8725 section 3.11).
    let error = pollster::block_on(stateless.peek(of_hybrid.expose())).unwrap_err();
    assert!(matches!(error, AuthenticateError::Token(TokenError::Type)));
    let error = pollster::block_on(hybrid.peek(of_stateless.expose())).unwrap_err();
    assert!(matches!(error, AuthenticateError::Token(TokenError::Type)));
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

//! How tokens travel: cookies and bearers, without a framework.
#![cfg(all(feature = "jwt", feature = "memory"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::sync::Arc;

use chrono::TimeDelta;
use session_policy::jwt::{
    Algorithm, HybridSessions, IssueError, JwtSessions, KeyRing, SigningKey,
};
use session_policy::web::{
    Bearer, Carrier, CarrierError, Reason, SameSite, SessionCookie, Strategy, WebSessions,
};
use session_policy::{MemoryStore, Policies, SessionPolicy, Sessions, SignIn, StartError};

fn opaque(policies: impl Into<Policies>) -> Sessions<MemoryStore> {
    Sessions::new(MemoryStore::new(), policies)
}

fn refused(carrier: impl Into<Carrier>) -> CarrierError {
    WebSessions::new(opaque(SessionPolicy::WORKING_DAY), carrier).unwrap_err()
}

/// The `Set-Cookie` of a sign-in.
fn set_cookie(cookie: SessionCookie, sign_in: SignIn) -> String {
    let policies = Policies::new(SessionPolicy::WORKING_DAY)
        .with_profile("remember-me", SessionPolicy::SLIDING_MONTH)
        .unwrap();
    let web = WebSessions::new(opaque(policies), cookie).unwrap();
    let exchange = web.exchange();
    let started = pollster::block_on(exchange.auth([], []).sign_in(sign_in)).unwrap();
    let reply = pollster::block_on(exchange.reply([])).unwrap();
    reply.set_cookie.unwrap().replace(started.token.as_ref().unwrap().expose(), "TOKEN")
}

#[test]
fn a_cookie_is_sent_as_its_settings_say() {
    let day = "Max-Age=28800";
    for (cookie, sent) in [
        (
            SessionCookie::host("id"),
            format!("__Host-id=TOKEN; Path=/; HttpOnly; Secure; SameSite=Lax; {day}"),
        ),
        (
            SessionCookie::host("id").same_site(SameSite::Strict),
            format!("__Host-id=TOKEN; Path=/; HttpOnly; Secure; SameSite=Strict; {day}"),
        ),
        (
            SessionCookie::host("id").same_site(SameSite::None).partitioned(),
            format!("__Host-id=TOKEN; Path=/; HttpOnly; Secure; SameSite=None; Partitioned; {day}"),
        ),
        (
            SessionCookie::host("id").domain("app.example.com"),
            format!(
                "__Secure-id=TOKEN; Path=/; HttpOnly; Secure; SameSite=Lax; \
                 Domain=app.example.com; {day}"
            ),
        ),
        (SessionCookie::loopback("id"), format!("id=TOKEN; Path=/; HttpOnly; SameSite=Lax; {day}")),
        (
            SessionCookie::host("id").until_closed("default"),
            "__Host-id=TOKEN; Path=/; HttpOnly; Secure; SameSite=Lax".to_owned(),
        ),
    ] {
        assert_eq!(set_cookie(cookie, "ada".into()), sent);
    }
    let cookie = SessionCookie::host("id").until_closed("default");
    let kept = set_cookie(cookie, SignIn::of("ada").profile("remember-me"));
    assert!(kept.ends_with("; SameSite=Lax; Max-Age=3888000"), "{kept}");
}

#[test]
fn settings_that_browsers_refuse_are_errors_that_name_them() {
    let long = "x".repeat(4_096);
    for name in ["", "a b", "a;b", "a=b", "ü", "__Host-id", "__id", &long] {
        let error = refused(SessionCookie::host(name));
        assert_eq!(error, CarrierError::CookieName { name: name.to_owned() });
    }
    // Name, prefix and an opaque token of 66 characters fit into 4,096 bytes, or do not.
    for (length, fits) in [(4_096 - 66 - 7, true), (4_096 - 66 - 6, false)] {
        let cookie = SessionCookie::host("x".repeat(length));
        let built = WebSessions::new(opaque(SessionPolicy::WORKING_DAY), cookie);
        assert_eq!(built.is_ok(), fits, "{length}");
    }
    for domain in ["", "com", "a..b", ".example.com", "a b.com", "a.b;c", "-a.com"] {
        let error = refused(SessionCookie::host("id").domain(domain));
        assert_eq!(error, CarrierError::Domain { domain: domain.to_owned() });
    }
    let loopback = || SessionCookie::loopback("id");
    for (cookie, attribute) in [
        (loopback().same_site(SameSite::None), "SameSite=None"),
        (loopback().domain("example.com"), "Domain"),
        (loopback().partitioned(), "Partitioned"),
    ] {
        assert_eq!(refused(cookie), CarrierError::NotSecure { attribute });
    }
    assert_eq!(refused(SessionCookie::host("id").partitioned()), CarrierError::NotCrossSite);
    let error = refused(SessionCookie::host("id").until_closed("remember"));
    assert_eq!(error.to_string(), "there is no profile `remember`");
    for name in ["a:b", "", "Set-Cookie", "cache-control", "content-type"] {
        let error = refused(Bearer::new().reissued_in(name));
        assert_eq!(error.to_string(), format!("`{name}` is no name of a header for tokens"));
    }
}

#[test]
fn an_idle_limit_over_400_days_needs_a_cookie_of_the_browsers_session() {
    for (days, fits) in [(400, true), (401, false)] {
        let age = TimeDelta::days(days);
        let policy = SessionPolicy::new(age, TimeDelta::days(1), TimeDelta::days(800)).unwrap();
        let error = WebSessions::new(opaque(policy), SessionCookie::host("id")).err();
        let text = error.map(|error| error.to_string());
        let said = "max_age `401d` of profile `default` is longer than the 400 days that a browser \
                    keeps a cookie";
        assert_eq!(text.as_deref(), (!fits).then_some(said));
        let cookie = SessionCookie::host("id").until_closed("default");
        assert!(WebSessions::new(opaque(policy), cookie).is_ok());
        assert!(WebSessions::new(opaque(policy), Bearer::new()).is_ok());
    }
}

type Padding = HashMap<String, String>;

/// The length of the longest token that starts, and of the shortest that does not.
fn lengths(sessions: impl Strategy<Claims = Padding>, cookie: SessionCookie) -> [usize; 2] {
    let web = WebSessions::new(sessions, cookie).unwrap();
    let (mut longest, mut shortest) = (0, usize::MAX);
    for padding in 2_600..2_900 {
        let claims = HashMap::from([("pad".to_owned(), "x".repeat(padding))]);
        let sign_in = SignIn::of("ada").claims(claims);
        match pollster::block_on(web.exchange().auth([], []).sign_in(sign_in)) {
            Ok(started) => longest = longest.max(started.token.as_ref().unwrap().expose().len()),
            Err(refused) => {
                let Reason::Failed(error) = refused.reason() else { panic!("{refused}") };
                let StartError::Issue(IssueError::TooLong { bytes, .. }) =
                    error.downcast_ref().unwrap()
                else {
                    panic!("{error}")
                };
                shortest = shortest.min(*bytes);
            }
        }
    }
    [longest, shortest]
}

/// Browsers ignore a cookie whose name and value are longer than 4,096 bytes.
#[test]
fn a_token_that_does_not_fit_into_its_cookie_is_an_error_of_the_sign_in() {
    for (cookie, name) in [
        (SessionCookie::loopback("session"), "session"),
        (SessionCookie::host("session"), "__Host-session"),
    ] {
        let (mut found, store) = ([[0, usize::MAX]; 2], Arc::new(MemoryStore::new()));
        for kid in ["k", "kk", "kkk", "kkkk"] {
            let key = SigningKey::secret(kid, Algorithm::Hs256, [7; 32]).unwrap();
            let (ring, policy) = (KeyRing::new(key).unwrap(), SessionPolicy::WORKING_DAY);
            let stateless = JwtSessions::new(ring.clone(), policy).with_claims::<Padding>();
            let hybrid = HybridSessions::new(Arc::clone(&store), ring, policy).unwrap();
            let hybrid = hybrid.with_claims::<Padding>();
            for (found, lengths) in found
                .iter_mut()
                .zip([lengths(stateless, cookie.clone()), lengths(hybrid, cookie.clone())])
            {
                *found = [found[0].max(lengths[0]), found[1].min(lengths[1])];
            }
        }
        let longest = 4_096 - name.len();
        assert_eq!(found, [[longest, longest + 1]; 2], "{name}");
    }
}

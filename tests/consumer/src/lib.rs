//! What an application writes against the published crates, one test per feature.
#![cfg(test)]

#[cfg(feature = "companions")]
mod companions;

use session_policy::{Decision, SessionPolicy, Timestamp};

#[test]
fn without_features_the_rule_decides() {
    let policy = SessionPolicy::WORKING_DAY;
    let lifetime = policy.start(Timestamp::from_unix_secs(0));
    let at = |secs| policy.evaluate(&lifetime, Timestamp::from_unix_secs(secs));
    assert!(at(8 * 3_600 - 1).is_served());
    assert!(matches!(at(8 * 3_600), Decision::Reject { .. }));
}

#[cfg(feature = "std")]
#[test]
fn std_has_a_clock() {
    use session_policy::{Clock, SystemClock};

    assert!(SystemClock.now() > Timestamp::from_unix_secs(1_700_000_000));
}

#[cfg(feature = "serde")]
#[test]
fn serde_reads_policies() {
    use chrono::TimeDelta;
    use session_policy::Policies;

    let file = r#"default = { max_age = "30m", update_age = "5m", absolute_cap = "8h" }"#;
    let policies: Policies = toml::from_str(file).unwrap();
    assert_eq!(policies.default_policy().absolute_cap(), TimeDelta::hours(8));
}

#[cfg(feature = "memory")]
#[test]
fn memory_keeps_sessions() {
    let sessions = sessions();
    pollster::block_on(async {
        let started = sessions.start("ada").await.unwrap();
        let served = sessions.authenticate(started.token.expose()).await.unwrap();
        assert!(sessions.end(&served.session.id()).await.unwrap());
        assert!(sessions.authenticate(started.token.expose()).await.is_err());
    });
}

#[cfg(feature = "review")]
#[test]
fn review_judges_by_standards() {
    use session_policy::review::standards::{NIST_AAL2, Standard};

    assert_eq!(NIST_AAL2.check(Standard::NistAal2).broken().next(), None);
}

#[cfg(feature = "tower")]
#[test]
fn tower_refuses_a_request_without_a_session() {
    use http::{Request, Response};
    use session_policy::web::{SessionCookie, SessionLayer, require};
    use tower::{Layer, ServiceExt, service_fn};

    let layer = SessionLayer::new(sessions(), SessionCookie::host("session")).unwrap();
    let inner =
        async |_: Request<()>| Ok::<_, std::convert::Infallible>(Response::new(String::new()));
    let service = layer.layer(require().layer(service_fn(inner)));
    let answer = pollster::block_on(service.oneshot(Request::new(()))).unwrap();
    assert_eq!(answer.status(), 401);
}

#[cfg(feature = "axum")]
#[test]
fn axum_takes_the_session_as_an_argument() {
    use axum::{
        Router,
        body::Body,
        extract::Request,
        routing::{get, post},
    };
    use session_policy::web::{Active, Auth, Refused, SessionCookie, SessionLayer};
    use tower::ServiceExt;

    async fn sign_in(auth: Auth) -> Result<(), Refused> {
        auth.sign_in("ada").await.map(drop)
    }
    let app = Router::new()
        .route("/me", get(async |active: Active| active.session.subject().to_owned()))
        .route("/sign-in", post(sign_in))
        .layer(SessionLayer::new(sessions(), SessionCookie::host("session")).unwrap());
    let ask = |request| pollster::block_on(app.clone().oneshot(request)).unwrap();
    let answer = ask(Request::post("/sign-in").body(Body::empty()).unwrap());
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    let (cookie, attributes) = cookie.split_once(';').unwrap();
    assert!(attributes.contains("; Secure"), "{attributes}");
    let me = Request::get("/me");
    assert_eq!(ask(me.header("cookie", cookie).body(Body::empty()).unwrap()).status(), 200);
    assert_eq!(ask(Request::get("/me").body(Body::empty()).unwrap()).status(), 401);
}

#[cfg(feature = "testing")]
#[test]
fn testing_judges_a_store() {
    use session_policy::{MemoryStore, testing::StoreKit};

    pollster::block_on(StoreKit::new().only("remove").check(async || MemoryStore::new()))
        .assert_passed();
}

#[cfg(feature = "jwt")]
#[test]
fn jwt_signs_and_verifies() {
    use session_policy::jwt::{Algorithm, JwtSessions, KeyRing, SigningKey};

    let key = SigningKey::secret("2026-03", Algorithm::Hs256, [7; 32]).unwrap();
    let sessions = JwtSessions::new(KeyRing::new(key).unwrap(), SessionPolicy::WORKING_DAY);
    pollster::block_on(async {
        let started = sessions.start("ada").await.unwrap();
        let served = sessions.authenticate(started.token.expose()).await.unwrap();
        assert_eq!(served.session.subject(), "ada");
    });
}

#[cfg(feature = "jwt-custom-provider")]
#[test]
fn jwt_custom_provider_takes_keys() {
    use session_policy::jwt::{Algorithm, SigningKey};

    assert!(SigningKey::secret("2026-03", Algorithm::Hs256, [7; 32]).is_ok());
}

#[cfg(feature = "memory")]
fn sessions() -> session_policy::Sessions<session_policy::MemoryStore> {
    let store = session_policy::MemoryStore::new();
    session_policy::Sessions::new(store, SessionPolicy::WORKING_DAY)
}

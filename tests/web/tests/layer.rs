//! `SessionLayer` in axum: what each argument does, and what is sent.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::routing::get;
use chrono::TimeDelta;
use session_policy::web::{
    Active, Auth, Bearer, Carrier, Fresh, Peeked, SessionCookie, SessionLayer, require,
};
use session_policy::{MemoryStore, SessionPolicy, Sessions};

use support::{Client, cookies, kinds, kinds_under, pair, routes};

#[tokio::test]
async fn each_argument_does_what_it_says_for_every_kind_of_session() {
    for kind in kinds() {
        let client = Client::new(&kind.app);
        let started = client.get("/in").await;
        assert_eq!(started.headers()[CACHE_CONTROL], "no-store", "{}", kind.name);
        let [cookie] = &cookies(&started)[..] else { panic!("{}: one cookie", kind.name) };
        let end = "; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=28800";
        assert!(cookie.starts_with("__Host-session=") && cookie.ends_with(end), "{cookie}");
        let mine = pair(&started);
        for (path, alone) in [
            ("/me", 401),
            ("/peeked", 401),
            ("/group", 401),
            ("/fresh", 401),
            ("/maybe", 200),
            ("/none", 200),
        ] {
            let answer = client.with(&mine).get(path).await;
            assert_eq!((answer.status().as_u16(), cookies(&answer).len()), (200, 0), "{path}");
            assert_eq!(answer.headers().contains_key(CACHE_CONTROL), path != "/none", "{path}");
            let answer = client.get(path).await;
            assert_eq!((answer.status().as_u16(), cookies(&answer).len()), (alone, 0), "{path}");
            assert!(!answer.headers().contains_key(WWW_AUTHENTICATE));
        }
        kind.clock.advance(TimeDelta::minutes(16));
        assert_eq!(client.with(&mine).get("/fresh").await.status(), 401);
        let out = client.with(&mine).get("/out").await;
        assert_eq!(cookies(&out), [format!("__Host-session={}", end.replace("28800", "0"))]);
    }
}

/// An hour before its end a session is asked for by `path`, and two hours later it lives on
/// if that counted.
#[tokio::test]
async fn a_peek_extends_nothing_and_activity_does() {
    for (path, lives) in
        [("/peeked", 401), ("/none", 401), ("/me", 200), ("/maybe", 200), ("/group", 200)]
    {
        for kind in kinds_under(SessionPolicy::SLIDING_MONTH) {
            let client = Client::new(&kind.app);
            let mut mine = pair(&client.get("/in").await);
            kind.clock.advance(SessionPolicy::SLIDING_MONTH.max_age() - TimeDelta::hours(1));
            let answer = client.with(&mine).get(path).await;
            assert_eq!(answer.status(), 200, "{path}");
            if !cookies(&answer).is_empty() {
                mine = pair(&answer);
            }
            kind.clock.advance(TimeDelta::hours(2));
            let status = client.with(&mine).get("/me").await.status();
            assert_eq!(status, lives, "{} {path}", kind.name);
        }
    }
}

#[tokio::test]
async fn the_store_away_is_503_for_what_asks_and_nothing_for_what_does_not() {
    let store = support::Faulty::default();
    let sessions = Sessions::new(store.clone(), SessionPolicy::WORKING_DAY);
    let app = routes().layer(SessionLayer::new(sessions, SessionCookie::host("session")).unwrap());
    let client = Client::new(&app);
    let mine = pair(&client.get("/in").await);
    store.fail(true);
    for path in ["/me", "/maybe", "/peeked", "/group", "/fresh", "/out", "/rotate", "/in"] {
        let answer = client.with(&mine).get(path).await;
        assert_eq!(answer.status(), 503, "{path}");
        assert_eq!(answer.headers()[RETRY_AFTER], "5", "{path}");
        assert_eq!(cookies(&answer).len(), 0, "{path}");
    }
    assert_eq!(client.with(&mine).get("/none").await.status(), 200);
    store.fail(false);
    assert_eq!(client.with(&mine).get("/me").await.status(), 200);
}

#[tokio::test]
async fn an_authorization_header_decides_alone() {
    let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY);
    let carrier = Carrier::either(SessionCookie::host("session"), Bearer::new());
    let app = routes().layer(SessionLayer::new(sessions, carrier).unwrap());
    let client = Client::new(&app);
    let cookie = pair(&client.get("/in").await);
    let token = client.get("/bearer").await;
    assert_eq!(cookies(&token).len(), 0);
    let token = support::text(token).await;
    let dead = "__Host-session=AAAAAAAAAAAAAAAAAAAAAA.AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
    for (header, cookie, status) in [
        (format!("bearer {token}"), "a=b", 200),
        (format!("Bearer {token}"), dead, 200),
        ("Bearer x".to_owned(), &*cookie, 401),
        ("Bearer".to_owned(), &*cookie, 401),
        ("Basic x".to_owned(), &*cookie, 401),
    ] {
        let answer = client.with(cookie).bearer(&header).get("/me").await;
        assert_eq!(answer.status(), status, "{header} {cookie}");
        let challenge = answer.headers().get(WWW_AUTHENTICATE).map(|it| it.to_str().unwrap());
        assert_eq!(challenge, (status == 401).then_some("Bearer realm=\"session\""), "{header}");
        assert_eq!(cookies(&answer).len(), 0);
    }
    assert_eq!(client.with(&cookie).get("/me").await.status(), 200);
}

/// However often and by whatever it is asked; a list of devices is another call.
#[tokio::test]
async fn a_request_is_one_load_however_many_arguments_ask() {
    let store = support::Faulty::default();
    let sessions = Sessions::new(store.clone(), SessionPolicy::WORKING_DAY);
    let everything =
        async |one: Active, two: Option<Active>, three: Peeked, four: Fresh<900>, auth: Auth| {
            let again = auth.active().await?;
            let two = two.unwrap();
            let same = [&*two, &*three, &**four, &*again];
            assert!(same.iter().all(|other| other.session == one.session));
            auth.list().await.map(|list| list.len().to_string())
        };
    let app = Router::new()
        .route("/everything", get(everything))
        .route_layer(require())
        .route("/in", get(async |auth: Auth| auth.sign_in("ada").await.map(drop)))
        .route("/maybe", get(async |_: Option<Active>, _: Option<Peeked>, _: Auth| ()))
        .layer(SessionLayer::new(sessions, SessionCookie::host("session")).unwrap());
    let client = Client::new(&app);
    let mine = pair(&client.get("/in").await);
    let dead = "__Host-session=AAAAAAAAAAAAAAAAAAAAAA.AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
    for (path, cookie, status, calls) in [
        ("/everything", &*mine, 200, 2),
        ("/everything", dead, 401, 1),
        ("/everything", "", 401, 0),
        ("/maybe", &*mine, 200, 1),
        ("/maybe", dead, 200, 1),
        ("/maybe", "", 200, 0),
    ] {
        store.calls();
        let answer = client.with(cookie).get(path).await;
        assert_eq!((answer.status().as_u16(), store.calls()), (status, calls), "{path} {cookie}");
    }
}

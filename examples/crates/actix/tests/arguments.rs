//! What each argument of a handler does.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web;
use actix_web::{App, FromRequest, HttpMessage, HttpRequest, rt};
use chrono::TimeDelta;
use session_policy::jwt::{Algorithm, JwtSessions, KeyRing, SigningKey};
use session_policy::web::{Bearer, CarrierError, SessionCookie};
use session_policy::{MemoryStore, SessionPolicy, Sessions, SignIn};
use session_policy_actix::{
    Active, Auth, Fresh, Maybe, Peeked, Refused, SessionMiddleware, require,
};
use support::{Client, Kind, routes};

#[actix_web::test]
async fn each_argument_does_what_it_says_for_every_kind_of_session() {
    for kind in Kind::all() {
        let client = kind.client().await;
        let started = client.get("/in").await;
        assert_eq!(started.header("cache-control"), Some("no-store"), "{}", kind.name());
        let [cookie] = started.cookies()[..] else { panic!("{}: one cookie", kind.name()) };
        let end = "; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=28800";
        assert!(cookie.starts_with("__Host-session=") && cookie.ends_with(end), "{cookie}");
        let mine = started.pair();
        for (path, body, without, refused) in [
            ("/me", "ada", 401, "no_session"),
            ("/peeked", "ada", 401, "no_session"),
            ("/group", "ada", 401, "no_session"),
            ("/fresh", "ada", 401, "no_session"),
            ("/maybe", "true", 200, "false"),
            ("/maybe_peeked", "true", 200, "false"),
            ("/none", "none", 200, "none"),
        ] {
            let answer = client.cookie(&mine).get(path).await;
            assert_eq!((answer.status, &*answer.body), (200, body), "{} {path}", kind.name());
            assert_eq!(answer.cookies().len(), 0, "{path}");
            let stored = (path != "/none").then_some("no-store");
            assert_eq!(answer.header("cache-control"), stored, "{path}");
            let answer = client.get(path).await;
            assert_eq!((answer.status, answer.cookies().len()), (without, 0), "{path}");
            assert_eq!(if without == 401 { answer.reason() } else { &answer.body }, refused);
            assert_eq!(answer.header("cache-control"), stored, "{path}");
            assert_eq!(answer.header("www-authenticate"), None);
        }
        kind.clock.advance(TimeDelta::seconds(899));
        assert_eq!(client.cookie(&mine).get("/fresh").await.status, 200);
        kind.clock.advance(TimeDelta::seconds(1));
        let stale = client.cookie(&mine).get("/fresh").await;
        assert_eq!((stale.status, stale.reason()), (401, "not_fresh"), "{}", kind.name());
        let out = client.cookie(&mine).get("/out").await;
        assert_eq!(out.cookies(), [format!("__Host-session={}", end.replace("28800", "0"))]);
        let after = client.cookie(&mine).get("/me").await;
        assert_eq!(after.status, if kind.has_rows() { 401 } else { 200 }, "{}", kind.name());
    }
}

#[actix_web::test]
async fn a_session_ends_to_the_second_and_a_peek_does_not_keep_it() {
    for kind in Kind::all() {
        let client = kind.client().await;
        let mine = client.sign_in().await;
        kind.clock.advance(TimeDelta::seconds(1_799));
        assert_eq!(client.cookie(&mine).get("/peeked").await.status, 200);
        kind.clock.advance(TimeDelta::seconds(1));
        for path in ["/me", "/peeked", "/group", "/fresh"] {
            let ended = client.cookie(&mine).get(path).await;
            assert_eq!((ended.status, ended.reason()), (401, "idle"), "{} {path}", kind.name());
            assert_eq!(ended.cookies().len(), 0, "only a sign-out clears it");
        }
        for path in ["/maybe", "/maybe_peeked"] {
            let ended = client.cookie(&mine).get(path).await;
            assert_eq!((ended.status, &*ended.body), (200, "false"), "{} {path}", kind.name());
        }
    }
}

#[actix_web::test]
async fn a_renewal_sends_what_the_kind_of_session_needs() {
    for kind in Kind::all() {
        let client = kind.client().await;
        let mine = client.sign_in().await;
        kind.clock.advance(TimeDelta::minutes(20));
        let renewed = client.cookie(&mine).get("/me").await;
        assert_eq!((renewed.status, &*renewed.body), (200, "ada"));
        assert_eq!(renewed.cookies().is_empty(), kind.name() == "opaque");
        let next = if renewed.cookies().is_empty() { mine } else { renewed.pair() };
        kind.clock.advance(TimeDelta::minutes(29));
        assert_eq!(client.cookie(&next).get("/me").await.status, 200, "{}", kind.name());
    }
}

#[actix_web::test]
async fn the_verbs_of_rows_work_and_stateless_sessions_say_that_they_have_none() {
    for kind in Kind::all() {
        let client = kind.client().await;
        let (one, two, three) =
            (client.sign_in().await, client.sign_in().await, client.sign_in().await);
        let mine = client.cookie(&one);
        if !kind.has_rows() {
            for path in ["/rotate", "/list", "/end_others", "/end/AAAAAAAAAAAAAAAAAAAAAA"] {
                let answer = mine.get(path).await;
                assert_eq!((answer.status, answer.reason()), (500, "failed"), "{path}");
            }
            continue;
        }
        assert_eq!(mine.get("/list").await.body, "3");
        assert_eq!(mine.get("/end/AAAAAAAAAAAAAAAAAAAAAA").await.body, "false");
        let rotated = client.cookie(&two).get("/rotate").await.pair();
        assert_eq!(client.cookie(&two).get("/me").await.reason(), "no_session");
        assert_eq!(client.cookie(&rotated).get("/me").await.status, 200);
        let id = client.cookie(&three).get("/id").await.body;
        let ended = mine.get(&format!("/end/{id}")).await;
        assert_eq!((&*ended.body, ended.cookies().len()), ("true", 0));
        assert_eq!(client.cookie(&three).get("/me").await.status, 401);
        assert_eq!(mine.get("/end_others").await.body, "1");
        assert_eq!(client.cookie(&rotated).get("/me").await.status, 401);
        assert_eq!((mine.get("/me").await.status, kind.store.count().await), (200, 1));
    }
}

#[actix_web::test]
async fn a_sign_in_ends_the_session_that_the_client_had() {
    for kind in [Kind::opaque(), Kind::hybrid()] {
        let client = kind.client().await;
        let before = client.sign_in().await;
        let after = client.cookie(&before).sign_in().await;
        assert_eq!(client.cookie(&before).get("/me").await.status, 401);
        assert_eq!(client.cookie(&after).get("/me").await.status, 200);
        assert_eq!(kind.store.count().await, 1);
    }
}

#[actix_web::test]
async fn an_authorization_header_decides_alone() {
    for kind in Kind::all() {
        let client = kind.client().await;
        let cookie = client.sign_in().await;
        let answer = client.get("/bearer").await;
        assert_eq!(answer.cookies().len(), 0);
        let token = answer.body;
        for (header, cookie, status) in [
            (format!("bearer {token}"), "a=b", 200),
            (format!("Bearer {token}"), "__Host-session=x.y", 200),
            ("Bearer x".to_owned(), &*cookie, 401),
            ("Bearer".to_owned(), &*cookie, 401),
            ("Basic x".to_owned(), &*cookie, 401),
        ] {
            let client = client.cookie(cookie).with("authorization", &header);
            let answer = client.get("/me").await;
            assert_eq!(answer.status, status, "{header} {cookie}");
            let challenge = answer.header("www-authenticate");
            let is_bearers = challenge.is_some_and(|challenge| challenge.starts_with("Bearer"));
            assert_eq!(is_bearers, status == 401, "{header}");
            assert_eq!(answer.cookies().len(), 0);
        }
        assert_eq!(client.cookie(&cookie).get("/me").await.status, 200);
        let bearer = client.with("authorization", format!("Bearer {token}"));
        let two = bearer.with("authorization", format!("Bearer {token}"));
        assert_eq!(two.get("/me").await.status, 401, "two headers are none");

        kind.clock.advance(TimeDelta::minutes(15));
        let stale = bearer.get("/fresh").await.header("www-authenticate").unwrap().to_owned();
        let expected = r#"Bearer error="insufficient_user_authentication", max_age="900""#;
        assert_eq!(stale, expected);
        kind.clock.advance(TimeDelta::minutes(30));
        let over = bearer.get("/me").await;
        assert_eq!(over.header("www-authenticate"), Some(r#"Bearer error="invalid_token""#));
        assert_eq!(over.reason(), "idle");
    }
}

#[actix_web::test]
async fn a_token_issued_anew_for_a_bearer_is_in_the_header_that_is_set() {
    for kind in [Kind::hybrid(), Kind::stateless()] {
        let client = kind.client().await;
        let token = client.get("/bearer").await.body;
        kind.clock.advance(TimeDelta::minutes(20));
        let answer = client.with("authorization", format!("Bearer {token}")).get("/me").await;
        assert_eq!((answer.status, answer.cookies().len()), (200, 0));
        let anew = answer.header("x-session-token").unwrap();
        kind.clock.advance(TimeDelta::minutes(29));
        let next = client.with("authorization", format!("Bearer {anew}")).get("/me").await;
        assert_eq!(next.status, 200, "{}", kind.name());
    }
}

#[actix_web::test]
async fn of_several_cookies_of_the_name_the_one_that_opens_is_used() {
    for kind in Kind::all() {
        let client = kind.client().await;
        let (mine, other) = (client.sign_in().await, client.sign_in().await);
        let planted = "__Host-session=AAAAAAAAAAAAAAAAAAAAAA.AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
        for (cookies, status) in [
            (format!("{planted}; {mine}"), 200),
            (format!("{mine}; {planted}"), 200),
            (format!("{mine}; {mine}"), 200),
            (format!("{planted}; {planted}"), 401),
            (format!("a=b;{mine};c=d"), 200),
        ] {
            let answer = client.cookie(&cookies).get("/me").await;
            assert_eq!((answer.status, answer.cookies().len()), (status, 0), "{cookies}");
        }
        let both = client.cookie(format!("{mine}; {other}"));
        let answer = both.get("/me").await;
        assert_eq!((answer.status, answer.reason()), (401, "ambiguous"));
        let headers = client.cookie(&mine).cookie(&other);
        assert_eq!(headers.get("/maybe").await.reason(), "ambiguous", "not signed out");
        assert_eq!(both.get("/out").await.status, 200);
        if kind.has_rows() {
            assert_eq!(kind.store.count().await, 0, "a sign-out ends both");
        }
    }
}

#[actix_web::test]
async fn junk_is_no_session_and_ends_none() {
    for kind in Kind::all() {
        let client = kind.client().await;
        let mine = client.sign_in().await;
        let long = [b"__Host-session=".to_vec(), vec![b'A'; 60_000]].concat();
        for cookie in [
            &b""[..],
            b"=",
            b";;;=;",
            b"__Host-session",
            b"__Host-session=",
            b"__Host-session=\xff\xfe",
            b"\xff=\xfe; __Host-session=a.b.c",
            b"__Host-session=eyJhbGciOiJub25lIn0.e30.",
            &long,
        ] {
            for path in ["/me", "/peeked", "/group", "/fresh", "/list"] {
                let answer = client.cookie(cookie).get(path).await;
                assert_eq!((answer.status, answer.reason()), (401, "no_session"), "{path}");
                assert_eq!(answer.cookies().len(), 0);
            }
            let bearer = client.cookie(&mine).with("authorization", cookie);
            assert_eq!(bearer.get("/me").await.status, 401);
            let beside = [cookie, b"; ", mine.as_bytes()].concat();
            assert_eq!(client.cookie(beside).get("/me").await.status, 200);
        }
        let forged = format!("{}A", &mine[..mine.len() - 1]);
        let forged = if forged == mine { mine.replace('A', "B") } else { forged };
        assert_eq!(client.cookie(forged).get("/me").await.status, 401);
        assert_eq!(client.cookie(&mine).get("/me").await.status, 200, "nothing ended it");
    }
}

#[actix_web::test]
async fn the_store_away_is_503_for_what_asks_and_nothing_for_what_does_not() {
    for kind in [Kind::opaque(), Kind::hybrid()] {
        let client = kind.client().await;
        let mine = client.cookie(client.sign_in().await);
        kind.store.fail(true);
        for path in [
            "/me",
            "/maybe",
            "/maybe_peeked",
            "/peeked",
            "/group",
            "/fresh",
            "/out",
            "/rotate",
            "/in",
            "/list",
            "/end_others",
        ] {
            let answer = mine.get(path).await;
            assert_eq!((answer.status, answer.reason()), (503, "unavailable"), "{path}");
            assert_eq!(answer.header("retry-after"), Some("5"), "{path}");
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
            assert_eq!(answer.cookies().len(), 0, "{path}");
        }
        assert_eq!(mine.get("/none").await.status, 200);
        kind.store.fail(false);
        assert_eq!(mine.get("/me").await.status, 200);
    }
}

/// Why there is `Maybe`.
#[actix_web::test]
async fn an_option_of_actix_web_is_none_while_the_store_is_away() {
    let kind = Kind::opaque();
    let app = App::new()
        .configure(routes)
        .route("/option", web::get().to(async |it: Option<Active>| it.is_some().to_string()))
        .wrap(kind.middleware());
    let client = Client::new(init_service(app).await);
    let mine = client.cookie(client.sign_in().await);
    assert_eq!(mine.get("/option").await.body, "true");
    kind.store.fail(true);
    let answer = mine.get("/option").await;
    assert_eq!((answer.status, &*answer.body), (200, "false"));
}

#[actix_web::test]
async fn a_route_without_the_middleware_is_a_mistake_of_the_applications() {
    let app = init_service(App::new().configure(routes)).await;
    for path in ["/me", "/peeked", "/fresh", "/maybe", "/group", "/in"] {
        let answer = call_service(&app, TestRequest::get().uri(path).to_request()).await;
        assert_eq!(answer.status(), 500, "{path}");
    }
}

#[derive(Clone, Debug, serde::Deserialize, serde::Serialize)]
struct Role {
    admin: bool,
}

#[actix_web::test]
async fn claims_are_typed_in_every_argument() {
    let ring = KeyRing::new(SigningKey::secret("k", Algorithm::Hs256, [1; 32]).unwrap()).unwrap();
    let sessions = JwtSessions::new(ring, SessionPolicy::WORKING_DAY).with_claims::<Role>();
    let app = App::new()
        .route(
            "/in",
            web::get().to(async |auth: Auth<Role>| {
                auth.sign_in(SignIn::of("ada").claims(Role { admin: true })).await?;
                Ok::<_, Refused>("")
            }),
        )
        .service(
            web::resource("/all")
                .get(
                    async |one: Active<Role>,
                           two: Peeked<Role>,
                           three: Fresh<60, Role>,
                           four: Maybe<Active<Role>>,
                           five: Auth<Role>| {
                        let five = five.active().await?;
                        let four = four.as_ref().unwrap();
                        let all =
                            [&one.claims, &two.claims, &three.claims, &four.claims, &five.claims];
                        Ok::<_, Refused>(all.map(|role| role.admin.to_string()).join(" "))
                    },
                )
                .wrap(require().with_claims::<Role>()),
        )
        // Of other claims there is no middleware.
        .route("/other", web::get().to(async |_: Active| ""))
        .wrap(SessionMiddleware::new(sessions, SessionCookie::host("session")).unwrap());
    let client = Client::new(init_service(app).await);
    let mine = client.cookie(client.sign_in().await);
    assert_eq!(mine.get("/all").await.body, "true true true true true");
    assert_eq!(mine.get("/other").await.status, 500);
}

#[actix_web::test]
async fn a_request_that_asks_twice_is_looked_up_once() {
    let kind = Kind::opaque();
    let app = App::new()
        .configure(routes)
        .service(
            web::resource("/twice")
                .get(async |store: web::Data<support::Faulty>, one: Active, auth: Auth| {
                    // Had it to be asked again, the answer would be another.
                    store.fail(true);
                    let two = auth.active().await?;
                    Ok::<_, Refused>((one.session.id() == two.session.id()).to_string())
                })
                .wrap(require()),
        )
        .app_data(web::Data::new(kind.store.clone()))
        .wrap(kind.middleware());
    let client = Client::new(init_service(app).await);
    let mine = client.cookie(client.sign_in().await);
    assert_eq!(mine.get("/twice").await.body, "true");
}

#[actix_web::test]
async fn what_waits_for_the_end_is_told_of_a_sign_out() {
    for kind in [Kind::opaque(), Kind::hybrid()] {
        let app = App::new()
            .configure(routes)
            .route(
                "/wait",
                web::get().to(async |auth: Auth| {
                    let sleep = |_| rt::time::sleep(std::time::Duration::from_millis(1));
                    auth.ended(TimeDelta::seconds(30), sleep).await.as_str()
                }),
            )
            .wrap(kind.middleware());
        let client = Client::new(init_service(app).await);
        let (mine, other) = (client.sign_in().await, client.sign_in().await);
        let (mine, other) = (client.cookie(&mine), client.cookie(&other));
        let waiting = std::pin::pin!(mine.get("/wait"));
        let ending = std::pin::pin!(async {
            rt::time::sleep(std::time::Duration::from_millis(50)).await;
            other.get("/end_others").await
        });
        let (waited, ended) = futures_util::future::join(waiting, ending).await;
        assert_eq!((&*waited.body, &*ended.body), ("no_session", "1"), "{}", kind.name());
    }
}

#[test]
fn settings_that_browsers_refuse_are_errors() {
    let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY);
    let error = SessionMiddleware::new(sessions.clone(), SessionCookie::host("a b")).unwrap_err();
    assert_eq!(error, CarrierError::CookieName { name: "a b".to_owned() });
    assert!(SessionMiddleware::new(sessions, Bearer::new()).is_ok());
}

/// Signs out before the handler's next argument is read.
struct SignedOut;

impl FromRequest for SignedOut {
    type Error = Refused;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Refused>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let auth = Auth::from_request(request, payload);
        Box::pin(async move {
            let auth: Auth = auth.await?;
            auth.sign_out().await?;
            Ok(Self)
        })
    }
}

/// What asks for the session while it holds what the request carries.
struct Holding(Active);

impl FromRequest for Holding {
    type Error = Refused;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Refused>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let mut held = request.extensions_mut();
        held.insert("its own");
        let active = Active::from_request(request, payload);
        Box::pin(async move { Ok(Self(active.await?)) })
    }
}

#[actix_web::test]
async fn an_argument_is_asked_in_its_turn_also_where_nothing_waits() {
    let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY);
    let middleware = SessionMiddleware::new(sessions.clone(), Bearer::new()).unwrap();
    let app = App::new()
        .route("/out", web::get().to(async |_: SignedOut, _: Active| "signed in"))
        .route("/held", web::get().to(async |it: Holding| it.0.session.subject().to_owned()))
        .route("/bad/{number}", web::get().to(async |_: web::Path<u32>, _: Active| ""));
    let app = init_service(app.wrap(middleware)).await;
    let started = sessions.start("ada").await.unwrap();
    let bearer = format!("Bearer {}", started.token.expose());
    let get = |path| TestRequest::get().uri(path).insert_header(("authorization", &*bearer));
    let bad = call_service(&app, get("/bad/x").to_request()).await;
    assert_eq!((bad.status().as_u16(), bad.headers().get("cache-control")), (404, None));
    let held = call_service(&app, get("/held").to_request()).await;
    assert_eq!(held.status(), 200);
    let out = call_service(&app, get("/out").to_request()).await;
    assert_eq!(out.status(), 401);
}

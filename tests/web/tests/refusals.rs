//! What the application answers in the place of a refusal, and what stays of the answer.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::convert::Infallible;
use std::num::NonZeroU32;

use axum::Router;
use axum::body::Body;
use axum::extract::Query;
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE, VARY,
};
use axum::http::{HeaderName, HeaderValue, Request};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use session_policy::web::{Active, Auth, Reason, Refused, SessionCookie, SessionLayer, require};
use session_policy::{
    MemoryStore, Policies, SessionLimit, SessionPolicy, Sessions, SignIn, WhenFull,
};
use tower::{Layer, Service, ServiceExt};

use support::{Client, cookies, pair, text};

fn sessions() -> Sessions<MemoryStore> {
    Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY)
}

fn cookie() -> SessionCookie {
    SessionCookie::host("session")
}

/// Says what it was told.
fn told(refused: &Refused) -> Response {
    let head = refused.request().unwrap();
    let accept = head.accept.as_deref().unwrap_or("-");
    format!("{} {} {} {accept}", refused.as_str(), head.method, head.path).into_response()
}

async fn ask(app: &Router, method: &str, path: &str) -> Response {
    let request = Request::builder().method(method).uri(path).header(ACCEPT, "text/html");
    app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

#[tokio::test]
async fn one_closure_answers_extractors_groups_and_handlers_with_the_request_as_it_was_sent() {
    let inner = Router::new()
        .route("/group", get(async || "never"))
        .route_layer(require())
        .route("/extractor", get(async |_: Active| "never").post(async |_: Active| "never"))
        .route(
            "/handler",
            get(async |auth: Auth| {
                auth.active().await?;
                Ok::<_, Refused>(())
            }),
        );
    let app = Router::new()
        .nest("/deep/in", inner.clone())
        .merge(inner)
        .layer(SessionLayer::new(sessions(), cookie()).unwrap().on_refusal(told));
    for path in ["/group", "/extractor", "/handler"] {
        for prefix in ["", "/deep/in"] {
            let answer = ask(&app, "GET", &format!("{prefix}{path}?a=b%20c&next=/")).await;
            let expected = format!("no_session GET {prefix}{path}?a=b%20c&next=/ text/html");
            assert_eq!(text(answer).await, expected);
        }
    }
    let answer = ask(&app, "POST", "/extractor").await;
    assert_eq!(text(answer).await, "no_session POST /extractor text/html");
    assert_eq!(ask(&app, "GET", "/nowhere").await.status(), 404);
    assert_eq!(text(Client::new(&app).get("/handler").await).await, "no_session GET /handler -");
}

/// A browser is redirected, and a script told; each as the closure says.
#[tokio::test]
async fn a_closure_answers_some_and_leaves_the_others() {
    let layer =
        SessionLayer::new(sessions(), cookie()).unwrap().on_refusal(|refused| {
            match refused.request() {
                Some(head) if refused.status() == 401 && head.wants_html() => {
                    Redirect::to(&format!("/sign-in?next={}", head.path)).into_response()
                }
                _ => refused.response(),
            }
        });
    let app = support::routes().layer(layer);
    let answer = ask(&app, "GET", "/me").await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()[LOCATION]),
        (303, &HeaderValue::from_static("/sign-in?next=/me"))
    );
    let answer = Client::new(&app).get("/me").await;
    assert_eq!(answer.status(), 401);
    assert_eq!(answer.headers()[CONTENT_TYPE], "application/problem+json");
    let problem =
        r#"{"type":"about:blank","title":"Unauthorized","status":401,"reason":"no_session"}"#;
    assert_eq!(text(answer).await, problem);
}

/// The cookies of the handler and of an earlier verb, and the headers of middlewares inside.
#[tokio::test]
async fn what_was_left_before_a_refusal_is_kept() {
    const CORS: HeaderName = HeaderName::from_static("access-control-allow-origin");
    let inside = map_response(async |mut response: Response| {
        let headers = response.headers_mut();
        headers.insert(CORS, HeaderValue::from_static("https://example.com"));
        headers.append(VARY, HeaderValue::from_static("origin"));
        headers.append(VARY, HeaderValue::from_static("accept"));
        headers.append(SET_COOKIE, HeaderValue::from_static("theme=dark"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        response
    });
    let signs_in_and_fails = async |auth: Auth| {
        drop(auth.sign_in("ada").await?);
        auth.sign_in("").await.map(drop)
    };
    let routes = || {
        Router::new()
            .route("/fails", get(signs_in_and_fails))
            .route("/me", get(async |_: Active| "ada"))
            .layer(inside.clone())
    };
    // A closure that lets caches have the answer, which is no matter without a cookie.
    let cached = |refused: &Refused| {
        let mut response: Response = refused.response();
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("max-age=60"));
        response
    };
    for (app, caches) in [
        (routes().layer(SessionLayer::new(sessions(), cookie()).unwrap()), false),
        (routes().layer(SessionLayer::new(sessions(), cookie()).unwrap().on_refusal(cached)), true),
    ] {
        let client = Client::new(&app);
        let answer = client.get("/fails").await;
        assert_eq!(answer.status(), 500);
        assert_eq!(answer.headers()[CORS], "https://example.com");
        assert_eq!(answer.headers().get_all(VARY).iter().count(), 2);
        assert_eq!(answer.headers()[CONTENT_TYPE], "application/problem+json");
        let all = cookies(&answer);
        assert_eq!((all.len(), &*all[0]), (2, "theme=dark"));
        assert_eq!(answer.headers()[CACHE_CONTROL], "no-store", "{caches}");
        let mine = all[1].split(';').next().unwrap().to_owned();
        let length = answer.headers().get(CONTENT_LENGTH).map(|it| it.to_str().unwrap().to_owned());
        let body = text(answer).await;
        assert!(length.is_none_or(|length| length == body.len().to_string()) && !body.is_empty());
        assert_eq!(client.with(&mine).get("/me").await.status(), 200);
    }
}

/// It was another body than the one that is sent.
#[tokio::test]
async fn nothing_that_tells_of_what_a_refusal_replaces_is_kept() {
    let inside = map_response(async |mut response: Response| {
        for name in [
            "content-disposition",
            "content-encoding",
            "content-language",
            "content-length",
            "content-range",
            "content-type",
            "etag",
            "last-modified",
            "retry-after",
            "transfer-encoding",
            "www-authenticate",
        ] {
            response.headers_mut().insert(name, HeaderValue::from_static("left"));
        }
        response
    });
    let bare = |_: &Refused| Response::new(Body::from("refused"));
    let app = Router::new()
        .route("/me", get(async |_: Active| "never"))
        .layer(inside)
        .layer(SessionLayer::new(sessions(), cookie()).unwrap().on_refusal(bare));
    let answer = Client::new(&app).get("/me").await;
    assert!(answer.headers().values().all(|value| value != "left"), "{:?}", answer.headers());
    assert_eq!(text(answer).await, "refused");
}

#[tokio::test]
async fn a_page_of_too_many_sessions_lets_one_be_replaced() {
    #[derive(serde::Deserialize)]
    struct Choice {
        instead_of: Option<String>,
    }
    let two = SessionLimit::new(NonZeroU32::new(2).unwrap(), WhenFull::Refuse);
    let policies = Policies::new(SessionPolicy::WORKING_DAY).with_limit("default", two).unwrap();
    let sessions = Sessions::new(MemoryStore::new(), policies);
    let page = |refused: &Refused| match refused.reason() {
        Reason::TooMany { sessions, .. } => {
            let ids: Vec<_> = sessions.iter().map(|session| session.id().to_string()).collect();
            ids.join(" ").into_response()
        }
        _ => refused.response(),
    };
    let sign_in = async |auth: Auth, Query(choice): Query<Choice>| {
        // The password was checked.
        let Err(refused) = auth.sign_in("ada").await else { return Ok(()) };
        let Reason::TooMany { sessions, .. } = refused.reason() else { return Err(refused) };
        let chosen = |session: &&session_policy::Session| {
            Some(session.id().to_string()) == choice.instead_of
        };
        let Some(chosen) = sessions.iter().find(chosen) else { return Err(refused) };
        auth.sign_in(SignIn::of("ada").replacing(chosen)).await.map(drop)
    };
    let app = Router::new()
        .route("/in", get(sign_in))
        .route("/me", get(async |active: Active| active.session.id().to_string()))
        .layer(SessionLayer::new(sessions, cookie()).unwrap().on_refusal(page));
    let client = Client::new(&app);
    let (phone, tablet) = (pair(&client.get("/in").await), pair(&client.get("/in").await));
    let refused = client.get("/in").await;
    assert_eq!(cookies(&refused).len(), 0);
    let ids = text(refused).await;
    let tablets = text(client.with(&tablet).get("/me").await).await;
    assert!(ids.contains(&tablets) && ids.split(' ').count() == 2);
    assert_eq!(cookies(&client.get("/in?instead_of=x").await).len(), 0);
    let laptop = pair(&client.get(&format!("/in?instead_of={tablets}")).await);
    for (cookie, status) in [(&phone, 200), (&tablet, 401), (&laptop, 200)] {
        assert_eq!(client.with(cookie).get("/me").await.status(), status);
    }
}

#[tokio::test]
async fn an_answer_that_is_cached_has_no_token_in_it() {
    let public = || [(CACHE_CONTROL, "public, max-age=60")];
    let app = Router::new()
        .route("/in", get(async move |auth: Auth| auth.sign_in("ada").await.map(|_| public())))
        .route("/me", get(async move |_: Active| public()))
        .route("/maybe", get(async |_: Option<Active>| ()))
        .route(
            "/own",
            get(async |_: Option<Active>| [(SET_COOKIE, "theme=dark"), (CACHE_CONTROL, "public")]),
        )
        .route("/none", get(async || ()))
        .route("/none-public", get(async move || public()))
        .layer(SessionLayer::new(sessions(), cookie()).unwrap());
    let client = Client::new(&app);
    let mine = pair(&client.get("/in").await);
    for (path, expected) in [
        ("/me", Some("public, max-age=60")),
        ("/maybe", Some("no-store")),
        ("/own", Some("no-store")),
        ("/none", None),
        ("/none-public", Some("public, max-age=60")),
        ("/in", Some("no-store")),
    ] {
        let request = Request::get(path).header(COOKIE, &mine).body(Body::empty()).unwrap();
        let answer = app.clone().oneshot(request).await.unwrap();
        let says = answer.headers().get(CACHE_CONTROL).map(|value| value.to_str().unwrap());
        assert_eq!(says, expected, "{path}");
        if path == "/in" {
            assert!(answer.headers()[SET_COOKIE].is_sensitive());
        }
        if path == "/none" {
            assert!(answer.headers().keys().all(|name| name == CONTENT_LENGTH));
        }
    }
}

/// The answer in the place of a refusal has the last word on a header, and adds its cookies.
#[tokio::test]
async fn a_header_of_the_refusal_is_sent_once_and_cookies_of_both_are() {
    const FRAME: HeaderName = HeaderName::from_static("x-frame-options");
    let inside = map_response(async |mut response: Response| {
        response.headers_mut().insert(FRAME, HeaderValue::from_static("SAMEORIGIN"));
        response.headers_mut().append(SET_COOKIE, HeaderValue::from_static("theme=dark"));
        response
    });
    let denies = |refused: &Refused| {
        let mut response: Response = refused.response();
        response.headers_mut().insert(FRAME, HeaderValue::from_static("DENY"));
        response.headers_mut().append(SET_COOKIE, HeaderValue::from_static("seen=1"));
        response
    };
    let app = Router::new()
        .route("/me", get(async |_: Active| "never"))
        .layer(inside)
        .layer(SessionLayer::new(sessions(), cookie()).unwrap().on_refusal(denies));
    let answer = Client::new(&app).get("/me").await;
    let framed: Vec<_> = answer.headers().get_all(FRAME).iter().collect();
    assert_eq!(framed, ["DENY"]);
    assert_eq!(cookies(&answer), ["seen=1", "theme=dark"]);
}

#[tokio::test]
async fn a_session_cookie_of_the_handler_s_own_is_the_only_one() {
    const OWN: &str = "__Host-session=own";
    let own = async |auth: Auth| auth.sign_in("ada").await.map(|_| [(SET_COOKIE, OWN)]);
    let app = Router::new()
        .route("/in", get(own))
        .layer(SessionLayer::new(sessions(), cookie()).unwrap());
    assert_eq!(cookies(&Client::new(&app).get("/in").await), [OWN]);
}

/// Debug output is written to logs.
#[tokio::test]
async fn what_is_logged_of_the_layer_has_no_request_in_it() {
    let layer = SessionLayer::new(sessions(), cookie()).unwrap();
    assert!(format!("{layer:?}").starts_with("SessionLayer { sessions: WebSessions { "));
    let required = require();
    assert_eq!(format!("{required:?}"), "Require");
    let inner = tower::service_fn(async |_: Request<Body>| {
        Ok::<_, Infallible>(Response::new(Body::empty()))
    });
    let request = || Request::get("/secret").body(Body::empty()).unwrap();
    let future = layer.layer(inner).call(request());
    assert_eq!(format!("{future:?}"), "ResponseFuture { .. }");
    let future = required.layer(inner).call(request());
    assert_eq!(format!("{future:?}"), "RequireFuture { .. }");
}

//! One table of requests through axum and through actix-web: the answers are the same.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use axum::Router;
use axum::body::Body;
use axum::http::header::SET_COOKIE as COOKIE_SET;
use axum::http::{HeaderValue, Request};
use axum::response::Response;
use axum::routing::get;
use chrono::TimeDelta;
use http_body_util::BodyExt;
use session_policy::web::{
    Active, Auth, Fresh, Peeked, Refused, RequestHead, SessionLayer, require,
};
use support::{Kind, carrier, client};
use tower::ServiceExt;

/// The routes of `support`, in axum.
fn routes() -> Router {
    let subject = async |active: Active| active.session.subject().to_owned();
    Router::new()
        .route("/group", get(subject))
        .route_layer(require())
        .route("/me", get(subject))
        .route("/in", get(async |auth: Auth| auth.sign_in("ada").await.map(drop)))
        .route("/out", get(async |auth: Auth| auth.sign_out().await))
        .route("/rotate", get(async |auth: Auth| auth.rotate().await.map(drop)))
        .route(
            "/list",
            get(async |auth: Auth| Ok::<_, Refused>(auth.list().await?.len().to_string())),
        )
        .route(
            "/end_others",
            get(async |auth: Auth| Ok::<_, Refused>(auth.end_others().await?.to_string())),
        )
        .route("/peeked", get(async |peeked: Peeked| peeked.session.subject().to_owned()))
        .route("/maybe", get(async |it: Option<Active>| it.is_some().to_string()))
        .route("/maybe_peeked", get(async |it: Option<Peeked>| it.is_some().to_string()))
        .route("/fresh", get(async |fresh: Fresh<900>| fresh.session.subject().to_owned()))
        .route("/none", get(async || "none"))
        .route(
            "/own/{name}",
            get(async |auth: Auth, uri: axum::http::Uri| {
                auth.sign_in("ada").await?;
                let own = format!("{}=own", uri.path().rsplit('/').next().unwrap());
                Ok::<_, Refused>([(COOKIE_SET, own)])
            }),
        )
        .route("/public", get(async |_: Option<Active>| [("cache-control", "max-age=60")]))
}

const PATHS: [&str; 16] = [
    "/group",
    "/me",
    "/in",
    "/out",
    "/rotate",
    "/list",
    "/end_others",
    "/peeked",
    "/maybe",
    "/maybe_peeked",
    "/fresh",
    "/none",
    "/own/__Host-session",
    "/own/session",
    "/public",
    "/me?a=b",
];

/// What both are to have in common. Tokens are as random as they are: they read `TOKEN`.
#[derive(Debug, Eq, PartialEq)]
struct Seen {
    status: u16,
    headers: Vec<(&'static str, Vec<String>)>,
    body: String,
}

impl Seen {
    fn new<'a, I: Iterator<Item = &'a [u8]>>(
        status: u16,
        values: impl Fn(&'static str) -> I,
        body: String,
    ) -> Self {
        let names = [
            "set-cookie",
            "www-authenticate",
            "cache-control",
            "content-type",
            "retry-after",
            "location",
            "x-session-token",
        ];
        let headers = names.map(|name| {
            let texts = values(name).map(|value| masked(name, str::from_utf8(value).unwrap()));
            (name, texts.collect())
        });
        Self { status, headers: headers.into(), body }
    }
}

fn masked(name: &str, value: &str) -> String {
    if name == "x-session-token" {
        return "TOKEN".to_owned();
    }
    match value.strip_prefix("__Host-session=").and_then(|rest| rest.split_once(';')) {
        Some((token, attributes)) if !token.is_empty() => {
            format!("__Host-session=TOKEN;{attributes}")
        }
        _ => value.to_owned(),
    }
}

/// What a request presents, given two tokens of the user's.
type Presents = fn(&str, &str) -> Vec<(&'static str, Vec<u8>)>;

fn cookie(text: impl Into<Vec<u8>>) -> (&'static str, Vec<u8>) {
    ("cookie", text.into())
}

const PRESENTED: &[(&str, Presents)] = &[
    ("nothing", |_, _| Vec::new()),
    ("a cookie", |one, _| vec![cookie(format!("a=b; __Host-session={one}"))]),
    ("a page's cookie", |one, _| {
        vec![("accept", b"text/html".into()), cookie(format!("__Host-session={one}"))]
    }),
    ("a page", |_, _| vec![("accept", b"text/html".into())]),
    ("two that open", |one, two| {
        vec![cookie(format!("__Host-session={one}; __Host-session={two}"))]
    }),
    ("one in each header", |one, two| {
        vec![cookie(format!("__Host-session={one}")), cookie(format!("__Host-session={two}"))]
    }),
    ("a planted one", |one, _| {
        vec![cookie(format!("__Host-session=AAAAAAAAAAAAAAAAAAAAAA.x; __Host-session={one}"))]
    }),
    ("junk", |_, _| vec![cookie(b"\xff=\xfe; __Host-session=\xff; __Host-session=a.b.c")]),
    ("junk and a cookie", |one, _| {
        vec![cookie([b"\xff; ", format!("__Host-session={one}").as_bytes()].concat())]
    }),
    ("a bearer", |one, _| vec![("authorization", format!("Bearer {one}").into())]),
    ("a bearer beside a cookie", |one, two| {
        vec![
            ("authorization", format!("bearer  {one} ").into()),
            cookie(format!("__Host-session={two}")),
        ]
    }),
    ("a bearer's junk", |_, two| {
        vec![("authorization", b"Bearer \xff".into()), cookie(format!("__Host-session={two}"))]
    }),
    ("two bearers", |one, two| {
        vec![
            ("authorization", format!("Bearer {one}").into()),
            ("authorization", format!("Bearer {two}").into()),
        ]
    }),
    ("another scheme", |one, _| vec![("authorization", format!("Basic {one}").into())]),
];

/// Seconds since the sign-in, and whether the store is away.
const WHEN: [(i64, bool); 6] =
    [(0, false), (0, true), (600, false), (1_200, false), (1_800, false), (28_800, false)];

async fn through_axum(app: &Router, path: &str, headers: &[(&'static str, Vec<u8>)]) -> Seen {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, HeaderValue::from_bytes(value).unwrap());
    }
    let answer = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let values = |name| parts.headers.get_all(name).into_iter().map(HeaderValue::as_bytes);
    Seen::new(parts.status.as_u16(), values, String::from_utf8(body.to_vec()).unwrap())
}

/// Both with the same sessions; either with problem details, or pages of its own.
async fn compare(kind: Kind, has_pages: bool, statuses: &mut BTreeSet<u16>) -> usize {
    let layer = with_sessions!(kind, sessions => SessionLayer::new(sessions, carrier())).unwrap();
    let is_page = |head: Option<&RequestHead>| head.is_some_and(RequestHead::wants_html);
    let page = |status, path: &str| format!("{status} at {path}");
    let (axum, actix) = if has_pages {
        let layer = layer.on_refusal(move |refused: &Refused| {
            if !is_page(refused.request()) {
                return refused.response();
            }
            let body = page(refused.status(), &refused.request().unwrap().path);
            let page = Response::builder().status(303).header("location", "/sign-in");
            page.header("content-type", "text/plain").body(Body::from(body)).unwrap()
        });
        let middleware = kind.middleware().on_refusal(move |refused| {
            if !is_page(refused.request()) {
                return actix_web::ResponseError::error_response(refused);
            }
            let body = page(refused.status(), &refused.request().unwrap().path);
            let mut page = HttpResponse::SeeOther();
            page.insert_header(("location", "/sign-in")).content_type("text/plain").body(body)
        });
        (routes().layer(layer), middleware)
    } else {
        (routes().layer(layer), kind.middleware())
    };
    let client = client(actix).await;
    let (begin, mut count) = (session_policy::Clock::now(&kind.clock), 0);
    for (secs, is_away) in WHEN {
        for (presented, present) in PRESENTED {
            for path in PATHS {
                let mut seen = Vec::new();
                for is_axum in [true, false] {
                    kind.clock.set(begin);
                    let one = client.get("/bearer").await.body;
                    let two = client.get("/bearer").await.body;
                    kind.clock.advance(TimeDelta::seconds(secs));
                    kind.store.fail(is_away);
                    let headers = present(&one, &two);
                    seen.push(if is_axum {
                        through_axum(&axum, path, &headers).await
                    } else {
                        let client = client.with_all(&headers);
                        let answer = client.get(path).await;
                        let values = |name| {
                            answer
                                .headers
                                .get_all(name)
                                .map(actix_web::http::header::HeaderValue::as_bytes)
                        };
                        Seen::new(answer.status, values, answer.body.clone())
                    });
                    kind.store.fail(false);
                    kind.store.clear().await;
                }
                let context = format!("{} {path} {presented} {secs} {is_away}", kind.name());
                assert_eq!(seen[0], seen[1], "{context}");
                statuses.insert(seen[0].status);
                count += 1;
            }
        }
    }
    count
}

#[actix_web::test]
async fn axum_and_actix_answer_alike() {
    let mut statuses = BTreeSet::new();
    for kind in Kind::all() {
        for has_pages in [false, true] {
            let count = compare(kind.clone(), has_pages, &mut statuses).await;
            assert_eq!(count, WHEN.len() * PRESENTED.len() * PATHS.len());
        }
    }
    assert_eq!(Vec::from_iter(statuses), [200, 303, 401, 500, 503]);
}

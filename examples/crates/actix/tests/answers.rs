//! What is sent, whatever the handler does: cookies, refusals, errors, and nothing at all.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::{Next, from_fn};
use actix_web::test::init_service;
use actix_web::web::{self, Bytes};
use actix_web::{App, Error, HttpResponse, ResponseError, rt};
use chrono::TimeDelta;
use futures_util::StreamExt;
use session_policy::web::{Reason, RequestHead};
use session_policy_actix::{Active, Auth, Refused};
use support::{Client, Kind, client, routes};

#[actix_web::test]
async fn a_cookie_of_the_handlers_own_wins_if_it_has_the_name() {
    for kind in [Kind::opaque(), Kind::hybrid()] {
        let middleware = kind.middleware().spawn_with(|task| drop(rt::spawn(task)));
        let client = client(middleware).await;
        let own = client.get("/own/__Host-session").await;
        assert_eq!(own.cookies(), ["__Host-session=own"]);
        assert_eq!(own.header("cache-control"), Some("no-store"));
        settle().await;
        assert_eq!(kind.store.count().await, 0, "nobody could open it");
        let other = client.get("/own/session").await;
        let [first, second] = other.cookies()[..] else { panic!("{other:?}") };
        assert_eq!(first, "session=own");
        assert!(second.starts_with("__Host-session="));
        settle().await;
        assert_eq!(kind.store.count().await, 1);
    }
}

#[actix_web::test]
async fn a_cookie_of_the_handlers_own_wins_over_a_token_issued_anew() {
    for kind in [Kind::hybrid(), Kind::stateless()] {
        let client = kind.client().await;
        let mine = client.cookie(client.sign_in().await);
        kind.clock.advance(TimeDelta::minutes(10));
        for (name, sent) in [("__Host-session", 1), ("session2", 2)] {
            let answer = mine.get(&format!("/own_active/{name}")).await;
            let cookies = answer.cookies();
            assert_eq!(cookies.len(), sent, "{cookies:?}");
            assert_eq!(cookies[0], format!("{name}=own"));
        }
    }
}

#[actix_web::test]
async fn an_answer_may_be_stored_only_if_the_handler_says_so_and_no_cookie_is_sent() {
    for kind in Kind::all() {
        let client = kind.client().await;
        assert_eq!(client.get("/public").await.header("cache-control"), Some("max-age=60"));
        let mine = client.cookie(client.sign_in().await);
        assert_eq!(mine.get("/public").await.header("cache-control"), Some("max-age=60"));
        kind.clock.advance(TimeDelta::minutes(20));
        let renewed = mine.get("/public").await;
        let sent = if renewed.cookies().is_empty() { "max-age=60" } else { "no-store" };
        assert_eq!(renewed.header("cache-control"), Some(sent), "{}", kind.name());
        assert_eq!(renewed.cookies().is_empty(), kind.name() == "opaque");
    }
}

/// The handler takes its time; its session ends, or its token is superseded.
#[actix_web::test]
async fn a_late_answer_does_not_oust_what_a_newer_one_set() {
    for ends in [true, false] {
        let kind = Kind::hybrid();
        let path = if ends { "/end_others" } else { "/none" };
        let app = App::new()
            .configure(routes)
            .route(
                "/slow",
                web::get().to(async |_: Active| {
                    rt::time::sleep(Duration::from_millis(50)).await;
                    ""
                }),
            )
            .wrap(kind.middleware());
        let client = Client::new(init_service(app).await);
        let mine = client.cookie(client.sign_in().await);
        kind.clock.advance(TimeDelta::minutes(10));
        let other = client.cookie(client.sign_in().await);
        let (late, _) = futures_util::future::join(mine.get("/slow"), async {
            rt::time::sleep(Duration::from_millis(20)).await;
            other.get(path).await
        })
        .await;
        assert_eq!((late.status, late.cookies().len()), (200, usize::from(!ends)));
    }
}

#[actix_web::test]
async fn refusals_are_the_applications_to_answer_wherever_they_come_from() {
    let heard: Arc<Mutex<Vec<(String, u16)>>> = Arc::default();
    let hears = heard.clone();
    let kind = Kind::opaque();
    let middleware = kind.middleware().on_refusal(move |refused| {
        let request: &RequestHead = refused.request().unwrap();
        hears.lock().unwrap().push((request.path.clone(), refused.status()));
        assert_eq!(request.method, "GET");
        match refused.reason() {
            Reason::NoSession if request.wants_html() => {
                HttpResponse::SeeOther().insert_header(("location", "/sign-in")).finish()
            }
            _ => refused.error_response(),
        }
    });
    let app = App::new()
        .configure(routes)
        .service(web::resource("/wrapped").get(async |auth: Auth| {
            Ok::<_, Wrapped>(auth.active().await?.session.id().to_string())
        }))
        .service(web::resource("/within").get(async || "").wrap(from_fn(guard)))
        .wrap(middleware);
    let client = Client::new(init_service(app).await);
    let browser = client.with("accept", "text/html,*/*");
    let paths = ["/me?a=b", "/group", "/peeked", "/fresh", "/list", "/wrapped", "/within"];
    for path in paths {
        let answer = browser.get(path).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some("/sign-in")), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(answer.body, "");
        let answer = client.get(path).await;
        assert_eq!((answer.status, answer.reason()), (401, "no_session"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
    let twice = paths.iter().flat_map(|path| [path, path]);
    let all: Vec<_> = twice.map(|path| ((*path).to_owned(), 401)).collect();
    assert_eq!(*heard.lock().unwrap(), all, "once each");
}

/// An error of an application's own that answers as a refusal does.
#[derive(Debug)]
struct Wrapped(Refused);

impl From<Refused> for Wrapped {
    fn from(refused: Refused) -> Self {
        Self(refused)
    }
}

impl std::fmt::Display for Wrapped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl ResponseError for Wrapped {
    fn status_code(&self) -> StatusCode {
        self.0.status_code()
    }

    fn error_response(&self) -> HttpResponse {
        self.0.error_response()
    }
}

/// Another middleware that asks for a session, and is for one user.
async fn guard(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let active = request.extract::<Active>().await?;
    if active.session.subject() != "bob" {
        return Err(actix_web::error::ErrorForbidden("not yours"));
    }
    next.call(request).await
}

/// One that has nothing to do with sessions.
async fn broken(
    _: ServiceRequest,
    _: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    Err::<ServiceResponse, _>(Unavailable.into())
}

#[derive(Debug)]
struct Unavailable;

impl std::fmt::Display for Unavailable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("on holiday")
    }
}

impl ResponseError for Unavailable {}

#[actix_web::test]
async fn an_error_of_another_middleware_has_the_headers_of_an_answer() {
    let kind = Kind::hybrid();
    let app = App::new()
        .configure(routes)
        .service(web::resource("/within").get(async || "").wrap(from_fn(guard)))
        .service(web::resource("/broken").get(async || "").wrap(from_fn(broken)))
        .wrap(kind.middleware());
    let client = Client::new(init_service(app).await);
    let refused = client.get("/within").await;
    assert_eq!((refused.status, refused.reason()), (401, "no_session"));
    assert_eq!(refused.header("cache-control"), Some("no-store"));
    let mine = client.cookie(client.sign_in().await);
    kind.clock.advance(TimeDelta::minutes(10));
    let forbidden = mine.get("/within").await;
    assert_eq!((forbidden.status, &*forbidden.body), (403, "not yours"));
    assert_eq!(forbidden.header("cache-control"), Some("no-store"));
    assert_eq!(client.cookie(forbidden.pair()).get("/me").await.status, 200);
    // Nobody asked: the error is as it was.
    let error = client.call("/broken").await.unwrap_err();
    assert!(error.as_error::<Unavailable>().is_some());
}

/// Lets what was spawned come to its end.
async fn settle() {
    for _ in 0..50 {
        rt::task::yield_now().await;
    }
}

#[actix_web::test]
async fn a_client_that_hangs_up_during_a_sign_in_leaves_no_session() {
    for (kind, path) in [
        (Kind::opaque(), "/in"),
        (Kind::opaque(), "/rotate"),
        (Kind::hybrid(), "/in"),
        (Kind::hybrid(), "/rotate"),
    ] {
        let middleware = kind.middleware().spawn_with(|task| drop(rt::spawn(task)));
        let client = client(middleware).await;
        let mut polls = 0;
        loop {
            let with = match path {
                "/rotate" => client.cookie(client.sign_in().await),
                _ => client.cookie("a=b"),
            };
            let mut call = Box::pin(with.call(path));
            // It is dropped after so many polls, between which others run.
            let mut answer = None;
            for _ in 0..=polls {
                answer = poll_fn(|context| {
                    Poll::Ready(match call.as_mut().poll(context) {
                        Poll::Ready(answer) => Some(answer.unwrap()),
                        Poll::Pending => None,
                    })
                })
                .await;
                if answer.is_some() {
                    break;
                }
                rt::task::yield_now().await;
            }
            drop(call);
            settle().await;
            let left = kind.store.count().await;
            if answer.is_some() {
                assert_eq!(left, 1, "{path} of {} is answered", kind.name());
                break;
            }
            // A rotation that was dropped before it began leaves the session as it was.
            let began = path == "/in" || left == 0;
            assert!(left == 0 || !began, "{path} of {}, {polls} polls: {left}", kind.name());
            if left == 1 {
                assert_eq!(with.get("/out").await.status, 200);
                assert_eq!(kind.store.count().await, 0, "the old token opens it");
            }
            polls += 1;
            assert!(polls < 100, "it is never answered");
        }
        assert!(polls >= 3, "{path} of {} waits for its store", kind.name());
    }
}

#[actix_web::test]
async fn a_task_left_behind_keeps_no_session_of_a_client_that_hung_up() {
    let kind = Kind::opaque();
    let app = App::new()
        .route(
            "/slow",
            web::get().to(async |auth: Auth| {
                let left = auth.clone();
                rt::spawn(async move {
                    rt::time::sleep(Duration::from_secs(600)).await;
                    drop(left);
                });
                auth.sign_in("ada").await?;
                std::future::pending::<()>().await;
                Ok::<_, Refused>("")
            }),
        )
        .wrap(kind.middleware().spawn_with(|task| drop(rt::spawn(task))));
    let client = Client::new(init_service(app).await);
    let slow = rt::spawn(client.call("/slow"));
    settle().await;
    assert_eq!(kind.store.count().await, 1);
    slow.abort();
    settle().await;
    assert_eq!(kind.store.count().await, 0);
}

#[actix_web::test]
async fn an_event_stream_ends_with_its_session() {
    let kind = Kind::opaque();
    let app = App::new()
        .configure(routes)
        .route(
            "/events",
            web::get().to(async |auth: Auth| {
                auth.peeked().await?;
                let sleep = |_| rt::time::sleep(Duration::from_millis(1));
                let ended =
                    async move { auth.ended(TimeDelta::seconds(30), sleep).await.to_string() };
                let news = futures_util::stream::pending::<Result<_, Error>>();
                let events = news.take_until(Box::pin(ended));
                let first = futures_util::stream::iter([Ok(Bytes::from_static(b"data: 1\n\n"))]);
                Ok::<_, Refused>(HttpResponse::Ok().streaming(first.chain(events)))
            }),
        )
        .wrap(kind.middleware());
    let client = Client::new(init_service(app).await);
    let mine = client.cookie(client.sign_in().await);
    let (streamed, out) = futures_util::future::join(mine.get("/events"), async {
        rt::time::sleep(Duration::from_millis(50)).await;
        mine.get("/out").await
    })
    .await;
    assert_eq!((out.status, streamed.status, &*streamed.body), (200, 200, "data: 1\n\n"));
    assert_eq!(client.get("/events").await.reason(), "no_session");
}

#[actix_web::test]
async fn an_argument_may_be_dropped_while_it_waits() {
    let kind = Kind::hybrid();
    let client = kind.client().await;
    let mine = client.cookie(client.sign_in().await);
    kind.clock.advance(TimeDelta::minutes(10));
    for polls in 0..6 {
        let mut call = pin!(mine.call("/me"));
        for _ in 0..polls {
            if poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_ready())).await {
                break;
            }
        }
    }
    assert_eq!(mine.get("/me").await.status, 200);
}

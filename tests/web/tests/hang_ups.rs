//! Clients that go away, behind the layer, and verbs of tasks that go on.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::future::pending;
use std::pin::pin;
use std::task::{Context, Waker};

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use session_policy::NoClaims;
use session_policy::jwt::HybridSessions;
use session_policy::web::{Active, Auth, Refused, SessionCookie, SessionLayer, Strategy};
use session_policy::{Clock, ManualClock, MemoryStore, SessionPolicy, Sessions, SystemClock};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tower::{Layer, ServiceExt, service_fn};

use support::{Client, Faulty, cookies, pair, settle};

type Kept = UnboundedSender<Auth>;

/// `/in-`, `/out-`, `/rotate-` and `/me-…` do so and then: `wait` for ever, `keep` the verbs
/// in a task that never ends, and wait.
fn app(sessions: impl Strategy<Claims = NoClaims>) -> (Router, UnboundedReceiver<Auth>) {
    let layer = SessionLayer::new(sessions, SessionCookie::host("session")).unwrap();
    let (kept, keeps) = unbounded_channel();
    let app = Router::new()
        .route(
            "/in-wait",
            get(async |auth: Auth| {
                drop(auth.sign_in("ada").await?);
                pending::<Result<(), Refused>>().await
            }),
        )
        .route(
            "/in-keep-wait",
            get(async |auth: Auth, Extension(kept): Extension<Kept>| {
                drop(auth.sign_in("ada").await?);
                kept.send(auth).unwrap();
                pending::<Result<(), Refused>>().await
            }),
        )
        .route(
            "/keep",
            get(async |auth: Auth, Extension(kept): Extension<Kept>| kept.send(auth).unwrap()),
        )
        .route(
            "/rotate-wait",
            get(async |auth: Auth| {
                drop(auth.rotate().await?);
                pending::<Result<(), Refused>>().await
            }),
        )
        .route("/in", get(async |auth: Auth| auth.sign_in("ada").await.map(drop)))
        .route("/out", get(async |auth: Auth| auth.sign_out().await))
        .route("/rotate", get(async |auth: Auth| auth.rotate().await.map(drop)))
        .route("/me", get(async |_: Active| ()))
        .route(
            "/me-keep",
            get(async |_: Active, auth: Auth, Extension(kept): Extension<Kept>| {
                kept.send(auth).unwrap();
            }),
        )
        .layer(Extension(kept))
        .layer(layer.spawn_with(|task| drop(tokio::spawn(task))));
    (app, keeps)
}

fn both(store: &Faulty) -> [(Router, UnboundedReceiver<Auth>); 2] {
    let policy = SessionPolicy::WORKING_DAY;
    let hybrid = HybridSessions::new(store.clone(), support::ring(), policy).unwrap();
    [app(Sessions::new(store.clone(), policy)), app(hybrid)]
}

/// Asks, and hangs up after so many polls. Whether there was an answer before.
async fn hang_up(client: &Client<'_>, path: &str, polls: u32) -> bool {
    let mut asked = Box::pin(client.get(path));
    for _ in 0..polls {
        if asked.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return true;
        }
        tokio::task::yield_now().await;
    }
    drop(asked);
    settle().await;
    false
}

#[tokio::test]
async fn a_session_whose_cookie_is_not_sent_is_ended() {
    let store = Faulty::default();
    for (app, _keeps) in both(&store) {
        let client = Client::new(&app);
        let others = pair(&client.get("/in").await);
        for path in ["/in-wait", "/in-keep-wait", "/rotate-wait"] {
            let mine = pair(&client.get("/in").await);
            assert!(!hang_up(&client.with(&mine), path, 20).await);
            assert_eq!(store.store.len(), 1, "{path}");
            assert_eq!(client.with(&others).get("/me").await.status(), 200, "{path}");
        }
        client.with(&others).get("/out").await;
    }
}

/// Also where the handler handed its verbs to a task that never ends.
#[tokio::test]
async fn it_is_ended_although_a_task_holds_the_verbs() {
    let store = Faulty::default();
    for (app, mut keeps) in both(&store) {
        let client = Client::new(&app);
        assert!(!hang_up(&client, "/in-keep-wait", 20).await);
        let kept = keeps.recv().await.unwrap();
        assert_eq!(store.store.len(), 0);
        // Nothing begins for a client that has gone, before the store is touched.
        store.calls();
        assert!(kept.sign_in("ada").await.is_err());
        assert_eq!(store.calls(), 0);
    }
}

#[tokio::test]
async fn whenever_it_hangs_up_a_client_leaves_no_session() {
    for path in ["/in", "/rotate", "/out"] {
        for kind in [0, 1] {
            for cut in 0.. {
                let store = Faulty::default();
                let (app, _keeps) = &both(&store)[kind];
                let client = Client::new(app);
                let (others, mine) =
                    (pair(&client.get("/in").await), pair(&client.get("/in").await));
                store.yields(true);
                let is_answered = hang_up(&client.with(&mine), path, cut).await;
                store.yields(false);
                if is_answered {
                    assert!(cut > 1, "{path}");
                    break;
                }
                let lives = client.with(&mine).get("/me").await.status() == 200;
                assert_eq!(store.store.len(), 1 + usize::from(lives), "{path} {kind} {cut}");
                assert_eq!(client.with(&others).get("/me").await.status(), 200, "{path} {cut}");
            }
        }
    }
}

#[tokio::test]
async fn a_verb_after_the_answer_is_refused_before_the_store_is_touched() {
    let store = Faulty::default();
    for (app, mut keeps) in both(&store) {
        let client = Client::new(&app);
        let mine = pair(&client.get("/in").await);
        assert_eq!(client.with(&mine).get("/keep").await.status(), 200);
        let kept = keeps.recv().await.unwrap();
        store.calls();
        let refusals = [
            kept.sign_in("ada").await.map(drop),
            kept.sign_out().await,
            kept.rotate().await.map(drop),
            kept.rotate_to(NoClaims {}).await.map(drop),
        ];
        for refused in refusals {
            assert_eq!(refused.unwrap_err().status(), 500);
        }
        assert_eq!(store.calls(), 0);
        // What needs no header may be asked for, as by an event stream.
        assert_eq!(kept.list().await.unwrap().len(), 1);
        assert_eq!(client.with(&mine).get("/out").await.status(), 200);
    }
}

/// Where a middleware lets the handler go on, a sign-out is one whoever still waits.
#[tokio::test]
async fn a_middleware_that_spawns_the_rest_is_no_matter() {
    let store = Faulty::default();
    let spawns = from_fn(async |request: Request, next: Next| -> Response {
        let late = request.uri().query().is_some();
        let rest = async move {
            if late {
                // The client has gone by then.
                support::yield_often(10).await;
            }
            next.run(request).await
        };
        tokio::spawn(rest).await.unwrap()
    });
    let sessions = Sessions::new(store.clone(), SessionPolicy::WORKING_DAY);
    let layer = SessionLayer::new(sessions, SessionCookie::host("session")).unwrap();
    let app =
        support::routes().layer(spawns).layer(layer.spawn_with(|task| drop(tokio::spawn(task))));
    let client = Client::new(&app);
    let mine = pair(&client.get("/in").await);
    for path in ["/me", "/group", "/fresh", "/peeked", "/list"] {
        assert_eq!(client.with(&mine).get(path).await.status(), 200, "{path}");
    }
    store.yields(true);
    for (out, signs_in) in [("/out", "/in"), ("/out?late", "/in?late")] {
        let mine = pair(&client.get("/in").await);
        assert!(!hang_up(&client.with(&mine), out, 1).await);
        assert_eq!(client.with(&mine).get("/me").await.status(), 401, "{out}");
        assert!(!hang_up(&client, signs_in, 1).await);
    }
    assert_eq!(client.with(&mine).get("/out").await.status(), 200);
    assert_eq!(store.store.len(), 0);
}

#[tokio::test]
async fn a_service_that_fails_after_a_sign_in_leaves_none() {
    let store = Faulty::default();
    let sessions = Sessions::new(store.clone(), SessionPolicy::WORKING_DAY);
    let layer = SessionLayer::new(sessions, SessionCookie::host("session")).unwrap();
    let layer = layer.spawn_with(|task| drop(tokio::spawn(task)));
    let (kept, mut keeps) = unbounded_channel();
    let service = layer.layer(service_fn(|request: Request<Body>| {
        let auth: Auth = Auth::of_request(&request).unwrap();
        let kept = kept.clone();
        async move {
            drop(auth.sign_in("ada").await);
            kept.send(auth).unwrap();
            Err::<Response, _>("failed")
        }
    }));
    assert!(service.oneshot(Request::new(Body::empty())).await.is_err());
    settle().await;
    assert_eq!(store.store.len(), 0);
    let _auth = keeps.recv().await.unwrap();
}

#[tokio::test]
async fn a_verb_after_an_answer_with_a_reissue_is_refused() {
    let clock = ManualClock::new(SystemClock.now());
    let hybrid =
        HybridSessions::new(MemoryStore::new(), support::ring(), SessionPolicy::WORKING_DAY)
            .unwrap();
    let (app, mut keeps) = app(hybrid.with_clock(clock.clone()));
    let client = Client::new(&app);
    let mine = pair(&client.get("/in").await);
    clock.advance(chrono::TimeDelta::minutes(16));
    let next = pair(&client.with(&mine).get("/me-keep").await);
    let kept = keeps.recv().await.unwrap();
    assert_eq!(kept.sign_out().await.unwrap_err().status(), 500);
    assert_eq!(client.with(&next).get("/me").await.status(), 200);
}

#[tokio::test]
async fn a_reissue_that_a_rotation_overtakes_is_not_sent() {
    let clock = ManualClock::new(SystemClock.now());
    let hybrid =
        HybridSessions::new(MemoryStore::new(), support::ring(), SessionPolicy::WORKING_DAY)
            .unwrap()
            .with_clock(clock.clone());
    let other = hybrid.clone();
    let rotates = async move |active: Active| {
        drop(other.rotate(&active.session, NoClaims {}).await.unwrap());
    };
    let app = Router::new()
        .route("/in", get(async |auth: Auth| auth.sign_in("ada").await.map(drop)))
        .route("/me", get(rotates))
        .layer(SessionLayer::new(hybrid, SessionCookie::host("session")).unwrap());
    let client = Client::new(&app);
    let mine = pair(&client.get("/in").await);
    clock.advance(chrono::TimeDelta::minutes(16));
    let answer = client.with(&mine).get("/me").await;
    assert_eq!((answer.status().as_u16(), cookies(&answer).len()), (200, 0));
}

#[tokio::test]
async fn a_client_that_goes_while_a_reissue_is_looked_at_again_loses_nothing() {
    let clock = ManualClock::new(SystemClock.now());
    let store = Faulty::default();
    let hybrid =
        HybridSessions::new(store.clone(), support::ring(), SessionPolicy::WORKING_DAY).unwrap();
    let (app, _keeps) = app(hybrid.with_clock(clock.clone()));
    let client = Client::new(&app);
    let mine = pair(&client.get("/in").await);
    client.with(&mine).get("/me").await;
    clock.advance(chrono::TimeDelta::minutes(16));
    store.yields(true);
    for cut in 0..10 {
        let again = client.with(&mine);
        let mut asked = pin!(again.get("/me"));
        for _ in 0..cut {
            if asked.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                break;
            }
        }
    }
    store.yields(false);
    let next = pair(&client.with(&mine).get("/me").await);
    assert_eq!(client.with(&next).get("/me").await.status(), 200);
}

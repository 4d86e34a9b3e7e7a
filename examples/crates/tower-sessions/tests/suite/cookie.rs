//! The cookie of a record that is saved between two renewals.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use axum::routing::get;
use time::Duration;
use tower::ServiceExt;

use super::common::{CAP, capped, secs};
use crate::adapter::KEY;
use crate::tower_sessions::{Expiry, Session, SessionManagerLayer, SessionStore};

async fn count(session: Session) {
    let count = session.get::<u32>("count").await.unwrap().unwrap_or(0);
    session.insert("count", count + 1).await.unwrap();
}

async fn count_for_a_minute(session: Session) {
    session.set_expiry(Some(Expiry::OnInactivity(Duration::minutes(1))));
    count(session).await;
}

async fn set_cookie(app: &Router, path: &str, cookie: &str) -> String {
    let request = Request::builder().uri(path).header(header::COOKIE, cookie);
    let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn it_ends_when_the_record_does() {
    let (store, probe, clock) = capped();
    let app = Router::new()
        .route("/", get(count))
        .route("/minute", get(count_for_a_minute))
        .layer(store.layer())
        .layer(SessionManagerLayer::new(store.clone()).with_expiry(store.expiry()));
    let cookie = set_cookie(&app, "/", "").await;
    let cookie = cookie.split(';').next().unwrap();
    let id = cookie.split_once('=').unwrap().1.parse().unwrap();
    let mut now = 0;
    // Modified, but no renewal is due; renewed; pinned at the cap.
    for (at, left) in [(299, 1_501), (300, 1_800)]
        .into_iter()
        .chain((2_000..27_000).step_by(1_000).map(|at| (at, 1_800)))
        .chain([(27_500, 1_300), (CAP - 10, 10), (CAP - 1, 1)])
    {
        clock.advance(secs(at - now));
        now = at;
        let sent = set_cookie(&app, "/", cookie).await;
        assert!(sent.ends_with(&format!("; Max-Age={left}")), "at {at} s: {sent}");
        let ends_at = probe.row(&id).await.unwrap().expiry_date.unix_timestamp();
        assert_eq!(ends_at - session_policy::Clock::now(&clock).as_unix_secs(), left, "at {at} s");
    }
}

#[tokio::test]
async fn a_handler_may_shorten_it() {
    let (store, probe, _) = capped();
    let app = Router::new()
        .route("/minute", get(count_for_a_minute))
        .layer(store.layer())
        .layer(SessionManagerLayer::new(store.clone()).with_expiry(store.expiry()));
    let sent = set_cookie(&app, "/minute", "").await;
    assert!(sent.ends_with("; Max-Age=60"), "{sent}");
    let id = sent.split(';').next().unwrap().split_once('=').unwrap().1.parse().unwrap();
    let row = probe.row(&id).await.unwrap();
    let start = row.data[KEY]["lifetime"]["created_at"].as_i64();
    assert_eq!(row.expiry_date.unix_timestamp(), start.unwrap() + 60);
}

async fn begin_anew(session: Session) {
    session.flush().await.unwrap();
    count(session).await;
}

#[tokio::test]
async fn a_handler_that_flushes_and_writes_sends_the_cookie_of_a_new_session_that_lives() {
    let (store, _, _) = capped();
    let app = Router::new()
        .route("/", get(count))
        .route("/anew", get(begin_anew))
        .layer(store.layer())
        .layer(SessionManagerLayer::new(store.clone()).with_expiry(store.expiry()));
    let pair = |cookie: String| cookie.split(';').next().unwrap().to_owned();
    let id = |pair: &str| pair.split_once('=').unwrap().1.parse().unwrap();
    let first = pair(set_cookie(&app, "/", "").await);
    let second = pair(set_cookie(&app, "/anew", &first).await);
    assert_ne!(second, first);
    assert_eq!(pair(set_cookie(&app, "/", &second).await), second);
    let live = store.load(&id(&second)).await.unwrap().unwrap();
    assert_eq!(live.data["count"], 2);
    assert_eq!(store.load(&id(&first)).await.unwrap(), None);
}

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use session_policy::store::SessionStore;
use session_policy::web::{Active, Auth, SessionCookie, SessionLayer};
use session_policy::{Clock, MemoryStore, Sessions};

use crate::app::{App, SUBJECT, greet};
use crate::log::SessionLog;
use crate::rule::POLICY;
use crate::traffic::Traffic;

pub(super) fn app(
    store: impl SessionStore + 'static,
    traffic: Arc<Traffic>,
    clock: impl Clock + 'static,
) -> App {
    super::app("session-policy", traffic, router(store, clock))
}

/// A route that asks for no session, behind the layer.
pub(super) fn asks_for_nothing() -> App {
    let router = Router::new()
        .route("/me", get(async || greet(SUBJECT)))
        .layer(layer(MemoryStore::new(), session_policy::SystemClock));
    super::open("session-policy, no session asked", router)
}

pub(super) fn router(store: impl SessionStore + 'static, clock: impl Clock + 'static) -> Router {
    Router::new()
        .route("/me", get(async |active: Active| greet(active.session.subject())))
        .route("/sign-in", get(async |auth: Auth| auth.sign_in(SUBJECT).await.map(drop)))
        .layer(layer(store, clock))
}

fn layer(store: impl SessionStore + 'static, clock: impl Clock + 'static) -> SessionLayer {
    let sessions = Sessions::new(store, POLICY).with_clock(clock).with_observer(SessionLog);
    let layer = SessionLayer::new(sessions, SessionCookie::host("session"));
    layer.unwrap_or_else(|error| unreachable!("the settings are good: {error}"))
}

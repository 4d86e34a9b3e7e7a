use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::get;
use session_policy::store::AnyStore;
use session_policy::{Clock, Sessions};

use crate::app::{App, SUBJECT, greet};
use crate::axum_integration::{SignedIn, WebSessions, require_session};
use crate::log::SessionLog;
use crate::rule::POLICY;
use crate::traffic::Traffic;

pub(super) fn app(store: AnyStore, traffic: Arc<Traffic>, clock: impl Clock + 'static) -> App {
    super::app("session-policy", traffic, router(store, clock))
}

pub(super) fn router(store: AnyStore, clock: impl Clock + 'static) -> Router {
    let sessions = Sessions::new(store, POLICY).with_clock(clock).with_observer(SessionLog);
    let web = WebSessions { sessions, secure: true };
    let sign_in = {
        let web = web.clone();
        async move || match web.sessions.start(SUBJECT).await {
            Ok(started) => web.set(&started.token, started.status).into_response(),
            Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    };
    Router::new()
        .route("/me", get(async |signed_in: SignedIn| greet(signed_in.session.subject())))
        .route_layer(from_fn_with_state(web, require_session))
        .route("/sign-in", get(sign_in))
}

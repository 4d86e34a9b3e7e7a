//! How long the session has left: read without extending it, or extended.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use session_policy::{AuthenticateError, SessionId, Status};

use crate::refusal::{Reason, json_refused, json_unavailable};
use crate::session::{SignedIn, WebSessions};

/// The body that `countdown.js` reads.
#[derive(Serialize)]
pub(crate) struct Countdown {
    /// Tells a page that another session has taken its place.
    session: SessionId,
    #[serde(flatten)]
    status: Status,
}

impl From<&SignedIn> for Countdown {
    fn from(signed_in: &SignedIn) -> Self {
        Self { session: signed_in.session.id(), status: signed_in.status }
    }
}

/// For a timer: never renews, so an open page does not keep a session alive.
pub(super) async fn status(State(web): State<WebSessions>, headers: HeaderMap) -> Response {
    let live = match web.token(&headers) {
        Some(token) => web.sessions.peek(token).await,
        None => Err(AuthenticateError::Unknown),
    };
    match live {
        Ok(live) => {
            Json(Countdown { session: live.session.id(), status: live.status }).into_response()
        }
        Err(error) => Reason::of(&error).map_or_else(json_unavailable, json_refused),
    }
}

/// For the user's "stay signed in": an ordinary request, which renews if due.
pub(super) async fn extend(signed_in: SignedIn) -> Json<Countdown> {
    Json(Countdown::from(&signed_in))
}

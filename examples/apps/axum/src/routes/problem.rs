//! Every answer is a page of the application: also of a path that is none, a method that
//! is not allowed, a form that cannot be read, a request of another site, and a failure.

use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use session_policy::store::StoreError;
use session_policy::web::{Auth, Refused};

use crate::app::App;
use crate::pages::Frame;
use crate::refusal::asks_for_json;
use crate::users::UsersError;

/// How long a client is to wait when the users cannot be read.
const RETRY_AFTER_SECS: u32 = 5;

/// Writes the body of answers that have only a status: a page, or problem details.
pub(super) async fn pages(
    State(app): State<App>,
    auth: Auth,
    request: Request,
    next: Next,
) -> Response {
    let for_script = asks_for_json(request.headers());
    let response = next.run(request).await;
    let status = response.status();
    let kind = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_page = kind.is_some_and(|kind| kind.starts_with(b"text/html"));
    // The layer answers what was refused.
    let is_refused = response.extensions().get::<Refused>().is_some();
    if is_page || is_refused || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (mut head, _) = response.into_parts();
    head.headers.remove(CONTENT_LENGTH);
    head.headers.remove(CONTENT_TYPE);
    if for_script {
        let title = status.canonical_reason();
        let body = json!({ "type": "about:blank", "title": title, "status": status.as_u16() });
        let kind = HeaderValue::from_static("application/problem+json");
        head.headers.insert(CONTENT_TYPE, kind);
        return Response::from_parts(head, body.to_string().into());
    }
    // For the navigation; whoever has no session gets the page without.
    let seen = auth.peeked().await.ok();
    let frame = Frame::of(&app, seen.as_deref(), "");
    (head, frame.problem(status)).into_response()
}

/// Why a handler made no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Users(#[from] UsersError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Users(error.into())
    }
}

/// The layer answers the one, and [`pages`] the other.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(refused) => refused.into_response(),
            Self::Users(error) => {
                tracing::error!(%error, "a page could not be made");
                match error {
                    UsersError::Store(_) => {
                        let retry_after = [(RETRY_AFTER, RETRY_AFTER_SECS.to_string())];
                        (StatusCode::SERVICE_UNAVAILABLE, retry_after).into_response()
                    }
                    UsersError::Task(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
                }
            }
        }
    }
}

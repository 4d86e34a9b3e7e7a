//! What the axum application shows; here without its looks.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

pub(crate) fn unavailable() -> Response {
    StatusCode::SERVICE_UNAVAILABLE.into_response()
}

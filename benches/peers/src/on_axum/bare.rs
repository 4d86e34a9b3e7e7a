use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::app::{App, SUBJECT, greet};

/// The same route for everybody.
pub(super) fn app() -> App {
    let router = Router::new().route("/me", get(async || greet(SUBJECT)));
    super::app("no session", Arc::default(), router)
}

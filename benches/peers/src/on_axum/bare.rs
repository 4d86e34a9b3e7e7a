use std::sync::Arc;

use axum::{Extension, Router};
use axum::routing::get;

use crate::app::{App, SUBJECT, greet};

/// The same route for everybody.
pub(super) fn app() -> App {
    let router = Router::new().route("/me", get(async || greet(SUBJECT)));
    super::app("no session", Arc::default(), router)
}

/// The same behind the cheapest layer that gives a handler something.
pub(super) fn behind_an_extension() -> App {
    let shared = Extension(Arc::<()>::default());
    let router = Router::new().route("/me", get(async || greet(SUBJECT))).layer(shared);
    super::open("axum::Extension", router)
}

use axum::Router;
use axum::routing::get;

use crate::app::{App, SUBJECT, greet};

/// The same route for everybody. Its user has no cookie, but somebody has to be
/// greeted and somebody refused, so the cookie is read by its mere presence.
pub(super) fn app() -> App {
    let router = Router::new().route("/me", get(async || greet(SUBJECT)));
    super::app("no session", Default::default(), router)
}

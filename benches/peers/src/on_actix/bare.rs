use std::sync::Arc;

use actix_web::{App as Actix, test, web};

use crate::app::{App, SUBJECT, greet};

/// The same route for everybody.
pub(super) fn app() -> App {
    let app = Actix::new().route("/me", web::get().to(async || greet(SUBJECT)));
    super::app("no session", Arc::default(), super::ready(test::init_service(app)))
}

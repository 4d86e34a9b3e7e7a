use std::sync::Arc;
use std::time::Duration;

use actix_identity::{Identity, IdentityMiddleware};
use actix_session::SessionMiddleware;
use actix_session::config::PersistentSession;
use actix_web::cookie::Key;
use actix_web::{App as Actix, Error, HttpMessage, HttpRequest, HttpResponse, test, web};

use super::store::Memory;
use crate::app::{App, SUBJECT, greet};
use crate::record::LIMITS;

/// With both deadlines, which are what this crate's `max_age` and `absolute_cap`
/// are.
pub(super) fn app(store: Memory) -> App {
    let traffic = Arc::clone(&store.traffic);
    let seconds = |secs: i64| Some(Duration::from_secs(secs.unsigned_abs()));
    let identity = IdentityMiddleware::builder()
        .visit_deadline(seconds(LIMITS.0))
        .login_deadline(seconds(LIMITS.2))
        .build();
    let lifetime =
        PersistentSession::default().session_ttl(actix_web::cookie::time::Duration::hours(2));
    let sessions = SessionMiddleware::builder(store, Key::generate());
    let app = Actix::new()
        .wrap(identity)
        .wrap(sessions.session_lifecycle(lifetime).build())
        .route("/me", web::get().to(page))
        .route("/sign-in", web::get().to(sign_in));
    super::app("actix-identity, both deadlines", traffic, super::ready(test::init_service(app)))
}

async fn page(user: Identity) -> Result<String, Error> {
    Ok(greet(&user.id()?))
}

async fn sign_in(request: HttpRequest) -> Result<HttpResponse, Error> {
    Identity::login(&request.extensions(), SUBJECT.into())?;
    Ok(HttpResponse::Ok().finish())
}

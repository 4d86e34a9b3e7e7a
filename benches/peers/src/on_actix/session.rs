use std::sync::Arc;

use actix_session::config::{PersistentSession, TtlExtensionPolicy};
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::Key;
use actix_web::cookie::time::Duration;
use actix_web::error::ErrorUnauthorized;
use actix_web::{App as Actix, Error, HttpResponse, test, web};

use super::store::Memory;
use crate::app::{App, SUBJECT, greet};

const KEY: &str = "user";

/// With `OnEveryRequest`, as otherwise only a change of the session moves its end.
pub(super) fn app(store: Memory) -> App {
    let traffic = Arc::clone(&store.traffic);
    let lifetime = PersistentSession::default()
        .session_ttl(Duration::hours(2))
        .session_ttl_extension_policy(TtlExtensionPolicy::OnEveryRequest);
    let sessions = SessionMiddleware::builder(store, Key::generate());
    let app = Actix::new()
        .wrap(sessions.session_lifecycle(lifetime).build())
        .route("/me", web::get().to(page))
        .route("/sign-in", web::get().to(sign_in));
    super::app("actix-session, every request", traffic, super::ready(test::init_service(app)))
}

async fn page(session: Session) -> Result<String, Error> {
    let user = session.get::<String>(KEY)?;
    user.map(|user| greet(&user)).ok_or_else(|| ErrorUnauthorized("no session"))
}

async fn sign_in(session: Session) -> Result<HttpResponse, Error> {
    session.insert(KEY, SUBJECT)?;
    Ok(HttpResponse::Ok().finish())
}

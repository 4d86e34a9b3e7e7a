use std::sync::Arc;

use actix_web::middleware::from_fn;
use actix_web::web::{self, Data};
use actix_web::{App as Actix, HttpRequest, HttpResponse, test};
use session_policy::jwt::{Algorithm, HybridSessions, KeyRing, SigningKey};
use session_policy::store::AnyStore;
use session_policy::{Clock, Event};

use crate::actix_integration::{Active, Answer, Sessions, Transport, cookies};
use crate::app::{App, SUBJECT, greet};
use crate::problem::Problem;
use crate::record::random;
use crate::rule::POLICY;
use crate::traffic::Traffic;

/// The integration of `examples/apps/actix`.
pub(super) fn app(store: AnyStore, traffic: Arc<Traffic>, clock: impl Clock + 'static) -> App {
    let key = SigningKey::secret("1", Algorithm::Hs256, random::<32>());
    let ring = key.and_then(KeyRing::new).unwrap_or_else(|error| unreachable!("{error}"));
    let sessions = HybridSessions::new(store, ring, POLICY);
    let sessions = sessions.unwrap_or_else(|error| unreachable!("{error}"));
    let log = |event: &Event<'_>| tracing::info!(target: "session", kind = ?event.kind);
    let sessions: Sessions = sessions.with_clock(clock).with_observer(log);
    let app = Actix::new()
        .app_data(Data::new(sessions))
        .app_data(Data::new(Transport::Https))
        .wrap(from_fn(cookies))
        .route("/me", web::get().to(page))
        .route("/sign-in", web::get().to(sign_in));
    super::app("session-policy, hybrid", traffic, super::ready(test::init_service(app)))
}

async fn page(Active(served): Active) -> String {
    greet(served.session.subject())
}

async fn sign_in(request: HttpRequest, sessions: Data<Sessions>) -> Result<HttpResponse, Problem> {
    let started = sessions.start(SUBJECT).await.map_err(|_| Problem::UNAVAILABLE)?;
    Answer::Set(started.token, started.status).leave(&request);
    Ok(HttpResponse::Ok().finish())
}

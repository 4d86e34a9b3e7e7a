//! The server: what it is started with, its log, its sweep and its end.

use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use session_policy::jwt::{GraceError, HybridSessions, KeyRing};
use session_policy::store::AnyStore;
use session_policy::{Clock, Event, Policies};
use tokio::time::{MissedTickBehavior, interval};

use crate::session::{Sessions, Transport, cookies};
use crate::users::Users;
use crate::{api, csrf};

/// How many seconds running requests have once the server is to stop.
const GRACE: u64 = 10;
/// How many expired sessions one write removes.
const SWEEP: u32 = 1_000;

/// The sessions in `store`.
///
/// # Errors
///
/// [`GraceError`] if a policy's `update_age` is shorter than 1 s or than a `clock_skew`.
pub fn sessions(
    store: AnyStore,
    ring: KeyRing,
    policies: Policies,
    clock: impl Clock + 'static,
) -> Result<Sessions, GraceError> {
    let sessions = HybridSessions::new(store, ring, policies)?;
    Ok(sessions.with_clock(clock).with_observer(log).with_issuer("session-policy-actix-app"))
}

/// Serves on `listener` until SIGINT or SIGTERM, or until its handle stops it;
/// running requests are then finished, for 10 s at most.
///
/// # Errors
///
/// Those of the socket.
pub fn serve(
    listener: TcpListener,
    sessions: Data<Sessions>,
    users: Data<Users>,
    transport: Transport,
    workers: NonZeroUsize,
) -> std::io::Result<Server> {
    let transport = Data::new(transport);
    let app = move || {
        App::new()
            .app_data(sessions.clone())
            .app_data(transport.clone())
            .app_data(users.clone())
            .wrap(from_fn(cookies))
            .wrap(from_fn(csrf::same_origin))
            .configure(api::routes)
    };
    let server = HttpServer::new(app).workers(workers.get()).shutdown_timeout(GRACE);
    Ok(server.listen(listener)?.run())
}

/// Removes all expired sessions every `period`, and goes on after an error.
pub async fn sweep(sessions: Data<Sessions>, period: Duration) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let mut removed = 0;
        loop {
            match sessions.sweep(SWEEP).await {
                Ok(count) => {
                    removed += count;
                    if count < SWEEP.into() {
                        break;
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "the sweep failed, and will be tried again");
                    break;
                }
            }
        }
        if removed > 0 {
            tracing::info!(removed, "swept");
        }
    }
}

/// Every step in the life of a session, as one line of JSON without a secret.
fn log(event: &Event<'_>) {
    match serde_json::to_string(event) {
        Ok(event) => tracing::info!(target: "session", event),
        Err(error) => tracing::error!(%error, "an event that is no JSON"),
    }
}

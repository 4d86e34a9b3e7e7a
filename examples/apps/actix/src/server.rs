//! The server: what it is started with, its log, its sweep and its end.

use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::web::Data;
use actix_web::{App, HttpServer, ResponseError, rt};
use chrono::TimeDelta;
use session_policy::jwt::{GraceError, HybridSessions, KeyRing};
use session_policy::store::AnyStore;
use session_policy::web::{Bearer, Carrier, CarrierError, SessionCookie};
use session_policy::{Clock, Event, Policies, ProfileError, SessionPolicy};
use session_policy_actix::SessionMiddleware;
use tokio::time::{MissedTickBehavior, interval};

use crate::users::Users;
use crate::{api, csrf};

/// How many seconds running requests have once the server is to stop.
const GRACE: u64 = 10;
/// How many expired sessions one write removes.
const SWEEP: u32 = 1_000;
/// The header of an answer that brings a bearer another token.
pub const TOKEN_HEADER: &str = "x-session-token";

/// The sessions, in a store that is chosen at run time.
pub type Sessions = HybridSessions<AnyStore>;

/// A working day whose idle limit is felt: 30 minutes unused, a renewal at most every 5
/// minutes, 8 hours in all.
pub const POLICY: SessionPolicy =
    match SessionPolicy::new(TimeDelta::minutes(30), TimeDelta::minutes(5), TimeDelta::hours(8)) {
        Ok(policy) => policy,
        Err(_) => panic!("contradictory policy"),
    };

/// [`POLICY`], and a month for those who ask to be remembered.
///
/// # Errors
///
/// None: the profile's name is a good one.
pub fn policies() -> Result<Policies, ProfileError> {
    Policies::new(POLICY).with_profile(api::REMEMBER_ME, SessionPolicy::SLIDING_MONTH)
}

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

/// The middleware: tokens travel as this cookie, or after `Bearer`.
///
/// # Errors
///
/// [`CarrierError`] if browsers would refuse the cookie.
pub fn middleware(
    sessions: Sessions,
    cookie: SessionCookie,
) -> Result<SessionMiddleware, CarrierError> {
    let carrier = Carrier::either(cookie, Bearer::new().reissued_in(TOKEN_HEADER));
    let middleware = SessionMiddleware::new(sessions, carrier)?;
    Ok(middleware.spawn_with(|task| drop(rt::spawn(task))).on_refusal(|refused| {
        if refused.status() >= 500 {
            tracing::error!(refused = format!("{refused:#}"), "a request failed");
        }
        refused.error_response()
    }))
}

/// Serves on `listener` until SIGINT or SIGTERM, or until its handle stops it;
/// running requests are then finished, for 10 s at most.
///
/// # Errors
///
/// Those of the socket.
pub fn serve(
    listener: TcpListener,
    sessions: SessionMiddleware,
    users: Data<Users>,
    workers: NonZeroUsize,
) -> std::io::Result<Server> {
    let app = move || {
        App::new()
            .app_data(users.clone())
            .configure(api::routes)
            .wrap(from_fn(csrf::same_origin))
            .wrap(sessions.clone())
            .wrap(DefaultHeaders::new().add((CACHE_CONTROL, "no-store")))
    };
    let server = HttpServer::new(app).workers(workers.get()).shutdown_timeout(GRACE);
    // A client that closes its connection has hung up: nobody would be sent the token.
    let server = server.h1_allow_half_closed(false);
    Ok(server.listen(listener)?.run())
}

/// Removes all expired sessions every `period`, and goes on after an error.
pub async fn sweep(sessions: Sessions, period: Duration) {
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

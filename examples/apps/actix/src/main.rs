//! How does a JSON API in actix-web get sessions that end?
//!
//! `README.md` has the routes, the users and commands to try them with.

use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::time::Duration;

use actix_web::web::Data;
use clap::Parser;
use session_policy::jwt::{Algorithm, KeyRing, SigningKey};
use session_policy::store::AnyStore;
use session_policy::web::SessionCookie;
use session_policy::{MemoryStore, SystemClock};
use session_policy_actix_app::server;
use session_policy_actix_app::users::Users;

/// A JSON API with sessions that end.
#[derive(Parser)]
struct Arguments {
    /// Where to listen; behind it, a proxy speaks HTTPS.
    #[arg(long, env, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Send the cookie without `__Host-` and `Secure`. For development, and only
    /// on a loopback address.
    #[arg(long)]
    plain_http: bool,
    /// How many threads serve requests.
    #[arg(long, env, default_value = "2")]
    workers: NonZeroUsize,
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { listen, plain_http, workers } = Arguments::parse();
    tracing_subscriber::fmt().json().with_max_level(tracing::Level::INFO).init();
    let cookie = if plain_http {
        if !listen.ip().is_loopback() {
            return Err(
                format!("--plain-http and --listen `{listen}`, which is not loopback").into()
            );
        }
        tracing::warn!("cookies are sent over plain HTTP, without __Host- and Secure");
        SessionCookie::loopback("session")
    } else {
        SessionCookie::host("session")
    };

    // Sessions in memory end with the process, and so may the key of their tokens.
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    let ring = KeyRing::new(SigningKey::secret("of-this-process", Algorithm::Hs256, secret)?)?;
    let store = AnyStore::new(MemoryStore::new());
    let sessions = server::sessions(store, ring, server::policies()?, SystemClock)?;

    let sweep = actix_web::rt::spawn(server::sweep(sessions.clone(), Duration::from_secs(60)));
    let listener = TcpListener::bind(listen)
        .map_err(|error| format!("cannot listen on `{listen}`: {error}"))?;
    tracing::info!(listen = %listener.local_addr()?, "serving");
    let middleware = server::middleware(sessions, cookie)?;
    server::serve(listener, middleware, Data::new(Users::seeded()), workers)?.await?;
    sweep.abort();
    tracing::info!("stopped");
    Ok(())
}

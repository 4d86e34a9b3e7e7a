//! How does a JSON API in actix-web get sessions that end?
//!
//! ```sh
//! cargo run -p session-policy-actix-app -- --plain-http
//! curl -i -c jar -H 'content-type: application/json' \
//!     -d '{"user":"ada","password":"correct horse"}' http://localhost:8080/login
//! curl -b jar http://localhost:8080/session/status
//! ```

use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::time::Duration;

use actix_web::web::Data;
use clap::Parser;
use session_policy::jwt::{Algorithm, KeyRing, SigningKey};
use session_policy::store::AnyStore;
use session_policy::{MemoryStore, Policies, SessionPolicy, SystemClock};
use session_policy_actix_app::session::Transport;
use session_policy_actix_app::users::Users;
use session_policy_actix_app::{api, server};

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
    let transport = if plain_http {
        if !listen.ip().is_loopback() {
            return Err(
                format!("--plain-http and --listen `{listen}`, which is not loopback").into()
            );
        }
        tracing::warn!("cookies are sent over plain HTTP, without __Host- and Secure");
        Transport::LoopbackHttp
    } else {
        Transport::Https
    };

    // Sessions in memory end with the process, and so may the key of their tokens.
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    let ring = KeyRing::new(SigningKey::secret("of-this-process", Algorithm::Hs256, secret)?)?;
    let policies = Policies::new(SessionPolicy::WORKING_DAY)
        .with_profile(api::REMEMBER_ME, SessionPolicy::SLIDING_MONTH)?;
    let store = AnyStore::new(MemoryStore::new());
    let sessions = Data::new(server::sessions(store, ring, policies, SystemClock)?);

    let sweep = actix_web::rt::spawn(server::sweep(sessions.clone(), Duration::from_secs(60)));
    let listener = TcpListener::bind(listen)
        .map_err(|error| format!("cannot listen on `{listen}`: {error}"))?;
    tracing::info!(%listen, "serving");
    let users = Data::new(Users::seeded());
    server::serve(listener, sessions, users, transport, workers)?.await?;
    sweep.abort();
    tracing::info!("stopped");
    Ok(())
}

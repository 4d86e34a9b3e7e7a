//! Serves the application. `--help` lists the settings.

use std::error::Error;
use std::iter::successors;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use session_policy::Policies;
use session_policy_axum_app::{App, Opened, Service, open};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Sign-in, devices, password change and a countdown, on session-policy.
#[derive(Parser)]
struct Settings {
    /// Where to listen. TLS is the reverse proxy's, which keeps the Host header.
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Where sessions and users are kept: a `sqlite:`, `postgres:`, `redis:` (with the
    /// users in `users.db`) or `memory:` URL.
    #[arg(
        long,
        env = "SESSION_STORE",
        hide_env_values = true,
        default_value = "sqlite:sessions.db"
    )]
    store: String,
    /// A policies file in place of the one built in.
    #[arg(long, env = "SESSION_POLICIES")]
    policies: Option<PathBuf>,
    /// Development over plain HTTP: cookies without `Secure` and `__Host-`.
    /// Refused unless the address to listen on is loopback.
    #[arg(long)]
    plain_http: bool,
    /// Behind a reverse proxy that appends the client's address to X-Forwarded-For:
    /// passwords are guessed from that one.
    #[arg(long, env = "BEHIND_PROXY")]
    behind_proxy: bool,
    /// Log lines as JSON.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let settings = Settings::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = tracing_subscriber::fmt().with_env_filter(filter);
    if settings.json {
        logs.json().init();
    } else {
        logs.init();
    }
    match run(settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let causes: Vec<_> = successors(error.source(), |&cause| cause.source())
                .map(ToString::to_string)
                .collect();
            tracing::error!(causes = causes.join(": "), "{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(settings: Settings) -> Result<(), Box<dyn Error + Send + Sync>> {
    if settings.plain_http && !settings.listen.ip().is_loopback() {
        return Err(format!("--plain-http is for loopback, not for {}", settings.listen).into());
    }
    let policies = policies(settings.policies)?;
    let Opened { sessions, users } = open(&settings.store).await?;
    let mut app = App::new(sessions, policies, users)?;
    if settings.behind_proxy {
        app = app.behind_proxy();
    }
    if settings.plain_http {
        tracing::warn!("cookies have neither Secure nor __Host-: for development only");
        app = app.for_plain_http();
    }
    let listener = TcpListener::bind(settings.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", settings.listen))?;
    tracing::info!("listening on http://{}", listener.local_addr()?);
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(stop.clone())?);
    Service { app, sweep_every: Duration::from_mins(1), stop }.serve(listener).await?;
    tracing::info!("stopped");
    Ok(())
}

fn policies(path: Option<PathBuf>) -> Result<Policies, Box<dyn Error + Send + Sync>> {
    let Some(path) = path else { return Ok(toml::from_str(include_str!("../policies.toml"))?) };
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?)
}

/// Waits for SIGTERM or SIGINT.
fn stop_on_signal(stop: CancellationToken) -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! { _ = terminate.recv() => (), _ = interrupt.recv() => () }
        tracing::info!("stopping");
        stop.cancel();
    })
}

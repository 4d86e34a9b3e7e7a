//! What does a session cost a request? One route three times over: without a
//! session, behind session-policy, behind tower-sessions; both keep their
//! sessions in memory.
//!
//! `benches/load.sh` starts this, drives it with wrk and prints the ratios.

use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::get;
use session_policy::{MemoryStore, Policies};
use session_policy_axum_app::session::{SignedIn, require_session};
use session_policy_axum_app::{App, Users};
use tokio::net::TcpListener;
use tower_sessions::cookie::time::Duration;
use tower_sessions::{Expiry, Session, SessionManagerLayer};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let policies: Policies = toml::from_str(include_str!("../policies.toml"))?;
    let app = App::new(Arc::new(MemoryStore::new()), policies, Users::demo())?;
    let web = app.web_sessions().clone();
    let ours = {
        let web = web.clone();
        let sign_in = async move || match web.sessions.start("ada").await {
            Ok(started) => (web.set(&started.token, started.max_age), "").into_response(),
            Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        };
        let page = async |signed_in: SignedIn| greet(signed_in.session.subject());
        Router::new()
            .route("/session-policy", get(page))
            .route_layer(from_fn_with_state(app.web_sessions().clone(), require_session))
            .route("/session-policy/sign-in", get(sign_in))
    };
    let theirs = {
        let layer = SessionManagerLayer::new(tower_sessions::MemoryStore::default())
            .with_expiry(Expiry::OnInactivity(Duration::minutes(30)));
        let sign_in =
            async |session: Session| session.insert("user", "ada").await.is_ok().to_string();
        let page = async |session: Session| match session.get::<String>("user").await {
            Ok(Some(user)) => Ok(greet(&user)),
            _ => Err(StatusCode::UNAUTHORIZED),
        };
        Router::new()
            .route("/tower-sessions", get(page))
            .route("/tower-sessions/sign-in", get(sign_in))
            .layer(layer)
    };
    let none = Router::new().route("/none", get(async || greet("ada")));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, none.merge(ours).merge(theirs)).await?)
}

fn greet(user: &str) -> String {
    format!("Hello, {user}\n")
}

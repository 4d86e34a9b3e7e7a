//! The program of README's "In a framework", which a test compares with it.

use std::error::Error;

use axum::Router;
use axum::routing::{get, post};
use session_policy::web::{Active, Auth, Refused, SessionCookie, SessionLayer};
use session_policy::{MemoryStore, SessionPolicy, Sessions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY);
    let layer = SessionLayer::new(sessions, SessionCookie::host("session"))? // HTTPS; without it `loopback`
        .spawn_with(|task| drop(tokio::spawn(task)));
    let app = Router::new()
        .route("/me", get(async |active: Active| active.session.subject().to_owned()))
        .route("/sign-in", post(sign_in)) // its argument `auth: Auth` has `sign_in`, `sign_out`, ...
        .layer(layer);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app).await?)
}

/// Once the password was checked.
async fn sign_in(auth: Auth) -> Result<(), Refused> {
    auth.sign_in("user-42").await.map(drop)
}

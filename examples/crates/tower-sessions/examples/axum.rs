//! How does an axum application get a cap? The program of this crate's README.
//!
//! ```sh
//! cargo run -p session-policy-tower-sessions --example axum
//! ```

// An application depends on one version, under its own name.
use tower_sessions_0_15 as tower_sessions;

use axum::http::StatusCode;
use axum::{Router, routing::post};
use session_policy::SessionPolicy;
use session_policy_tower_sessions::v0_15::CappedStore;
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let store = CappedStore::new(MemoryStore::default(), SessionPolicy::WORKING_DAY);
    let app = Router::new()
        .route("/sign-in", post(sign_in))
        .layer(store.layer()) // renews, and gives the cookie its `Max-Age`
        .layer(SessionManagerLayer::new(store.clone()).with_expiry(store.expiry()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app).await
}

// The handlers stay as they are.
async fn sign_in(session: Session) -> Result<&'static str, StatusCode> {
    session.insert("user", 42).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok("signed in")
}

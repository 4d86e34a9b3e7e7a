//! How does an axum-login application get a cap without changing its handlers?
//!
//! `app.rs` is the application, and does not know. Here it gets its layers.
//!
//! Run it, and sign in on <http://localhost:3000> as `ferris` with `hunter42`:
//!
//! ```sh
//! cargo run -p session-policy-tower-sessions --features v0-14 --example axum-login
//! ```

mod app;

use axum::Router;
use axum_login::AuthManagerLayerBuilder;
use axum_login::tower_sessions::{MemoryStore, SessionManagerLayer};
use session_policy::SessionPolicy;
use session_policy_tower_sessions::v0_14::CappedStore;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    tracing_subscriber::fmt().init();
    let app = app::routes();

    // The integration.
    let store = CappedStore::new(MemoryStore::default(), SessionPolicy::WORKING_DAY);
    let sessions = SessionManagerLayer::new(store.clone()).with_expiry(store.expiry());
    let auth = AuthManagerLayerBuilder::new(app::Users::seeded(), sessions).build();
    let app: Router = app.layer(store.layer()).layer(auth);
    // End of the integration.

    let listener = tokio::net::TcpListener::bind("localhost:3000").await?;
    println!("http://localhost:3000: sign in as ferris with hunter42");
    axum::serve(listener, app).with_graceful_shutdown(stopped()).await
}

async fn stopped() {
    // Without signals there is nothing to wait for but the end of the process.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

//! `cargo run -p session-policy-small-app --bin theirs`, then <http://127.0.0.1:8070/sign-in>.

use std::error::Error;

use session_policy_small_app::theirs::app;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/lifetimes.toml");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let app = app("sqlite://small-theirs.db?mode=rwc", FILE).await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8070").await?;
    Ok(axum::serve(listener, app).await?)
}

//! What does a session cost a request? One route four times over: without a
//! session, behind session-policy, and behind tower-sessions, as it comes (it
//! then never extends a session) and with `always_save`, with which it slides as
//! session-policy does. All keep their sessions in memory, or where the URL says that is
//! the one argument: in SQLite, PostgreSQL or Redis.
//!
//! `benches/load.sh` starts this, drives it with wrk and prints the ratios.

mod on_redis;
mod postgres;
mod sqlite;

use std::error::Error;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use session_policy::store::AnyStore;
use session_policy::web::{Active, Auth, SessionCookie, SessionLayer};
use session_policy::{MemoryStore, Policies, Sessions};
use session_policy_axum_app::SessionLog;
use session_policy_redis::RedisStore;
use session_policy_sqlx::{PostgresStore, SqliteStore};
use tokio::net::TcpListener;
use tower_sessions::cookie::time::Duration;
use tower_sessions::{Expiry, Session, SessionManagerLayer, SessionStore};

use crate::on_redis::TowerRedis;
use crate::postgres::TowerPostgres;
use crate::sqlite::TowerSqlite;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let none = Router::new().route("/none", get(async || greet("ada")));
    let sessions = match std::env::args().nth(1) {
        None => {
            let theirs = tower_sessions::MemoryStore::default();
            ours(AnyStore::new(MemoryStore::new()))?.merge(both_of(&theirs))
        }
        Some(url) if url.starts_with("redis:") => {
            let store = RedisStore::open(redis::Client::open(url.as_str())?, "load")?;
            ours(AnyStore::new(store))?.merge(both_of(&TowerRedis::connect(&url).await?))
        }
        Some(url) if url.starts_with("postgres:") => {
            let store = PostgresStore::connect(&url).await?;
            store.create_table().await?;
            let theirs = TowerPostgres::beside(store.pool().clone()).await?;
            ours(AnyStore::new(store))?.merge(both_of(&theirs))
        }
        Some(url) => {
            let store = SqliteStore::connect(&url).await?;
            store.create_table().await?;
            let theirs = TowerSqlite::beside(store.pool().clone()).await?;
            ours(AnyStore::new(store))?.merge(both_of(&theirs))
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, none.merge(sessions)).await?)
}

fn ours(store: AnyStore) -> Result<Router, Box<dyn Error>> {
    let policies: Policies = toml::from_str(include_str!("../../policies.toml"))?;
    let sessions = Sessions::new(store, policies).with_observer(SessionLog);
    let layer = SessionLayer::new(sessions, SessionCookie::host("session"))?
        .spawn_with(|task| drop(tokio::spawn(task)));
    let sign_in = async |auth: Auth| auth.sign_in("ada").await.map(drop);
    let page = async |active: Active| greet(active.session.subject());
    Ok(Router::new()
        .route("/session-policy", get(page))
        .route("/session-policy/sign-in", get(sign_in))
        .layer(layer))
}

fn both_of<S: SessionStore + Clone>(store: &S) -> Router {
    let as_it_comes = theirs("/tower-sessions", store.clone(), false);
    as_it_comes.merge(theirs("/tower-sessions-sliding", store.clone(), true))
}

fn theirs<S: SessionStore + Clone>(path: &str, store: S, sliding: bool) -> Router {
    let layer = SessionManagerLayer::new(store)
        .with_expiry(Expiry::OnInactivity(Duration::minutes(30)))
        .with_always_save(sliding);
    let sign_in = async |session: Session| session.insert("user", "ada").await.is_ok().to_string();
    let page = async |session: Session| match session.get::<String>("user").await {
        Ok(Some(user)) => Ok(greet(&user)),
        _ => Err(StatusCode::UNAUTHORIZED),
    };
    Router::new()
        .route(path, get(page))
        .route(&format!("{path}/sign-in"), get(sign_in))
        .layer(layer)
}

fn greet(user: &str) -> String {
    format!("Hello, {user}\n")
}

use session_policy::MemoryStore;
use session_policy::store::{AnyStore, StoreError};
use session_policy_redis::{PrefixError, RedisStore};
use session_policy_sqlx::{PostgresStore, SqliteStore};

/// Opens the store that a URL names, and makes its table where it is absent.
///
/// | URL | store |
/// | --- | --- |
/// | `memory:` | none that outlives the process |
/// | `postgres://user@host/database` | PostgreSQL |
/// | `redis://host/` | Redis or Valkey |
/// | `sqlite:sessions.db` | a SQLite file, made where it is absent |
///
/// # Errors
///
/// [`OpenError`] if the URL names no store, or the engine cannot be reached.
pub async fn open(url: &str) -> Result<AnyStore, OpenError> {
    let (engine, _) = url.split_once(':').unwrap_or((url, ""));
    Ok(match engine {
        "memory" => AnyStore::new(MemoryStore::new()),
        "postgres" | "postgresql" => {
            let store = PostgresStore::connect(url).await?;
            store.create_table().await?;
            AnyStore::new(store)
        }
        "redis" | "rediss" => {
            let store = RedisStore::open(redis::Client::open(url)?, "axum-app")?;
            store.ping().await?;
            AnyStore::new(store)
        }
        "sqlite" => {
            let store = SqliteStore::connect(url).await?;
            store.create_table().await?;
            AnyStore::new(store)
        }
        _ => return Err(OpenError::UnknownEngine { engine: engine.into() }),
    })
}

/// Why no store was opened. The URL is not repeated: it may hold a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The prefix of the keys in Redis is none.
    #[error(transparent)]
    Prefix(#[from] PrefixError),
    /// Redis cannot be reached, or refused.
    #[error("the session store is unavailable")]
    Redis(#[from] redis::RedisError),
    /// The engine cannot be reached, or refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The URL begins with no name of a store.
    #[error(
        "`{}` is no store: use `memory:`, `postgres:`, `redis:` or `sqlite:`",
        engine.escape_debug()
    )]
    UnknownEngine {
        /// What stands before the colon.
        engine: String,
    },
}

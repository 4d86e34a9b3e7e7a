use session_policy::MemoryStore;
use session_policy::store::{AnyStore, StoreError};
use session_policy_redis::{PrefixError, RedisStore};
use session_policy_sqlx::{PostgresStore, SqliteStore};

use crate::users::Users;

/// Where an application keeps what must outlive it.
#[derive(Debug)]
pub struct Opened {
    /// The sessions.
    pub sessions: AnyStore,
    /// The users and their passwords.
    pub users: Users,
}

/// Opens the store that a URL names, with the users beside it, and makes the tables where
/// they are absent.
///
/// | URL | sessions | users |
/// | --- | --- | --- |
/// | `memory:` | none outlives the process | nor a changed password |
/// | `postgres://user@host/database` | PostgreSQL | the same database |
/// | `redis://host/` | Redis or Valkey | the SQLite file `users.db` |
/// | `sqlite:app.db` | a SQLite file, made where it is absent | the same file |
///
/// # Errors
///
/// [`OpenError`] if the URL names no store, or the engine cannot be reached.
pub async fn open(url: &str) -> Result<Opened, OpenError> {
    let (engine, _) = url.split_once(':').unwrap_or((url, ""));
    Ok(match engine {
        "memory" => Opened { sessions: AnyStore::new(MemoryStore::new()), users: Users::demo() },
        "postgres" | "postgresql" => {
            let store = PostgresStore::connect(url).await?;
            store.create_table().await?;
            let users = Users::in_postgres(store.pool().clone()).await?;
            Opened { sessions: AnyStore::new(store), users }
        }
        "redis" | "rediss" => {
            let store = RedisStore::open(redis::Client::open(url)?, "axum-app")?;
            store.ping().await?;
            let beside = SqliteStore::connect("sqlite:users.db").await?;
            let users = Users::in_sqlite(beside.pool().clone()).await?;
            Opened { sessions: AnyStore::new(store), users }
        }
        "sqlite" => {
            let store = SqliteStore::connect(url).await?;
            store.create_table().await?;
            let users = Users::in_sqlite(store.pool().clone()).await?;
            Opened { sessions: AnyStore::new(store), users }
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

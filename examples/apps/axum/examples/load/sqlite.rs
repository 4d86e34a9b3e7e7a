//! tower-sessions on SQLite, with the statements of `tower-sessions-sqlx-store`
//! 0.15, whose own sqlx (0.8) would bring the crate `rsa` into the lock file.

use async_trait::async_trait;
use sqlx::SqlitePool;
use tower_sessions::cookie::time::OffsetDateTime;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result, SessionStore};

#[derive(Clone, Debug)]
pub(crate) struct TowerSqlite {
    pool: SqlitePool,
}

impl TowerSqlite {
    /// A store in a table beside the other's, with the same pool.
    pub(crate) async fn beside(pool: SqlitePool) -> std::result::Result<Self, sqlx::Error> {
        let table = "create table if not exists tower_sessions
            (id text primary key not null, data blob not null, expiry_date integer not null)";
        sqlx::query(table).execute(&pool).await?;
        Ok(Self { pool })
    }
}

#[async_trait]
impl SessionStore for TowerSqlite {
    async fn create(&self, record: &mut Record) -> Result<()> {
        sqlx::query("select exists(select 1 from tower_sessions where id = ?)")
            .bind(record.id.to_string())
            .fetch_one(&self.pool)
            .await
            .map_err(backend)?;
        self.save(record).await
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let text = "insert into tower_sessions (id, data, expiry_date) values (?, ?, ?)
            on conflict (id) do update
            set data = excluded.data, expiry_date = excluded.expiry_date";
        let data = serde_json::to_vec(record).map_err(|error| Error::Encode(error.to_string()))?;
        sqlx::query(text)
            .bind(record.id.to_string())
            .bind(data)
            .bind(record.expiry_date.unix_timestamp())
            .execute(&self.pool)
            .await
            .map_err(backend)?;
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let text = "select data from tower_sessions where id = ? and expiry_date > ?";
        let data: Option<Vec<u8>> = sqlx::query_scalar(text)
            .bind(id.to_string())
            .bind(OffsetDateTime::now_utc().unix_timestamp())
            .fetch_optional(&self.pool)
            .await
            .map_err(backend)?;
        let record = data.map(|data| serde_json::from_slice(&data)).transpose();
        record.map_err(|error| Error::Decode(error.to_string()))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        sqlx::query("delete from tower_sessions where id = ?")
            .bind(id.to_string())
            .execute(&self.pool)
            .await
            .map_err(backend)?;
        Ok(())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` passes it")]
pub(crate) fn backend(error: sqlx::Error) -> Error {
    Error::Backend(error.to_string())
}

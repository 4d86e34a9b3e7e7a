//! tower-sessions on PostgreSQL, with the statements of `tower-sessions-sqlx-store` 0.15; see
//! `sqlite.rs`.

use async_trait::async_trait;
use sqlx::PgPool;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result, SessionStore};

use crate::sqlite::backend;

#[derive(Clone, Debug)]
pub(crate) struct TowerPostgres {
    pool: PgPool,
}

impl TowerPostgres {
    /// A store in a table beside the other's, with the same pool.
    pub(crate) async fn beside(pool: PgPool) -> std::result::Result<Self, sqlx::Error> {
        let table = "create table if not exists tower_sessions
            (id text primary key not null, data bytea not null, expiry_date timestamptz not null)";
        sqlx::query(table).execute(&pool).await?;
        Ok(Self { pool })
    }
}

#[async_trait]
impl SessionStore for TowerPostgres {
    async fn create(&self, record: &mut Record) -> Result<()> {
        sqlx::query("select exists(select 1 from tower_sessions where id = $1)")
            .bind(record.id.to_string())
            .fetch_one(&self.pool)
            .await
            .map_err(backend)?;
        self.save(record).await
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let text = "insert into tower_sessions (id, data, expiry_date)
            values ($1, $2, to_timestamp($3)) on conflict (id) do update
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
        let text = "select data from tower_sessions where id = $1 and expiry_date > now()";
        let data: Option<Vec<u8>> = sqlx::query_scalar(text)
            .bind(id.to_string())
            .fetch_optional(&self.pool)
            .await
            .map_err(backend)?;
        let record = data.map(|data| serde_json::from_slice(&data)).transpose();
        record.map_err(|error| Error::Decode(error.to_string()))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        sqlx::query("delete from tower_sessions where id = $1")
            .bind(id.to_string())
            .execute(&self.pool)
            .await
            .map_err(backend)?;
        Ok(())
    }
}

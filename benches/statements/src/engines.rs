//! The engines, their counters, and each side's store on them.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use session_policy::store::SessionStore;
use session_policy_redis::RedisStore;
use session_policy_sqlx::{MariaDbStore, PostgresStore};
use sqlx::{Connection, MySqlConnection, PgConnection, Row};
use tower_sessions::session_store::SessionStore as TowerStore;
use tower_sessions_redis_store::{RedisStore as TowerRedis, fred};
use tower_sessions_sqlx_store::{MySqlStore, PostgresStore as TowerPostgres, sqlx as their_sqlx};

pub(crate) trait Engine {
    fn name(&self) -> &'static str;

    async fn ours(&self) -> Result<impl SessionStore>;

    async fn tower(&self) -> Result<impl TowerStore + Clone>;

    /// Calls by verb since the engine started, without those of this program.
    async fn counters(&self) -> Result<BTreeMap<String, u64>>;
}

fn url(variable: &str) -> Result<String> {
    std::env::var(variable).with_context(|| format!("{variable} names no engine"))
}

/// With `pg_stat_statements` among its `shared_preload_libraries`.
pub(crate) struct Postgres {
    url: String,
}

impl Postgres {
    pub(crate) async fn connect() -> Result<Self> {
        let engine = Self { url: url("POSTGRES_URL")? };
        let mut connection = PgConnection::connect(&engine.url).await?;
        sqlx::raw_sql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
            .execute(&mut connection)
            .await?;
        Ok(engine)
    }
}

impl Engine for Postgres {
    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    async fn ours(&self) -> Result<impl SessionStore> {
        let store = PostgresStore::connect(&self.url).await?;
        store.create_table().await?;
        Ok(store)
    }

    async fn tower(&self) -> Result<impl TowerStore + Clone> {
        let store = TowerPostgres::new(their_sqlx::PgPool::connect(&self.url).await?);
        store.migrate().await?;
        Ok(store)
    }

    async fn counters(&self) -> Result<BTreeMap<String, u64>> {
        let mut connection = PgConnection::connect(&self.url).await?;
        let text = "SELECT upper(substring(query FROM '^\\s*([a-zA-Z]+)')), SUM(calls)::BIGINT
            FROM pg_stat_statements WHERE query !~ 'pg_stat|^SET ' GROUP BY 1";
        let rows = sqlx::query(text).fetch_all(&mut connection).await?;
        connection.close().await?;
        let verb = |row: &sqlx::postgres::PgRow| {
            Ok((row.try_get(0)?, row.try_get::<i64, _>(1)?.unsigned_abs()))
        };
        rows.iter().map(verb).collect()
    }
}

pub(crate) struct MariaDb {
    url: String,
}

impl MariaDb {
    pub(crate) fn at_its_url() -> Result<Self> {
        Ok(Self { url: url("MARIADB_URL")? })
    }
}

impl Engine for MariaDb {
    fn name(&self) -> &'static str {
        "MariaDB"
    }

    async fn ours(&self) -> Result<impl SessionStore> {
        let store = MariaDbStore::connect(&self.url).await?;
        store.create_table().await?;
        Ok(store)
    }

    async fn tower(&self) -> Result<impl TowerStore + Clone> {
        let store = MySqlStore::new(their_sqlx::MySqlPool::connect(&self.url).await?);
        store.migrate().await?;
        Ok(store)
    }

    async fn counters(&self) -> Result<BTreeMap<String, u64>> {
        let mut connection = MySqlConnection::connect(&self.url).await?;
        // An update that is guarded by a read of the row itself is one of many tables.
        let text = "SHOW GLOBAL STATUS WHERE Variable_name IN (
            'Com_begin', 'Com_commit', 'Com_delete', 'Com_delete_multi', 'Com_insert',
            'Com_replace', 'Com_rollback', 'Com_select', 'Com_update', 'Com_update_multi')";
        let rows = sqlx::raw_sql(text).fetch_all(&mut connection).await?;
        connection.close().await?;
        let mut counted = BTreeMap::new();
        for row in &rows {
            let (name, calls): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            let verb = name.trim_start_matches("Com_").trim_end_matches("_multi").to_uppercase();
            *counted.entry(verb).or_insert(0) += calls.parse::<u64>()?;
        }
        Ok(counted)
    }
}

pub(crate) struct Redis {
    url: String,
}

impl Redis {
    pub(crate) fn at_its_url() -> Result<Self> {
        Ok(Self { url: url("REDIS_URL")? })
    }
}

impl Engine for Redis {
    fn name(&self) -> &'static str {
        "Redis"
    }

    async fn ours(&self) -> Result<impl SessionStore> {
        let client = redis::Client::open(self.url.as_str())?;
        Ok(RedisStore::open(client, "statements")?)
    }

    async fn tower(&self) -> Result<impl TowerStore + Clone> {
        use fred::prelude::{ClientLike, Config, Pool};

        let pool = Pool::new(Config::from_url(&self.url)?, None, None, None, 1)?;
        pool.init().await?;
        Ok(TowerRedis::new(pool))
    }

    async fn counters(&self) -> Result<BTreeMap<String, u64>> {
        let client = redis::Client::open(self.url.as_str())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        let info: String =
            redis::cmd("INFO").arg("commandstats").query_async(&mut connection).await?;
        let mut counted = BTreeMap::new();
        for line in info.lines() {
            let called = line.strip_prefix("cmdstat_").and_then(|line| line.split_once(":calls="));
            let Some((command, rest)) = called else { continue };
            let of_a_connection = ["client", "config", "hello", "info", "ping", "quit", "select"];
            if !of_a_connection.iter().any(|own| command.starts_with(own)) {
                let calls = rest.split(',').next().context("a number of calls")?;
                counted.insert(command.to_uppercase(), calls.parse()?);
            }
        }
        Ok(counted)
    }
}

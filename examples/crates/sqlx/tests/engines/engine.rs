//! What the tests that are the same on each engine ask of its store.

use std::fmt::Write;

use session_policy::store::sql::{MARIADB, POSTGRES, SQLITE, Statements};
use session_policy::store::{ScanStore, StoreError};
use session_policy_sqlx::{
    MariaDbStore, Migrated, Plan, PostgresStore, SqliteStore, contract_mariadb, contract_postgres,
    contract_sqlite, fill_mariadb, fill_postgres, fill_sqlite, finish_mariadb, finish_postgres,
    finish_sqlite,
};
use sqlx::AssertSqlSafe;
use tempfile::TempDir;

use crate::support;

/// An empty database; SQLite's file is removed on drop.
pub(crate) struct Database {
    pub(crate) url: String,
    _folder: Option<TempDir>,
}

/// A store, and what tests ask of its engine past the store. What returns no result
/// panics if it fails.
pub(crate) trait Engine: ScanStore + Clone + 'static {
    const NAME: &'static str;
    const SQL: Statements;
    /// Creates the table of the program of before.
    const BEFORE: &'static str;
    /// What stands around the hexadecimal digits of bytes.
    const HEX: [&'static str; 2];

    /// An empty database of this name; `None` if the engine is absent.
    async fn database(name: &str) -> Option<Database>;
    async fn at(url: &str) -> Self;
    async fn create_table(&self) -> Result<(), StoreError>;
    fn with_table(self, name: &str) -> Result<Self, StoreError>;

    async fn run(&self, text: impl Into<String>) -> Result<(), sqlx::Error>;
    async fn run_with(&self, text: &str, values: [Vec<u8>; 2]);
    async fn count(&self, text: &'static str) -> i64;
    async fn text(&self, text: &'static str) -> String;

    async fn fill(url: &str, plan: impl Into<Plan>, batch: u32) -> Result<Migrated, sqlx::Error>;
    async fn contract(url: &str, plan: impl Into<Plan>) -> Result<Migrated, sqlx::Error>;
    async fn finish(url: &str, plan: impl Into<Plan>) -> Result<(), sqlx::Error>;

    /// Bytes as SQL.
    fn literal(bytes: &[u8]) -> String {
        let mut literal = Self::HEX[0].to_owned();
        for byte in bytes {
            write!(literal, "{byte:02x}").unwrap();
        }
        literal + Self::HEX[1]
    }
}

macro_rules! engine {
    (
        $store:ident, $name:literal, $sql:ident, $database:expr,
        [$fill:ident, $contract:ident, $finish:ident], $hex:expr, $before:literal
    ) => {
        impl Engine for $store {
            const NAME: &'static str = $name;
            const SQL: Statements = $sql;
            const BEFORE: &'static str = $before;
            const HEX: [&'static str; 2] = $hex;

            async fn database(name: &str) -> Option<Database> {
                $database(name).await
            }

            async fn at(url: &str) -> Self {
                Self::connect(url).await.unwrap()
            }

            async fn create_table(&self) -> Result<(), StoreError> {
                $store::create_table(self).await
            }

            fn with_table(self, name: &str) -> Result<Self, StoreError> {
                $store::with_table(self, name)
            }

            async fn run(&self, text: impl Into<String>) -> Result<(), sqlx::Error> {
                let text = AssertSqlSafe(text.into());
                sqlx::raw_sql(text).execute(self.pool()).await.map(drop)
            }

            async fn run_with(&self, text: &str, [one, two]: [Vec<u8>; 2]) {
                let query = sqlx::query(AssertSqlSafe(text.to_owned())).bind(one).bind(two);
                query.execute(self.pool()).await.unwrap();
            }

            async fn count(&self, text: &'static str) -> i64 {
                sqlx::query_scalar(text).fetch_one(self.pool()).await.unwrap()
            }

            async fn text(&self, text: &'static str) -> String {
                sqlx::query_scalar(text).fetch_one(self.pool()).await.unwrap()
            }

            async fn fill(
                url: &str,
                plan: impl Into<Plan>,
                batch: u32,
            ) -> Result<Migrated, sqlx::Error> {
                $fill(url, plan, batch).await
            }

            async fn contract(url: &str, plan: impl Into<Plan>) -> Result<Migrated, sqlx::Error> {
                $contract(url, plan).await
            }

            async fn finish(url: &str, plan: impl Into<Plan>) -> Result<(), sqlx::Error> {
                $finish(url, plan).await
            }
        }
    };
}

engine!(
    MariaDbStore,
    "MariaDB",
    MARIADB,
    async |name| Some(Database { url: support::mariadb(name).await?, _folder: None }),
    [fill_mariadb, contract_mariadb, finish_mariadb],
    ["x'", "'"],
    "CREATE TABLE sessions (
        id BINARY(16) NOT NULL PRIMARY KEY, subject VARBINARY(1024) NOT NULL,
        secret BINARY(32) NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL
        ) ENGINE = InnoDB"
);
engine!(
    PostgresStore,
    "PostgreSQL",
    POSTGRES,
    async |name| Some(Database { url: support::postgres(name).await?, _folder: None }),
    [fill_postgres, contract_postgres, finish_postgres],
    ["decode('", "', 'hex')"],
    "CREATE TABLE sessions (
        id BYTEA NOT NULL PRIMARY KEY, subject TEXT NOT NULL, secret BYTEA NOT NULL,
        created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL)"
);
engine!(
    SqliteStore,
    "SQLite",
    SQLITE,
    async |name| {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/{name}.db", folder.path().display());
        Some(Database { url, _folder: Some(folder) })
    },
    [fill_sqlite, contract_sqlite, finish_sqlite],
    ["x'", "'"],
    "CREATE TABLE sessions (
        id BLOB NOT NULL PRIMARY KEY, subject TEXT NOT NULL, secret BLOB NOT NULL,
        created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL)"
);

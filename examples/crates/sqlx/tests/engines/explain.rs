//! Each statement of a verb finds its rows by an index, on 20,000 rows.

use session_policy::store::sql::{MARIADB, POSTGRES, SQLITE, Statements};
use session_policy_sqlx::{MariaDbStore, PostgresStore, SqliteStore};
use sqlx::{AssertSqlSafe, Row};

use crate::engine::Engine;
use crate::support;

/// A parameter of some type.
enum Value {
    Bytes(&'static [u8]),
    Number(i64),
    Text(&'static str),
}

/// Each statement that finds rows, with parameters for it.
fn statements(sql: &Statements) -> Vec<(&'static str, &'static str, Vec<Value>)> {
    let id = || Value::Bytes(&[7; 16]);
    let subject = || Value::Text("user-42");
    let number = Value::Number;
    let secret = Value::Bytes(&[7; 32]);
    let instants = [5, 5, 9].map(number);
    let update: Vec<_> = [id(), number(0)]
        .into_iter()
        .chain(instants)
        .chain([secret, number(0), number(1)])
        .collect();
    vec![
        ("list", sql.list, vec![subject()]),
        ("load", sql.load, vec![id()]),
        ("remove", sql.remove, vec![id()]),
        ("remove_all", sql.remove_all, vec![subject(), id()]),
        ("remove_expired", sql.remove_expired, vec![number(40), number(10)]),
        ("scan", sql.scan, vec![id(), number(10)]),
        ("update", sql.update, update),
    ]
}

/// The rows that say how a statement is run.
macro_rules! explained {
    ($store:expr, $text:expr, $values:expr) => {{
        let mut query = sqlx::query(AssertSqlSafe($text));
        for value in $values {
            query = match value {
                Value::Bytes(bytes) => query.bind(bytes),
                Value::Number(number) => query.bind(number),
                Value::Text(text) => query.bind(text),
            };
        }
        query.fetch_all($store.pool()).await.unwrap()
    }};
}

#[tokio::test]
async fn postgres_finds_rows_by_an_index() {
    let Some(url) = support::postgres("session_policy_explain").await else { return };
    let store = PostgresStore::connect(&url).await.unwrap();
    store.create_table().await.unwrap();
    for text in [
        "INSERT INTO sessions SELECT
            decode(md5(n::text), 'hex'), 'user-' || n % 1000, 'default', NULL, 0, NULL, 0,
            decode(repeat(md5(n::text), 2), 'hex'), n, n, n + 10, n + 20, 0, n
        FROM generate_series(1, 20000) AS n",
        "ANALYZE sessions",
    ] {
        sqlx::query(text).execute(store.pool()).await.unwrap();
    }
    postgres_uses_indexes(&store).await;
}

/// Panics if a verb's statement goes through the whole table.
pub(crate) async fn postgres_uses_indexes(store: &PostgresStore) {
    for (verb, text, values) in statements(&POSTGRES) {
        let rows = explained!(store, format!("EXPLAIN {text}"), values);
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let plan = plan.join("\n");
        assert!(plan.contains("Index Scan") && !plan.contains("Seq Scan"), "{verb}:\n{plan}");
    }
}

#[tokio::test]
async fn mariadb_finds_rows_by_an_index() {
    let Some(url) = support::mariadb("session_policy_explain").await else { return };
    let store = MariaDbStore::connect(&url).await.unwrap();
    store.create_table().await.unwrap();
    for text in [
        "INSERT INTO sessions SELECT
            UNHEX(MD5(seq)), CONCAT('user-', seq % 1000), 'default', NULL, 0, NULL, 0,
            UNHEX(CONCAT(MD5(seq), MD5(seq))), seq, seq, seq + 10, seq + 20, 0, seq
        FROM seq_1_to_20000",
        "ANALYZE TABLE sessions",
    ] {
        sqlx::raw_sql(text).execute(store.pool()).await.unwrap();
    }
    for (verb, text, values) in statements(&MARIADB) {
        let rows = explained!(store, format!("EXPLAIN {text}"), values);
        for row in rows {
            let table: Option<String> = row.get("table");
            let (kind, key): (Option<String>, Option<String>) = (row.get("type"), row.get("key"));
            if table.as_deref() == Some("sessions") {
                assert!(key.is_some() && kind.as_deref() != Some("index"), "{verb}: {row:?}");
            }
        }
    }
}

#[tokio::test]
async fn sqlite_finds_rows_by_an_index() {
    let Some(database) = SqliteStore::database("session_policy_explain").await else { return };
    let store = SqliteStore::connect(&database.url).await.unwrap();
    store.create_table().await.unwrap();
    for text in [
        "WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series LIMIT 20000)
        INSERT INTO sessions SELECT
            randomblob(16), 'user-' || (n % 1000), 'default', NULL, 0, NULL, 0, randomblob(32),
            n, n, n + 10, n + 20, 0, n
        FROM series",
        "ANALYZE",
    ] {
        sqlx::query(text).execute(store.pool()).await.unwrap();
    }
    sqlite_uses_indexes(&store).await;
}

/// Panics if a verb's statement goes through the whole table.
pub(crate) async fn sqlite_uses_indexes(store: &SqliteStore) {
    for (verb, text, values) in statements(&SQLITE) {
        let rows = explained!(store, format!("EXPLAIN QUERY PLAN {text}"), values);
        let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        let plan = plan.join("\n");
        assert!(plan.contains("SEARCH sessions USING"), "{verb}:\n{plan}");
        assert!(!plan.contains("SCAN sessions"), "{verb}:\n{plan}");
    }
}

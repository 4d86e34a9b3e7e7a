//! Tables that are not the store's, and not what a migration expects: named in the
//! error, and unchanged. And tables of another name.

use std::error::Error as _;
use std::time::SystemTime;

use session_policy::SessionPolicy;
use session_policy_sqlx::{
    MariaDbStore, Plan, PostgresStore, SqliteStore, contract_mariadb, contract_postgres,
    contract_sqlite, fill_mariadb, fill_postgres, fill_sqlite, finish_mariadb, finish_postgres,
    finish_sqlite,
};
use sqlx::{AssertSqlSafe, raw_sql};

use crate::support;

const POLICY: SessionPolicy = SessionPolicy::SLIDING_MONTH;
/// As long as a name may be.
const LONG: &str = "the_sessions_of_the_shop_and_of_all_that_came_with_it_last_year";
const FOREIGN: &str = "CREATE TABLE sessions (sid CHAR(32) NOT NULL PRIMARY KEY, data TEXT)";

/// Milliseconds, as JavaScript has them.
fn millis() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// A type of the instants, one of the ids, two instants, and what the error says.
type Wrong = (&'static str, &'static str, String, String);

/// Each table is refused by each step, and stays as it was. `$objects` selects a text of
/// all there is in the database.
macro_rules! refuses {
    ($pool:expr, $url:expr, $wrong:expr, $fill:ident, $contract:ident, $objects:expr, $id:expr) => {
        for (instants, id, instant, said) in $wrong {
            let table = format!(
                "DROP TABLE IF EXISTS sessions;
                CREATE TABLE sessions (
                    id {id} NOT NULL PRIMARY KEY, subject {subject} NOT NULL,
                    secret {id} NOT NULL, created_at {instants} NOT NULL,
                    expires_at {instants} NOT NULL);",
                subject = $id.0,
            );
            let sign_in = |n: u8| {
                let (id, text) = ($id.1(n), $id.2);
                AssertSqlSafe(format!(
                    "INSERT INTO sessions VALUES ({id}, {text}, {id}, {instant}, {instant})"
                ))
            };
            raw_sql(AssertSqlSafe(table)).execute($pool).await.unwrap();
            raw_sql(sign_in(1)).execute($pool).await.unwrap();
            let objects =
                async || -> String { sqlx::query_scalar($objects).fetch_one($pool).await.unwrap() };
            let before = objects().await;
            for error in [
                $fill($url, &POLICY, 10).await.unwrap_err().to_string(),
                $contract($url, &POLICY).await.unwrap_err().to_string(),
            ] {
                assert!(error.contains(&said), "{instants}: {error}");
                let start = "the table sessions cannot be given a cap, and is unchanged: it has";
                assert!(error.contains(start), "{error}");
            }
            assert_eq!(objects().await, before, "{instants}");
            raw_sql(sign_in(2)).execute($pool).await.expect("the program of before goes on");
        }
    };
}

/// Beside a table `sessions` of another program's, which stays as it is.
macro_rules! another_name {
    (
        $store:expr, $pool:expr, $url:expr, $table:expr,
        $fill:ident, $contract:ident, $finish:ident
    ) => {
        raw_sql(FOREIGN).execute($pool).await.unwrap();
        let error = $store.clone().create_table().await.unwrap_err();
        let said = error.source().expect("an error of the table").to_string();
        let start = "the table sessions cannot be used: it has no column id, no column subject, ";
        assert!(said.starts_with(start), "{said}");
        let error = $fill($url, &POLICY, 10).await.unwrap_err().to_string();
        assert!(error.contains("the table sessions cannot be given a cap"), "{error}");
        for name in ["order by", "", "1st", "a-b", "sessions;", &"a".repeat(64)] {
            assert!($store.clone().with_table(name).is_err(), "{name}");
            assert!($fill($url, Plan::for_table(name, &POLICY), 10).await.is_err(), "{name}");
        }
        for name in ["app_sessions", "Shop", "s", LONG] {
            let created = $table.replace("TABLE sessions", &format!("TABLE {name}"));
            raw_sql(AssertSqlSafe(created)).execute($pool).await.unwrap();
            let plan = || Plan::for_table(name, &POLICY);
            $fill($url, plan(), 10).await.unwrap();
            $contract($url, plan()).await.unwrap();
            $finish($url, plan()).await.unwrap();
            let store = $store.clone().with_table(name).unwrap();
            store.create_table().await.unwrap();
            let empty = async || {
                let text = AssertSqlSafe(format!("DELETE FROM {name}"));
                raw_sql(text).execute($pool).await.unwrap();
                store.clone()
            };
            support::kit("remove_all").check(&empty).await.assert_passed();
        }
        raw_sql("INSERT INTO sessions VALUES ('theirs', 'left alone')")
            .execute($pool)
            .await
            .unwrap();
        let left: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM sessions").fetch_one($pool).await.unwrap();
        assert_eq!(left, 1);
    };
}

#[tokio::test]
async fn a_postgres_table_that_cannot_be_migrated_is_named_and_unchanged() {
    let Some(url) = support::postgres("session_policy_refused").await else { return };
    let store = PostgresStore::connect(&url).await.unwrap();
    let pool = store.pool();
    let wrong: Vec<Wrong> = vec![
        (
            "TIMESTAMPTZ",
            "BYTEA",
            "now()".into(),
            "created_at as timestamp with time zone, not as bigint, expires_at as".into(),
        ),
        ("TIMESTAMP", "BYTEA", "now()".into(), "created_at as timestamp without time zone".into()),
        ("TEXT", "BYTEA", "'1'".into(), "created_at as text, not as bigint".into()),
        ("INTEGER", "BYTEA", "1".into(), "created_at as integer, not as bigint".into()),
        ("BIGINT", "UUID", "1".into(), "id as uuid, not as bytea".into()),
        ("BIGINT", "BYTEA", millis().to_string(), format!("created_at {}", millis() / 1_000_000)),
    ];
    let objects = "SELECT
        (SELECT string_agg(attname || atttypid, ' ' ORDER BY attnum)
            FROM pg_attribute WHERE attrelid = 'sessions'::regclass)
        || (SELECT COUNT(*) FROM pg_trigger WHERE NOT tgisinternal)
        || ' ' || (SELECT COUNT(*) FROM pg_proc WHERE proname LIKE 'sessions%')
        || ' ' || (SELECT COUNT(*) FROM pg_class WHERE relname LIKE 'sessions%')";
    let literal = ("TEXT", |n: u8| format!("'{n:08x}-0000-0000-0000-000000000000'"), "'user'");
    refuses!(pool, &url, wrong, fill_postgres, contract_postgres, objects, literal);
    raw_sql("DROP TABLE sessions").execute(pool).await.unwrap();
    another_name!(
        store,
        pool,
        &url,
        "CREATE TABLE sessions (
            id BYTEA NOT NULL PRIMARY KEY, subject TEXT NOT NULL, secret BYTEA NOT NULL,
            created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL)",
        fill_postgres,
        contract_postgres,
        finish_postgres
    );
}

#[tokio::test]
async fn a_mariadb_table_that_cannot_be_migrated_is_named_and_unchanged() {
    let Some(url) = support::mariadb("session_policy_refused").await else { return };
    let store = MariaDbStore::connect(&url).await.unwrap();
    let pool = store.pool();
    let wrong: Vec<Wrong> = vec![
        (
            "DATETIME",
            "BINARY(16)",
            "now()".into(),
            "created_at as datetime, not as bigint, expires_at as datetime".into(),
        ),
        ("TEXT", "BINARY(16)", "'1'".into(), "created_at as text, not as bigint".into()),
        ("INT", "BINARY(16)", "1".into(), "created_at as int, not as bigint".into()),
        (
            "BIGINT UNSIGNED",
            "BINARY(16)",
            "1".into(),
            "created_at as bigint unsigned, not as bigint".into(),
        ),
        ("BIGINT", "CHAR(36)", "1".into(), "id as char, not as binary or varbinary".into()),
        (
            "BIGINT",
            "BINARY(16)",
            millis().to_string(),
            format!("created_at {}", millis() / 1_000_000),
        ),
    ];
    let objects = "SELECT CONVERT(CONCAT(
        (SELECT GROUP_CONCAT(column_name, column_type ORDER BY ordinal_position)
            FROM information_schema.columns WHERE table_schema = DATABASE()),
        (SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_schema = DATABASE()), ' ',
        (SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE())
    ) USING utf8mb4)";
    let literal = ("VARBINARY(1024)", |n: u8| format!("'{n:016}'"), "'user'");
    refuses!(pool, &url, wrong, fill_mariadb, contract_mariadb, objects, literal);
    raw_sql("DROP TABLE sessions").execute(pool).await.unwrap();
    another_name!(
        store,
        pool,
        &url,
        "CREATE TABLE sessions (
            id BINARY(16) NOT NULL PRIMARY KEY, subject VARBINARY(1024) NOT NULL,
            secret BINARY(32) NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL
            ) ENGINE = InnoDB",
        fill_mariadb,
        contract_mariadb,
        finish_mariadb
    );
}

#[tokio::test]
async fn an_sqlite_table_that_cannot_be_migrated_is_named_and_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/sessions.db", folder.path().display());
    let store = SqliteStore::connect(&url).await.unwrap();
    let pool = store.pool();
    let wrong: Vec<Wrong> = vec![
        (
            "DATETIME",
            "BLOB",
            "'2026-01-01 00:00:00'".into(),
            "created_at as DATETIME, not as INTEGER or BIGINT or INT, expires_at as".into(),
        ),
        ("TEXT", "BLOB", "'1'".into(), "created_at as TEXT, not as INTEGER".into()),
        ("INTEGER", "TEXT", "1".into(), "id as TEXT, not as BLOB".into()),
        ("INTEGER", "BLOB", "'soon'".into(), "created_at 'soon', a text: instants are".into()),
        ("INTEGER", "BLOB", "1.5".into(), "created_at 1.5, a real: instants are unix".into()),
        ("INTEGER", "BLOB", millis().to_string(), format!("created_at {}", millis() / 1_000_000)),
    ];
    let objects = "SELECT group_concat(type || name || sql) FROM sqlite_schema";
    let literal = ("TEXT", |n: u8| format!("x'{n:032x}'"), "'user'");
    refuses!(pool, &url, wrong, fill_sqlite, contract_sqlite, objects, literal);
    raw_sql("DROP TABLE sessions").execute(pool).await.unwrap();
    another_name!(
        store,
        pool,
        &url,
        "CREATE TABLE sessions (
            id BLOB NOT NULL PRIMARY KEY, subject TEXT NOT NULL, secret BLOB NOT NULL,
            created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL)",
        fill_sqlite,
        contract_sqlite,
        finish_sqlite
    );
}

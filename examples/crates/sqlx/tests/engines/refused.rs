//! Tables that are not the store's, and not what a migration expects: named in the
//! error, and unchanged. And tables of another name.

use std::error::Error as _;
use std::time::SystemTime;

use session_policy::SessionPolicy;
use session_policy_sqlx::{MariaDbStore, Plan, PostgresStore, SqliteStore};

use crate::engine::Engine;
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

/// How an engine writes the type of a subject, and an id that ends in a number.
type Literals = (&'static str, fn(u8) -> String);

/// Each table is refused by each step, and stays as it was, and so does a table `sessions`
/// of another program beside one of another name. `objects` selects a text of all there
/// is in the database.
async fn refuses<S: Engine>(wrong: Vec<Wrong>, objects: &'static str, literals: Literals) {
    let Some(database) = S::database("session_policy_refused").await else { return };
    let (store, url) = (S::at(&database.url).await, &database.url);
    let (subject, id_of) = literals;
    for (instants, id, instant, said) in wrong {
        let table = format!(
            "DROP TABLE IF EXISTS sessions;
            CREATE TABLE sessions (
                id {id} NOT NULL PRIMARY KEY, subject {subject} NOT NULL,
                secret {id} NOT NULL, created_at {instants} NOT NULL,
                expires_at {instants} NOT NULL);",
        );
        let sign_in = |n: u8| {
            let id = id_of(n);
            store.run(format!(
                "INSERT INTO sessions VALUES ({id}, 'user', {id}, {instant}, {instant})"
            ))
        };
        store.run(table).await.unwrap();
        sign_in(1).await.unwrap();
        let before = store.text(objects).await;
        for error in [
            S::fill(url, &POLICY, 10).await.unwrap_err().to_string(),
            S::contract(url, &POLICY).await.unwrap_err().to_string(),
        ] {
            assert!(error.contains(&said), "{instants}: {error}");
            let start =
                "the table sessions cannot be given a cap, and this step changed nothing: it has";
            assert!(error.contains(start), "{error}");
        }
        assert_eq!(store.text(objects).await, before, "{instants}");
        sign_in(2).await.expect("the program of before goes on");
    }
    store.run("DROP TABLE sessions").await.unwrap();
    takes_another_name(&store, url).await;
}

/// Beside a table `sessions` of another program's, which stays as it is.
async fn takes_another_name<S: Engine>(store: &S, url: &str) {
    store.run(FOREIGN).await.unwrap();
    let error = store.create_table().await.unwrap_err();
    let said = error.source().expect("an error of the table").to_string();
    let start = "the table sessions cannot be used: it has no column id, no column subject, ";
    assert!(said.starts_with(start), "{said}");
    let error = S::fill(url, &POLICY, 10).await.unwrap_err().to_string();
    assert!(error.contains("the table sessions cannot be given a cap"), "{error}");
    for name in ["order by", "", "1st", "a-b", "sessions;", &"a".repeat(64)] {
        assert!(store.clone().with_table(name).is_err(), "{name}");
        assert!(S::fill(url, Plan::for_table(name, &POLICY), 10).await.is_err(), "{name}");
    }
    for name in ["app_sessions", "Shop", "s", LONG] {
        store.run(S::BEFORE.replace("TABLE sessions", &format!("TABLE {name}"))).await.unwrap();
        let plan = || Plan::for_table(name, &POLICY);
        S::fill(url, plan(), 10).await.unwrap();
        S::contract(url, plan()).await.unwrap();
        S::finish(url, plan()).await.unwrap();
        let store = store.clone().with_table(name).unwrap();
        store.create_table().await.unwrap();
        let empty = async || {
            store.run(format!("DELETE FROM {name}")).await.unwrap();
            store.clone()
        };
        support::kit("remove_all").check(&empty).await.assert_passed();
    }
    store.run("INSERT INTO sessions VALUES ('theirs', 'left alone')").await.unwrap();
    assert_eq!(store.count("SELECT COUNT(*) FROM sessions").await, 1);
}

#[tokio::test]
async fn a_postgres_table_that_cannot_be_migrated_is_named_and_unchanged() {
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
    let literals: Literals = ("TEXT", |n| format!("'{n:08x}-0000-0000-0000-000000000000'"));
    refuses::<PostgresStore>(wrong, objects, literals).await;
}

#[tokio::test]
async fn a_mariadb_table_that_cannot_be_migrated_is_named_and_unchanged() {
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
    let literals: Literals = ("VARBINARY(1024)", |n| format!("'{n:016}'"));
    refuses::<MariaDbStore>(wrong, objects, literals).await;
}

#[tokio::test]
async fn an_sqlite_table_that_cannot_be_migrated_is_named_and_unchanged() {
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
    let literals: Literals = ("TEXT", |n| format!("x'{n:032x}'"));
    refuses::<SqliteStore>(wrong, objects, literals).await;
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_named() {
    for url in
        ["sqlite:/no/such/folder/app.db", "postgres://app:secret@host/name", "sqlite:a.db?mode=x\n"]
    {
        let error = SqliteStore::connect(url).await.unwrap_err();
        let said = error.source().expect("an error of the engine").to_string();
        let name = if url.starts_with("sqlite:") { url } else { "no sqlite: URL" };
        assert!(said.starts_with(&format!("{}: ", name.escape_debug())), "{said}");
    }
}

/// Rows that the store would not take, each in an old table with one row that it would.
async fn refuses_rows<S: Engine>(rows: &[(&str, &str)]) {
    for (row, said) in rows {
        let Some(database) = S::database("session_policy_rows").await else { return };
        let store = S::at(&database.url).await;
        store.run("DROP TABLE IF EXISTS sessions").await.unwrap();
        store.run(S::BEFORE).await.unwrap();
        let row = [15, 16, 31, 32].iter().fold((*row).to_owned(), |row, &bytes| {
            row.replace(&format!("{{{bytes}}}"), &S::literal(&vec![7; bytes]))
        });
        store.run(format!("INSERT INTO sessions VALUES ({row})")).await.unwrap();
        let error = S::fill(&database.url, &POLICY, 10).await.unwrap_err().to_string();
        let start =
            "the table sessions cannot be given a cap, and this step changed nothing: it has ";
        assert!(error.contains(&format!("{start}{said}, in the row ")), "{row}: {error}");
        store.run("DROP TABLE sessions").await.unwrap();
    }
}

const SUBJECT: &str = "a subject that is no text of 1 to 1024 bytes without NUL";

#[tokio::test]
async fn rows_that_cannot_become_sessions_are_named_before_anything_is_changed() {
    let subject = |text: &str| format!("{{16}}, {text}, {{32}}, 1, 2");
    let (empty, long) = (subject("''"), subject(&format!("'{}'", "x".repeat(1_025))));
    // The expiry alone, which would keep its session to the cap, however idle.
    let expiry = millis();
    let expires = format!("{{16}}, 'ada', {{32}}, 1, {expiry}");
    let ahead =
        format!("expires_at {expiry}, more than 100 years ahead: instants are unix seconds");
    let expires = (expires.as_str(), ahead.as_str());
    let lengths = [
        ("{15}, 'ada', {32}, 1, 2", "an id that is not 16 bytes"),
        ("{16}, 'ada', {31}, 1, 2", "a secret that is not 32 bytes"),
    ];
    refuses_rows::<PostgresStore>(&[
        expires,
        lengths[0],
        lengths[1],
        (&empty, SUBJECT),
        (&long, SUBJECT),
    ])
    .await;
    refuses_rows::<SqliteStore>(&[
        expires,
        lengths[0],
        lengths[1],
        (&empty, SUBJECT),
        (&long, SUBJECT),
        (&subject("'a' || char(0)"), SUBJECT),
    ])
    .await;
    // Its columns have these lengths.
    refuses_rows::<MariaDbStore>(&[
        expires,
        (&empty, SUBJECT),
        (&subject("concat('a', x'00')"), SUBJECT),
    ])
    .await;
}

#[tokio::test]
async fn sqlite_loses_no_further_column() {
    let database = SqliteStore::database("session_policy_further").await.unwrap();
    let store = SqliteStore::at(&database.url).await;
    store.run(SqliteStore::BEFORE).await.unwrap();
    store.run("ALTER TABLE sessions ADD COLUMN cart TEXT").await.unwrap();
    let error = SqliteStore::fill(&database.url, &POLICY, 10).await.unwrap_err().to_string();
    let said = "this step changed nothing: it has a further column cart, which would be lost";
    assert!(error.contains(said), "{error}");
    store.run("DROP TABLE sessions").await.unwrap();
    store.run(SqliteStore::BEFORE).await.unwrap();
    SqliteStore::fill(&database.url, &POLICY, 10).await.unwrap();
}

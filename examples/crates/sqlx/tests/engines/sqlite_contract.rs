//! On SQLite two tables change places. Whenever that is run, and by whatever
//! runner, no session is lost, and none comes back.

use std::str::FromStr;

use session_policy::SessionPolicy;
use session_policy::store::sql::SQLITE;
use session_policy_sqlx::{contract_sqlite, fill_sqlite, finish_sqlite};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

const POLICY: SessionPolicy = SessionPolicy::SLIDING_MONTH;

const TABLE: &str = "CREATE TABLE sessions (
        id BLOB NOT NULL PRIMARY KEY, subject TEXT NOT NULL, secret BLOB NOT NULL,
        created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL);
    WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 5)
    INSERT INTO sessions
    SELECT CAST(printf('%016d', n) AS BLOB), 'user', zeroblob(32), 1, 2592001 FROM n";

/// A database in a folder of its own.
struct Database {
    _folder: tempfile::TempDir,
    url: String,
}

impl Database {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/sessions.db?mode=rwc", folder.path().display());
        let database = Self { _folder: folder, url };
        database.run(TABLE).await;
        database
    }

    async fn connect(&self, foreign_keys: bool) -> SqliteConnection {
        let options = SqliteConnectOptions::from_str(&self.url).unwrap();
        options.foreign_keys(foreign_keys).connect().await.unwrap()
    }

    async fn run(&self, text: &str) {
        let mut connection = self.connect(true).await;
        sqlx::raw_sql(AssertSqlSafe(text.to_owned())).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// The first `filled` rows.
    async fn fill(&self, filled: u8) {
        let migration = SQLITE.migration(&POLICY);
        let mut connection = self.connect(true).await;
        for text in migration.expand {
            sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await.unwrap();
        }
        sqlx::query(AssertSqlSafe(migration.backfill))
            .bind(Vec::<u8>::new())
            .bind(format!("{filled:016}").into_bytes())
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
    }

    /// Each statement of `contract`, whatever became of those before, as the shell
    /// `sqlite3` runs them; how many failed.
    async fn contract_and_go_on(&self, foreign_keys: bool) -> usize {
        let mut connection = self.connect(foreign_keys).await;
        let mut failed = 0;
        for text in SQLITE.migration(&POLICY).contract {
            for statement in text.split(';') {
                let statement = AssertSqlSafe(statement.to_owned());
                let run = sqlx::raw_sql(statement).execute(&mut connection).await;
                failed += usize::from(run.is_err());
            }
        }
        connection.close().await.unwrap();
        failed
    }

    async fn applied(&self) -> bool {
        let applied = SQLITE.migration(&POLICY).applied;
        let mut connection = self.connect(true).await;
        sqlx::query(applied).fetch_optional(&mut connection).await.unwrap().is_some()
    }

    /// What an application would find, in words.
    async fn sessions(&self) -> Vec<String> {
        let mut connection = self.connect(true).await;
        sqlx::query_scalar("SELECT hex(id) || ' ' || expires_at FROM sessions ORDER BY id")
            .fetch_all(&mut connection)
            .await
            .unwrap()
    }

    /// The tables, views and triggers.
    async fn schema(&self) -> Vec<String> {
        let mut connection = self.connect(true).await;
        sqlx::query_scalar("SELECT type || ' ' || name || ' ' || tbl_name FROM sqlite_schema")
            .fetch_all(&mut connection)
            .await
            .unwrap()
    }
}

const STATES: [&str; 8] = [
    "before",
    "expanded",
    "two of five filled",
    "a row that is not taken",
    "a second table of before",
    "contracted",
    "finished",
    "finished, then filled",
];

async fn in_state(state: &str) -> Database {
    let database = Database::new().await;
    match state {
        "before" => {}
        "expanded" => database.fill(0).await,
        "two of five filled" => database.fill(2).await,
        "a row that is not taken" => {
            let short = "INSERT INTO sessions VALUES (x'00', 'user', zeroblob(32), 1, 2592001)";
            database.run(short).await;
            database.fill(5).await;
        }
        "a second table of before" => {
            database.fill(5).await;
            database.run("CREATE TABLE sessions_uncapped (id BLOB)").await;
        }
        "contracted" | "finished" | "finished, then filled" => {
            database.fill(5).await;
            contract_sqlite(&database.url, &POLICY).await.unwrap();
            if state != "contracted" {
                finish_sqlite(&database.url, &POLICY).await.unwrap();
            }
            if state == "finished, then filled" {
                database.fill(5).await;
            }
        }
        state => panic!("there is no state `{state}`"),
    }
    database
}

#[tokio::test]
async fn run_before_or_after_its_time_it_changes_nothing() {
    for state in STATES {
        for foreign_keys in [false, true] {
            for goes_on in [false, true] {
                let database = in_state(state).await;
                let (sessions, schema) = (database.sessions().await, database.schema().await);
                let applied = database.applied().await;
                let case = format!("{state}, foreign keys {foreign_keys}, goes on {goes_on}");
                if goes_on {
                    assert!(database.contract_and_go_on(foreign_keys).await > 0, "{case}");
                } else {
                    let mut connection = database.connect(foreign_keys).await;
                    for text in SQLITE.migration(&POLICY).contract {
                        let run = sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await;
                        assert!(run.is_err(), "{case}");
                    }
                    sqlx::raw_sql("ROLLBACK").execute(&mut connection).await.unwrap();
                    connection.close().await.unwrap();
                }
                assert_eq!(database.sessions().await, sessions, "{case}");
                assert_eq!(database.schema().await, schema, "{case}");
                assert_eq!(database.applied().await, applied, "{case}");

                finish_sqlite(&database.url, &POLICY).await.unwrap();
                assert_eq!(database.sessions().await, sessions, "{case}");
            }
        }
    }
}

#[tokio::test]
async fn once_filled_it_is_run_by_whatever_runner() {
    for foreign_keys in [false, true] {
        let database = Database::new().await;
        database.fill(5).await;
        let sessions = database.sessions().await;
        assert_eq!(database.contract_and_go_on(foreign_keys).await, 0);
        assert!(database.applied().await);
        assert_eq!(database.sessions().await, sessions);
    }
}

#[tokio::test]
async fn a_failure_leaves_no_transaction_open_and_says_why() {
    let database = in_state("two of five filled").await;
    let error = contract_sqlite(&database.url, &POLICY).await.unwrap_err().to_string();
    assert!(error.contains("every_session_is_filled"), "{error}");
    database.run("DELETE FROM sessions WHERE id = CAST('0000000000000005' AS BLOB)").await;

    fill_sqlite(&database.url, &POLICY, 2).await.unwrap();
    contract_sqlite(&database.url, &POLICY).await.unwrap();
    assert_eq!(database.sessions().await.len(), 4);
}

#[tokio::test]
async fn a_session_that_ended_past_the_triggers_does_not_come_back() {
    let database = Database::new().await;
    database
        .run("CREATE UNIQUE INDEX one_each ON sessions (expires_at) WHERE expires_at = 1")
        .await;
    database.fill(5).await;
    // REPLACE deletes without a trigger what stands in its way.
    for id in ["0000000000000006", "0000000000000007"] {
        let replace = format!(
            "INSERT OR REPLACE INTO sessions
                VALUES (CAST('{id}' AS BLOB), 'user', zeroblob(32), 1, 1)"
        );
        database.run(&replace).await;
    }
    let sessions = database.sessions().await;
    assert_eq!(sessions.len(), 6);
    contract_sqlite(&database.url, &POLICY).await.unwrap();
    assert_eq!(database.sessions().await, sessions);
}

#[tokio::test]
async fn what_else_names_the_table_is_not_turned_to_the_table_of_before() {
    for (made, dropped) in [
        (
            "CREATE TABLE devices (
                session BLOB REFERENCES \"Sessions\" (id) ON DELETE CASCADE, name TEXT);
            INSERT INTO devices SELECT id, 'laptop' FROM sessions",
            "DROP TABLE devices",
        ),
        ("CREATE VIEW people AS SELECT DISTINCT subject FROM Sessions", "DROP VIEW people"),
        (
            "CREATE TABLE log (id BLOB);
            CREATE TRIGGER audit AFTER DELETE ON sessions BEGIN
                INSERT INTO log VALUES (OLD.id);
            END",
            "DROP TRIGGER audit",
        ),
    ] {
        let database = Database::new().await;
        database.fill(5).await;
        database.run("CREATE VIEW other AS SELECT 1 AS old_sessions").await;
        database.run(made).await;
        let schema = database.schema().await;
        let error = contract_sqlite(&database.url, &POLICY).await.unwrap_err().to_string();
        assert!(error.contains("nothing_else_names_sessions"), "{made}: {error}");
        assert!(database.contract_and_go_on(true).await > 0, "{made}");
        assert_eq!(database.schema().await, schema, "{made}");

        database.run(dropped).await;
        contract_sqlite(&database.url, &POLICY).await.unwrap();
        assert_eq!(database.sessions().await.len(), 5, "{made}");
    }
}

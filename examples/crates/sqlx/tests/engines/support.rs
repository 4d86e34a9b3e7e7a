//! Engines for the tests: a database of its own for each, on the engine that a
//! variable names.

use session_policy::testing::StoreKit;
use sqlx::{AssertSqlSafe, Connection, MySqlConnection, PgConnection};

/// The URL of an empty database `name`, or `None` with a line that says what is
/// skipped. With `SESSION_POLICY_REQUIRE_ENGINES=1` an absent engine fails.
pub(crate) async fn postgres(name: &str) -> Option<String> {
    let base = variable("POSTGRES_URL", "postgres://root@127.0.0.1:5432/test");
    let mut engine = reached(&base, PgConnection::connect(&base).await)?;
    for statement in
        [format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), format!("CREATE DATABASE {name}")]
    {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut engine).await.unwrap();
    }
    Some(in_database(&base, name))
}

/// As [`postgres`], on MariaDB.
pub(crate) async fn mariadb(name: &str) -> Option<String> {
    let base = variable("MARIADB_URL", "mysql://root@127.0.0.1:3306/test");
    let mut engine = reached(&base, MySqlConnection::connect(&base).await)?;
    for statement in [format!("DROP DATABASE IF EXISTS {name}"), format!("CREATE DATABASE {name}")]
    {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut engine).await.unwrap();
    }
    Some(in_database(&base, name))
}

/// The checks whose names have this in them; all if `SESSION_POLICY_WHOLE_KIT` is 1.
pub(crate) fn kit(part: &'static str) -> StoreKit {
    let whole = std::env::var("SESSION_POLICY_WHOLE_KIT").is_ok_and(|value| value == "1");
    StoreKit::new().large(100).only(if whole { "" } else { part })
}

/// How many operations a load has: `SESSION_POLICY_LOAD_OPERATIONS`, or so many.
pub(crate) fn operations(default: u64) -> u64 {
    let operations = std::env::var("SESSION_POLICY_LOAD_OPERATIONS");
    operations.map_or(default, |operations| operations.parse().expect("a number of operations"))
}

fn variable(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}

fn reached<T>(url: &str, connection: Result<T, sqlx::Error>) -> Option<T> {
    connection.inspect_err(|error| missing(&format!("engine at {url}: {error}"))).ok()
}

/// The URL of the same database for another user, without a password.
pub(crate) fn as_user(url: &str, user: &str) -> String {
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (_, place) = rest.split_once('@').expect("a URL that names a user");
    format!("{scheme}://{user}@{place}")
}

/// Says what is skipped for want of `what`, or fails where engines are required.
pub(crate) fn missing(what: &str) {
    let required = std::env::var("SESSION_POLICY_REQUIRE_ENGINES").is_ok_and(|value| value == "1");
    assert!(!required, "required, but absent: {what}");
    eprintln!("skipped: there is no {what}");
}

fn in_database(url: &str, name: &str) -> String {
    let (engine, _) = url.rsplit_once('/').expect("a URL that names a database");
    format!("{engine}/{name}")
}

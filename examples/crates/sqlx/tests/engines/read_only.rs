//! Stores that may only read: sessions are served and their renewals deferred.

use chrono::TimeDelta;
use session_policy::store::{SessionStore, StoreError};
use session_policy::{
    AuthenticateError, ManualClock, RenewalOutcome, SessionPolicy, Sessions, Timestamp,
};
use session_policy_sqlx::{MariaDbStore, PostgresStore, SqliteStore};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

use crate::support;

const POLICY: SessionPolicy = SessionPolicy::SLIDING_MONTH;

/// A store that can only be read: requests are served, their renewals deferred;
/// nobody signs in or out, and both are told.
async fn serves_without_writing<S: SessionStore>(writer: S, reader: S) {
    let clock = ManualClock::new(Timestamp::from_unix_secs(1_800_000_000));
    let at_sign_in = Sessions::new(writer, POLICY).with_clock(clock.clone());
    let started = at_sign_in.start("user-42").await.unwrap();
    let sessions = Sessions::new(reader, POLICY).with_clock(clock.clone());

    clock.advance(TimeDelta::hours(1));
    let served = sessions.authenticate(started.token.expose()).await.unwrap();
    assert_eq!(served.session, started.session);
    let RenewalOutcome::Deferred(error) = &served.renewal else {
        panic!("not deferred: {:?}", served.renewal);
    };
    assert!(matches!(error.downcast_ref(), Some(StoreError::Unavailable(_))), "{error:?}");

    let error = sessions.start("user-43").await.unwrap_err();
    assert_eq!(error.to_string(), "the session store is unavailable");
    let error = sessions.end(&started.session.id()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    let error = sessions.rotate(&started.session).await.unwrap_err();
    assert_eq!(error.to_string(), "the session store is unavailable");

    clock.advance(TimeDelta::days(30));
    let error = sessions.authenticate(started.token.expose()).await.unwrap_err();
    assert!(matches!(error, AuthenticateError::Rejected { .. }), "{error:?}");
}

#[tokio::test]
async fn a_postgres_role_that_may_only_read_serves_and_defers() {
    let Some(url) = support::postgres("session_policy_read_only").await else { return };
    let writer = PostgresStore::connect(&url).await.unwrap();
    writer.create_table().await.unwrap();
    for text in [
        "DROP ROLE IF EXISTS session_policy_reader",
        "CREATE ROLE session_policy_reader LOGIN",
        "GRANT SELECT ON sessions TO session_policy_reader",
    ] {
        sqlx::query(text).execute(writer.pool()).await.unwrap();
    }
    let reader = support::as_user(&url, "session_policy_reader");
    serves_without_writing(writer, PostgresStore::connect(&reader).await.unwrap()).await;
}

#[tokio::test]
async fn a_mariadb_user_that_may_only_read_serves_and_defers() {
    let Some(url) = support::mariadb("session_policy_read_only").await else { return };
    let writer = MariaDbStore::connect(&url).await.unwrap();
    writer.create_table().await.unwrap();
    for text in [
        "CREATE OR REPLACE USER session_policy_reader@'%'",
        "CREATE OR REPLACE USER session_policy_reader@localhost",
        "GRANT SELECT ON session_policy_read_only.* TO session_policy_reader@'%'",
        "GRANT SELECT ON session_policy_read_only.* TO session_policy_reader@localhost",
    ] {
        sqlx::raw_sql(text).execute(writer.pool()).await.unwrap();
    }
    let reader = support::as_user(&url, "session_policy_reader");
    serves_without_writing(writer, MariaDbStore::connect(&reader).await.unwrap()).await;
}

#[tokio::test]
async fn a_sqlite_file_that_may_only_be_read_serves_and_defers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    let url = format!("sqlite://{}", path.display());
    let writer = SqliteStore::connect(&url).await.unwrap();
    writer.create_table().await.unwrap();
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    let reader = SqliteStore::new(SqlitePool::connect_with(options).await.unwrap());
    serves_without_writing(writer, reader).await;
}

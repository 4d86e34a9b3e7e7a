//! Behind a pooler that hands out connections by the transaction, clients' prepared
//! statements share their names: another's may be run in place of one's own.

use session_policy::store::{SecretHash, SessionStore, StoreError, Update};
use session_policy::{Session, SessionId, SessionPolicy, Timestamp};
use session_policy_sqlx::PostgresStore;
use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgPool, PgPoolOptions};

use crate::support;

#[tokio::test]
async fn a_removal_believes_no_statement_but_its_own() {
    let Some(url) = support::postgres("session_policy_pooler").await else { return };
    let pool = PgPoolOptions::new().max_connections(1).connect(&url).await.unwrap();
    let store = PostgresStore::new(pool.clone());
    store.create_table().await.unwrap();
    let now = Timestamp::from_unix_secs(1_800_000_000);
    let policy = SessionPolicy::SLIDING_MONTH;
    let [here, gone] = [1, 2].map(|n| {
        let (id, secret) = (SessionId::from_bytes([n; 16]), SecretHash::from_bytes([n; 32]));
        Session::new(id, "user-42", "default", secret, policy.start(now)).unwrap()
    });
    store.create(&here).await.unwrap();
    assert!(!store.remove(&gone.id()).await.unwrap());
    assert!(!store.update(&Update::new(&gone, now, gone.lifetime())).await.unwrap());

    let row = "SELECT
        id, subject, profile, epoch, ordinal, about, version, secret,
        created_at, renewed_at, expires_at, absolute_expires_at, generation, confirmed_at
    FROM sessions";
    let name = name_of(&pool, "DELETE").await;
    replace(&pool, &name, "(BYTEA)", &format!("{row} WHERE id = $1")).await;
    let error = store.remove(&here.id()).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt(_)), "{error:?}");
    replace(&pool, &name, "(BYTEA)", "SELECT $1 WHERE FALSE").await;
    assert!(!store.remove(&here.id()).await.unwrap());

    let types = "(BYTEA, BIGINT, BIGINT, BIGINT, BIGINT, BYTEA, BIGINT, BIGINT)";
    let unused = "$1 <> '' AND $2 + $3 + $4 + $5 + $7 + COALESCE($8, 0) > 0 AND $6 <> ''";
    let update = Update::new(&here, now, here.lifetime());
    let name = name_of(&pool, "UPDATE").await;
    for other in [
        format!("DELETE FROM sessions WHERE FALSE AND {unused}"),
        format!("SELECT decode(repeat('07', 16), 'hex') WHERE {unused}"),
    ] {
        replace(&pool, &name, types, &other).await;
        let updated = store.update(&update).await;
        assert!(!matches!(updated, Ok(true)), "{other}: {updated:?}");
    }
    assert_eq!(store.load(&here.id()).await.unwrap(), Some(here));
}

/// The name of the statement that begins with `verb`.
async fn name_of(pool: &PgPool, verb: &str) -> String {
    let find = "SELECT name FROM pg_prepared_statements WHERE starts_with(statement, $1)";
    let found = sqlx::query_scalar(find).bind(verb).persistent(false);
    found.fetch_one(pool).await.unwrap()
}

/// Another statement under a name.
async fn replace(pool: &PgPool, name: &str, types: &str, other: &str) {
    let text = format!("DEALLOCATE {name}; PREPARE {name} {types} AS {other}");
    sqlx::raw_sql(AssertSqlSafe(text)).execute(pool).await.unwrap();
}

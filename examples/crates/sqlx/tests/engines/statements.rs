//! Statements per request, by the engines' own counters, beside tower-sessions.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::env::temp_dir;

use async_trait::async_trait;
use chrono::TimeDelta;
use http::header::{COOKIE, SET_COOKIE};
use http::{Request, Response};
use session_policy::store::SessionStore;
use session_policy::{ManualClock, SessionPolicy, Sessions, Timestamp};
use session_policy_sqlx::{MariaDbStore, PostgresStore};
use sqlx::postgres::PgPool;
use sqlx::{Row, raw_sql};
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_sessions::session::{Id, Record};
use tower_sessions::{Expiry, Session, SessionManagerLayer, session_store};

use crate::private::PrivateEngine;

/// A request every 20 seconds, with a renewal due every 300: 66 in all.
const REQUESTS: u64 = 1_000;
const RENEWALS: u64 = 66;

async fn traffic(store: impl SessionStore) {
    let clock = ManualClock::new(Timestamp::from_unix_secs(1_800_000_000));
    let sessions = Sessions::new(store, SessionPolicy::SLIDING_MONTH).with_clock(clock.clone());
    let token = sessions.start("user-42").await.unwrap().token;
    for _ in 0..REQUESTS {
        clock.advance(TimeDelta::seconds(20));
        sessions.authenticate(token.expose()).await.unwrap();
    }
}

#[tokio::test]
async fn a_request_on_postgres_is_one_read_and_a_write_only_if_a_renewal_is_due() {
    let Some(engine) = PrivateEngine::postgres(&temp_dir()).await else { return };
    let store = PostgresStore::connect(engine.url()).await.unwrap();
    store.create_table().await.unwrap();
    let pool = store.pool().clone();
    raw_sql("CREATE EXTENSION pg_stat_statements").execute(&pool).await.unwrap();

    traffic(store.clone()).await;
    let ours = postgres_calls(&pool, "sessions").await;
    assert_eq!(ours, calls([("INSERT", 1), ("SELECT", REQUESTS), ("UPDATE", RENEWALS)]));

    let table = "CREATE TABLE tower (id text primary key not null, data bytea not null,
        expiry_date bigint not null)";
    raw_sql(table).execute(&pool).await.unwrap();
    tower_traffic(Tower { pool: pool.clone() }).await;
    let theirs = postgres_calls(&pool, "tower").await;
    // Its way to slide is `with_always_save`: an upsert a request.
    assert_eq!(theirs, calls([("INSERT", 1 + REQUESTS), ("SELECT", 1 + REQUESTS)]));
    println!(
        "{REQUESTS} requests and a sign-in: session-policy {ours:?}, tower-sessions {theirs:?}"
    );
}

#[tokio::test]
async fn a_request_on_mariadb_is_one_read_and_a_write_only_if_a_renewal_is_due() {
    let Some(engine) = PrivateEngine::mariadb(&temp_dir()).await else { return };
    let store = MariaDbStore::connect(engine.url()).await.unwrap();
    store.create_table().await.unwrap();
    let pool = store.pool().clone();
    let count = async || {
        let text = "SHOW GLOBAL STATUS WHERE Variable_name IN (
            'Com_delete', 'Com_insert', 'Com_select', 'Com_update', 'Com_update_multi')";
        let rows = raw_sql(text).fetch_all(&pool).await.unwrap();
        let count = |row: &sqlx::mysql::MySqlRow| -> (String, u64) {
            (row.get(0), row.get::<String, _>(1).parse().unwrap())
        };
        rows.iter().map(count).collect::<BTreeMap<_, _>>()
    };
    let before = count().await;
    traffic(store.clone()).await;
    let counted: BTreeMap<_, _> = count()
        .await
        .into_iter()
        .map(|(verb, calls)| (verb.clone(), calls - before[&verb]))
        .collect();
    println!("{REQUESTS} requests and a sign-in: {counted:?}");
    assert_eq!(
        counted,
        calls([
            ("Com_delete", 0),
            ("Com_insert", 1),
            ("Com_select", REQUESTS),
            ("Com_update", 0),
            ("Com_update_multi", RENEWALS),
        ])
    );
}

fn calls<const N: usize>(calls: [(&str, u64); N]) -> BTreeMap<String, u64> {
    calls.into_iter().map(|(verb, calls)| (verb.to_owned(), calls)).collect()
}

/// The calls of statements on a table, by verb, as `pg_stat_statements` has them.
async fn postgres_calls(pool: &PgPool, table: &str) -> BTreeMap<String, u64> {
    let text = "SELECT upper(substring(query FROM '^[a-zA-Z]+')), SUM(calls)::BIGINT
        FROM pg_stat_statements
        WHERE query ~ ('(FROM|INTO|UPDATE|from|into) ' || $1 || '\\M')
            AND query !~ 'CREATE|pg_stat'
        GROUP BY 1";
    let rows = sqlx::query(text).bind(table).fetch_all(pool).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get::<i64, _>(1).unsigned_abs())).collect()
}

/// The statements of `tower-sessions-sqlx-store` 0.15, whose own sqlx (0.8)
/// would bring the crate `rsa` into the lock file.
#[derive(Clone, Debug)]
struct Tower {
    pool: PgPool,
}

#[async_trait]
impl session_store::SessionStore for Tower {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        sqlx::query("select exists(select 1 from tower where id = $1)")
            .bind(record.id.to_string())
            .fetch_one(&self.pool)
            .await
            .map_err(|error| backend(&error))?;
        self.save(record).await
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        let text = "insert into tower (id, data, expiry_date) values ($1, $2, $3)
            on conflict (id) do update
            set data = excluded.data, expiry_date = excluded.expiry_date";
        sqlx::query(text)
            .bind(record.id.to_string())
            .bind(serde_json::to_vec(record).expect("a record is JSON"))
            .bind(record.expiry_date.unix_timestamp())
            .execute(&self.pool)
            .await
            .map_err(|error| backend(&error))?;
        Ok(())
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let data: Option<Vec<u8>> =
            sqlx::query_scalar("select data from tower where id = $1 and expiry_date > $2")
                .bind(id.to_string())
                .bind(0_i64)
                .fetch_optional(&self.pool)
                .await
                .map_err(|error| backend(&error))?;
        Ok(data.map(|data| serde_json::from_slice(&data).expect("a record is JSON")))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        sqlx::query("delete from tower where id = $1")
            .bind(id.to_string())
            .execute(&self.pool)
            .await
            .map_err(|error| backend(&error))?;
        Ok(())
    }
}

fn backend(error: &sqlx::Error) -> session_store::Error {
    session_store::Error::Backend(error.to_string())
}

/// A sign-in and [`REQUESTS`] requests that read the user, through the layer.
async fn tower_traffic(store: Tower) {
    let layer = SessionManagerLayer::new(store)
        .with_always_save(true)
        .with_expiry(Expiry::OnInactivity(time::Duration::days(30)));
    let application = service_fn(async |request: Request<()>| {
        let session = request.extensions().get::<Session>().unwrap();
        if request.uri().path() == "/sign-in" {
            session.insert("user", "user-42").await.unwrap();
        } else {
            assert_eq!(session.get::<String>("user").await.unwrap().unwrap(), "user-42");
        }
        Ok::<_, Infallible>(Response::<String>::default())
    });
    let service = ServiceBuilder::new().layer(layer).service(application);
    let sign_in = Request::get("/sign-in").body(()).unwrap();
    let response = service.clone().oneshot(sign_in).await.unwrap();
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    for _ in 0..REQUESTS {
        let request = Request::get("/").header(COOKIE, &cookie).body(()).unwrap();
        service.clone().oneshot(request).await.unwrap();
    }
}

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use axum_session::{
    DatabaseError, DatabasePool, Session, SessionConfig, SessionLayer, SessionStore,
};
use dashmap::DashMap;
use futures_util::FutureExt;
use tokio::runtime::Builder;
use tower_sessions::cookie::time::Duration;

use crate::app::{App, SUBJECT, greet};
use crate::traffic::Traffic;

const KEY: &str = "user";

/// As it comes: it keeps a copy of each session in the process and writes to the
/// store at most every 10 s.
pub(super) fn app() -> App {
    configured("axum_session", SessionConfig::default())
}

/// Its throttle is shorter than a minute. By its clock, which cannot be moved, all
/// requests of a test fall into one throttle, so here it has none.
pub(super) fn app_asked_each_minute() -> App {
    let config = SessionConfig::default().with_db_update_interval(Duration::ZERO);
    configured("axum_session, one a minute", config)
}

fn configured(name: &'static str, config: SessionConfig) -> App {
    let pool = Pool::default();
    let traffic = Arc::clone(&pool.traffic);
    let config = config.with_lifetime(Duration::hours(2)).with_secure(true);
    let store = SessionStore::new(Some(pool), config).now_or_never();
    let Some(Ok(store)) = store else { unreachable!("the store is in memory") };
    let page = async |session: Session<Pool>| match session.get::<String>(KEY) {
        Some(user) => Ok(greet(&user)),
        None => Err(StatusCode::UNAUTHORIZED),
    };
    // Its layer spawns the purge of expired sessions, which is never due here.
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.unwrap_or_else(|error| unreachable!("no runtime: {error}"));
    let _guard = runtime.enter();
    let router = Router::new()
        .route("/me", get(page))
        .route("/sign-in", get(async |session: Session<Pool>| session.set(KEY, SUBJECT)))
        .layer(SessionLayer::new(store));
    super::app(name, traffic, router)
}

/// A database in memory.
#[derive(Clone, Debug, Default)]
struct Pool {
    rows: Arc<DashMap<String, (String, i64)>>,
    traffic: Arc<Traffic>,
}

#[async_trait]
impl DatabasePool for Pool {
    async fn initiate(&self, _: &str) -> Result<(), DatabaseError> {
        Ok(())
    }

    async fn count(&self, _: &str) -> Result<i64, DatabaseError> {
        self.traffic.read();
        Ok(i64::try_from(self.rows.len()).unwrap_or(i64::MAX))
    }

    async fn store(
        &self,
        id: &str,
        session: &str,
        expires: i64,
        _: &str,
    ) -> Result<(), DatabaseError> {
        self.traffic.write();
        self.rows.insert(id.into(), (session.into(), expires));
        Ok(())
    }

    async fn load(&self, id: &str, _: &str) -> Result<Option<String>, DatabaseError> {
        self.traffic.read();
        Ok(self.rows.get(id).map(|row| row.0.clone()))
    }

    async fn delete_one_by_id(&self, id: &str, _: &str) -> Result<(), DatabaseError> {
        self.traffic.write();
        self.rows.remove(id);
        Ok(())
    }

    async fn exists(&self, id: &str, _: &str) -> Result<bool, DatabaseError> {
        self.traffic.read();
        Ok(self.rows.contains_key(id))
    }

    /// Leaves them: nothing expires while this runs.
    async fn delete_by_expiry(&self, _: &str) -> Result<Vec<String>, DatabaseError> {
        Ok(Vec::new())
    }

    async fn delete_all(&self, _: &str) -> Result<(), DatabaseError> {
        self.traffic.write();
        self.rows.clear();
        Ok(())
    }

    async fn get_ids(&self, _: &str) -> Result<Vec<String>, DatabaseError> {
        self.traffic.read();
        Ok(self.rows.iter().map(|row| row.key().clone()).collect())
    }

    fn auto_handles_expiry(&self) -> bool {
        false
    }
}

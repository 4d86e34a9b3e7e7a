use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use tower_sessions::cookie::time::Duration;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::Result;
use tower_sessions::{Expiry, MemoryStore, Session, SessionManagerLayer, SessionStore};

use crate::app::{App, SUBJECT, greet};
use crate::traffic::Traffic;

const KEY: &str = "user";

/// A deadline that activity moves: with `always_save`, as otherwise only a
/// change of the session does.
pub(super) fn sliding(store: impl SessionStore + Clone, traffic: Arc<Traffic>) -> App {
    app("tower-sessions, sliding", store, traffic, true)
}

/// The cheapest that it can be: a deadline that nothing moves.
pub(super) fn read_only(store: impl SessionStore + Clone, traffic: Arc<Traffic>) -> App {
    app("tower-sessions, never extended", store, traffic, false)
}

fn app(
    name: &'static str,
    store: impl SessionStore + Clone,
    traffic: Arc<Traffic>,
    slides: bool,
) -> App {
    let layer = SessionManagerLayer::new(store)
        .with_always_save(slides)
        .with_expiry(Expiry::OnInactivity(Duration::hours(2)));
    let sign_in = async |session: Session| session.insert(KEY, SUBJECT).await.is_ok().to_string();
    let page = async |session: Session| match session.get::<String>(KEY).await {
        Ok(Some(user)) => Ok(greet(&user)),
        _ => Err(StatusCode::UNAUTHORIZED),
    };
    let router = Router::new().route("/me", get(page)).route("/sign-in", get(sign_in)).layer(layer);
    super::app(name, traffic, router)
}

/// A route that asks for no session, behind the layer.
pub(super) fn asks_for_nothing() -> App {
    let layer = SessionManagerLayer::new(MemoryStore::default());
    let router = Router::new().route("/me", get(async || greet(SUBJECT))).layer(layer);
    super::open("tower-sessions, no session asked", router)
}

/// Its `MemoryStore`, counted.
#[derive(Clone, Debug, Default)]
pub(super) struct CountedStore {
    store: MemoryStore,
    traffic: Arc<Traffic>,
}

impl CountedStore {
    pub(super) fn traffic(&self) -> Arc<Traffic> {
        Arc::clone(&self.traffic)
    }
}

#[async_trait]
impl SessionStore for CountedStore {
    async fn create(&self, record: &mut Record) -> Result<()> {
        self.traffic.write();
        self.store.create(record).await
    }

    async fn save(&self, record: &Record) -> Result<()> {
        self.traffic.write();
        self.store.save(record).await
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        self.traffic.read();
        self.store.load(id).await
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.traffic.write();
        self.store.delete(id).await
    }
}

use std::collections::HashMap;
use std::sync::Arc;

use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_web::cookie::time::Duration;
use anyhow::anyhow;
use dashmap::DashMap;

use crate::record::{now, random, token};
use crate::traffic::Traffic;

type State = HashMap<String, String>;

/// The store in memory that actix-session does not have: the sharded map of our
/// own, and no more work than its contract asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    rows: Arc<DashMap<String, (State, i64)>>,
    pub(super) traffic: Arc<Traffic>,
}

impl SessionStore for Memory {
    async fn load(&self, key: &SessionKey) -> Result<Option<State>, LoadError> {
        self.traffic.read();
        let row = self.rows.get(key.as_ref()).filter(|row| now() < row.1);
        Ok(row.map(|row| row.0.clone()))
    }

    async fn save(&self, state: State, ttl: &Duration) -> Result<SessionKey, SaveError> {
        self.traffic.write();
        let key = token(&random(), &random());
        self.rows.insert(key.clone(), (state, now() + ttl.whole_seconds()));
        key.try_into().map_err(|_| SaveError::Other(anyhow!("the key is too long")))
    }

    async fn update(
        &self,
        key: SessionKey,
        state: State,
        ttl: &Duration,
    ) -> Result<SessionKey, UpdateError> {
        self.traffic.write();
        let row = self.rows.get_mut(key.as_ref());
        let mut row = row.ok_or_else(|| UpdateError::Other(anyhow!("the session has ended")))?;
        *row = (state, now() + ttl.whole_seconds());
        drop(row);
        Ok(key)
    }

    async fn update_ttl(&self, key: &SessionKey, ttl: &Duration) -> Result<(), anyhow::Error> {
        self.traffic.write();
        if let Some(mut row) = self.rows.get_mut(key.as_ref()) {
            row.1 = now() + ttl.whole_seconds();
        }
        Ok(())
    }

    async fn delete(&self, key: &SessionKey) -> Result<(), anyhow::Error> {
        self.traffic.write();
        self.rows.remove(key.as_ref());
        Ok(())
    }
}

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join_all, try_join, try_join_all};
use redis::FromRedisValue;
use redis::aio::{ConnectionLike, ConnectionManager};
use session_policy::store::{SessionStore, StoreError, Update};
use session_policy::{Session, SessionId, Timestamp};

use crate::layout::{
    CONFIRMED_AT, FIELDS, Keys, PrefixError, SHARDS, Scripts, confirmation, fields_of, shard_of,
    text,
};
use crate::record;

/// A day.
const DEFAULT_GRACE: Duration = Duration::from_secs(86_400);
/// How many commands of one call are on their way together.
const BATCH: usize = 256;

/// Keeps sessions in Redis 6.2 or later, or in Valkey, alone or as a cluster.
///
/// `C` is a connection that may be cloned: [`ConnectionManager`], which connects
/// again by itself, or a `ClusterConnection`. Timeouts, retries, TLS and
/// credentials are that connection's.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use session_policy::{SessionPolicy, Sessions};
/// use session_policy_redis::RedisStore;
///
/// let client = redis::Client::open("redis://127.0.0.1:6379/")?;
/// let store = RedisStore::new(client.get_connection_manager().await?, "myapp")?;
/// let sessions = Sessions::new(store, SessionPolicy::WORKING_DAY);
/// let started = sessions.start("user-42").await?;
/// # drop(started);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisStore<C = ConnectionManager> {
    connection: C,
    keys: Keys,
    scripts: Arc<Scripts>,
    grace: u64,
}

impl<C> RedisStore<C> {
    /// A store over `connection` whose keys all begin with `prefix` and a colon.
    ///
    /// # Errors
    ///
    /// [`PrefixError`] if `prefix` is empty or has braces.
    pub fn new(connection: C, prefix: &str) -> Result<Self, PrefixError> {
        let keys = Keys::new(prefix)?;
        let scripts = Arc::new(Scripts::new());
        Ok(Self { connection, keys, scripts, grace: DEFAULT_GRACE.as_secs() })
    }

    /// The same store with another grace: how long after `expires_at` the engine
    /// drops a session that no sweep has removed. A day if not set; whole
    /// seconds, at least 60 s, of which less is rounded up.
    ///
    /// It is how far the engine's clock may be ahead of the application's
    /// without ending a session early. Longer costs memory only: whether a
    /// session lives is not the engine's to say.
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> Self {
        Self { grace: grace.as_secs().clamp(60, u64::from(u32::MAX)), ..self }
    }
}

impl<C: ConnectionLike + Clone + Send + Sync> RedisStore<C> {
    async fn run<T: FromRedisValue>(
        &self,
        call: &redis::ScriptInvocation<'_>,
    ) -> Result<T, StoreError> {
        call.invoke_async(&mut self.connection.clone()).await.map_err(StoreError::unavailable)
    }

    async fn query<T: FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, StoreError> {
        command.query_async(&mut self.connection.clone()).await.map_err(StoreError::unavailable)
    }

    /// Notes the session in its subject's index; until when the engine may keep
    /// it.
    async fn hint(&self, session: &Session) -> Result<i64, StoreError> {
        let key = self.keys.subject(session.subject().as_bytes());
        let cap = session.lifetime().absolute_expires_at().as_unix_secs();
        let mut call = self.scripts.hint.key(key);
        self.run(call.arg(session.id().to_string()).arg(cap).arg(self.grace)).await
    }

    /// Has the sweep look at a session at `at`, if it would look later.
    async fn look(&self, id: &SessionId, at: Timestamp) -> Result<(), StoreError> {
        let mut command = redis::cmd("ZADD");
        command.arg(self.keys.expiry(shard_of(id))).arg("LT");
        self.query(command.arg(at.as_unix_secs()).arg(id.to_string())).await
    }

    /// Drops the notes of sessions that have been removed. A note that stays
    /// behind is harmless, so an error is, too: the sessions are gone.
    async fn forget(&self, subject: &[u8], ids: &[SessionId]) {
        let mut notes = vec![(self.keys.subject(subject), ids.to_vec())];
        for shard in 0..SHARDS {
            let ids = ids.iter().copied().filter(|id| shard_of(id) == shard).collect();
            notes.push((self.keys.expiry(shard).into_bytes(), ids));
        }
        join_all(notes.into_iter().map(|(key, ids)| self.drop_notes(key, ids))).await;
    }

    async fn drop_notes(&self, key: Vec<u8>, ids: Vec<SessionId>) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut command = redis::cmd("ZREM");
        command.arg(key);
        for id in ids {
            command.arg(id.to_string());
        }
        self.query(&command).await
    }

    /// Removes a session, of this subject if one is given; its subject.
    async fn take(
        &self,
        id: &SessionId,
        subject: Option<&str>,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let mut call = self.scripts.remove.key(self.keys.session(id));
        self.run(call.arg(subject)).await
    }

    async fn ids_of(&self, subject: &str) -> Result<Vec<SessionId>, StoreError> {
        let mut command = redis::cmd("ZRANGE");
        command.arg(self.keys.subject(subject.as_bytes())).arg(0).arg(-1);
        let ids: Vec<String> = self.query(&command).await?;
        ids.iter().map(|id| id.parse().map_err(StoreError::corrupt)).collect()
    }

    /// Some ids that the sweep is to look at by `now`.
    async fn due(
        &self,
        shard: u8,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<SessionId>, StoreError> {
        let mut command = redis::cmd("ZRANGE");
        command.arg(self.keys.expiry(shard)).arg("-inf").arg(now.as_unix_secs());
        command.arg("BYSCORE").arg("LIMIT").arg(0).arg(limit);
        let ids: Vec<String> = self.query(&command).await?;
        ids.iter().map(|id| id.parse().map_err(StoreError::corrupt)).collect()
    }

    /// Removes a session if it has expired; how many that are. Its place in the
    /// index is set right.
    async fn sweep(&self, id: SessionId, now: Timestamp) -> Result<u64, StoreError> {
        let mut call = self.scripts.sweep.key(self.keys.session(id));
        let (found, text): (u8, Vec<u8>) = self.run(call.arg(now.as_unix_secs())).await?;
        match found {
            0 => {
                let key = self.keys.expiry(shard_of(&id)).into_bytes();
                // A note that stays would be due again, and the sweep would not end.
                self.drop_notes(key, vec![id]).await?;
                Ok(0)
            }
            1 => {
                self.forget(&text, &[id]).await;
                Ok(1)
            }
            _ => {
                let mut command = redis::cmd("ZADD");
                command.arg(self.keys.expiry(shard_of(&id))).arg("XX").arg(text);
                self.query::<()>(command.arg(id.to_string())).await?;
                Ok(0)
            }
        }
    }
}

impl<C> fmt::Debug for RedisStore<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("keys", &self.keys)
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}

impl<C: ConnectionLike + Clone + Send + Sync> SessionStore for RedisStore<C> {
    /// Notes the session in both indices, then creates it: a crash between leaves
    /// a note of nothing, never a session that [`remove_all`] does not find.
    ///
    /// [`remove_all`]: SessionStore::remove_all
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        let id = session.id();
        let expires_at = session.lifetime().expires_at();
        let (keep_until, ()) = try_join(self.hint(session), self.look(&id, expires_at)).await?;
        let mut call = self.scripts.create.key(self.keys.session(id));
        call.arg(expires_at.as_unix_secs()).arg(self.grace).arg(keep_until);
        let taken: Option<Vec<u8>> = self.run(call.arg(fields_of(session))).await?;
        match taken {
            None => Ok(()),
            Some(subject) => {
                if subject != session.subject().as_bytes() {
                    let key = self.keys.subject(session.subject().as_bytes());
                    let _ = self.drop_notes(key, vec![id]).await; // As harmless.
                }
                Err(StoreError::Conflict)
            }
        }
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        let mut command = redis::cmd("HMGET");
        command.arg(self.keys.session(id)).arg(&FIELDS).arg(CONFIRMED_AT);
        record::read(*id, self.query(&command).await?)
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        let Some(version) = update.expected_version().checked_add(1) else {
            return Ok(false);
        };
        let id = update.id();
        let renewed_at = update.renewed_at().as_unix_secs();
        let expires_at = update.expires_at().as_unix_secs();
        let mut call = self.scripts.update.key(self.keys.session(id));
        call.arg(expires_at).arg(self.grace).arg(update.expected_version());
        call.arg(update.at().as_unix_secs()).arg(renewed_at);
        for (field, value) in [
            ("version", text(version)),
            ("renewed_at", text(renewed_at)),
            ("expires_at", text(expires_at)),
            ("generation", text(update.generation())),
            (CONFIRMED_AT, confirmation(update.confirmed_at())),
        ] {
            call.arg(field).arg(value);
        }
        match self.run(&call).await? {
            0_u8 => Ok(false),
            1 => Ok(true),
            _ => {
                // If this fails, the session is swept later than it might be.
                let _ = self.look(&id, update.expires_at()).await;
                Ok(true)
            }
        }
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        let Some(subject) = self.take(id, None).await? else {
            return Ok(false);
        };
        self.forget(&subject, &[*id]).await;
        Ok(true)
    }

    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut removed = 0;
        while removed < u64::from(limit) {
            let left = usize::try_from(u64::from(limit) - removed).unwrap_or(BATCH);
            let due = (0..SHARDS).map(|shard| self.due(shard, now, left.min(BATCH)));
            let due: Vec<_> = try_join_all(due).await?.into_iter().flatten().collect();
            if due.is_empty() {
                break;
            }
            let sweeps = due.into_iter().take(left.min(BATCH)).map(|id| self.sweep(id, now));
            removed += try_join_all(sweeps).await?.into_iter().sum::<u64>();
        }
        Ok(removed)
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        let mut ids = self.ids_of(subject).await?;
        let mut missing_before = HashSet::new();
        loop {
            let mut sessions = Vec::new();
            for ids in ids.chunks(BATCH) {
                let loaded = try_join_all(ids.iter().map(|id| self.load(id))).await?;
                sessions.extend(loaded.into_iter().flatten());
            }
            let found: HashSet<_> = sessions.iter().map(Session::id).collect();
            let missing: HashSet<_> =
                ids.iter().copied().filter(|id| !found.contains(id)).collect();
            sessions.retain(|session| session.subject() == subject);
            if missing.is_empty() {
                return Ok(sessions);
            }
            // One that is missing has ended, or has been rotated: then its successor
            // has been noted by now, or is one that was missing as it came too soon.
            let noted = self.ids_of(subject).await?;
            let known = |id| found.contains(id) || missing.contains(id);
            if missing.is_subset(&missing_before) && noted.iter().all(known) {
                return Ok(sessions);
            }
            (ids, missing_before) = (noted, missing);
        }
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<u64, StoreError> {
        let mut removed = 0;
        loop {
            removed += self.remove_noted(subject, except).await?;
            // A rotation may have gone by: its successor is noted after the look
            // at the notes, and the old session removed before its turn.
            let left = self.list(subject).await?;
            if left.iter().all(|session| Some(&session.id()) == except) {
                return Ok(removed);
            }
        }
    }
}

impl<C: ConnectionLike + Clone + Send + Sync> RedisStore<C> {
    /// Ends as many as it can, also after an error.
    async fn remove_noted(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<u64, StoreError> {
        let mut ids = self.ids_of(subject).await?;
        ids.retain(|id| Some(id) != except);
        let mut removed = 0;
        let mut first_error = None;
        for ids in ids.chunks(BATCH) {
            let taken = join_all(ids.iter().map(|id| self.take(id, Some(subject)))).await;
            let mut gone = Vec::new();
            for (id, taken) in ids.iter().zip(taken) {
                match taken {
                    Ok(None) => {}
                    Ok(Some(_)) => gone.push(*id),
                    Err(error) => _ = first_error.get_or_insert(error),
                }
            }
            removed += gone.len() as u64;
            self.forget(subject.as_bytes(), &gone).await;
        }
        first_error.map_or(Ok(removed), Err)
    }
}

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join_all, try_join, try_join_all};
use redis::aio::{ConnectionLike, ConnectionManager};
use session_policy::store::{Removed, SessionStore, StoreError, Update};
use session_policy::{Session, SessionId, Timestamp};

use crate::layout::{Keys, Note, PrefixError, Scripts};
use crate::record::{self, FIELDS, changed};

const DAY: u64 = 86_400;
/// The retention of `Sessions`, and as much again for the sweep to come by.
const DEFAULT_GRACE: u64 = 2 * DAY;
/// How many commands of one call are on their way together.
pub(crate) const BATCH: usize = 256;

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
    pub(crate) connection: C,
    pub(crate) keys: Keys,
    pub(crate) scripts: Arc<Scripts>,
    pub(crate) grace: u64,
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
        Ok(Self { connection, keys, scripts, grace: DEFAULT_GRACE })
    }

    /// The same store with another grace: how long after `expires_at` the engine
    /// drops a session that no sweep has removed. Two days if not set; whole seconds,
    /// at least a day, of which less is rounded up.
    ///
    /// Set it longer than [`with_retention`] keeps what ended, which is a day if not
    /// set: what the engine drops by itself is no event, and no answer to "why was I
    /// signed out?". It is also how far the engine's clock may be ahead of the
    /// application's without ending a session early. Longer costs memory only: whether
    /// a session lives is not the engine's to say.
    ///
    /// [`with_retention`]: session_policy::Sessions::with_retention
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> Self {
        Self { grace: grace.as_secs().clamp(DAY, u64::from(u32::MAX)), ..self }
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
        let note = Note::new(session.id());
        let expires_at = session.lifetime().expires_at();
        let (keep_until, ()) =
            try_join(self.hint(&note, session), self.look(&note, expires_at)).await?;
        let mut call = self.scripts.create.key(self.keys.session(note.id));
        call.arg(note.nonce()).arg(expires_at.as_unix_secs()).arg(self.grace).arg(keep_until);
        for (field, value) in FIELDS.into_iter().zip(record::values(session)) {
            call.arg(field).arg(value);
        }
        let created: bool = self.run(&call).await?;
        if !created {
            self.forget(session.subject().as_bytes(), &[note]).await;
            return Err(StoreError::Conflict);
        }
        // A sweep may have come between, and dropped the note of nothing. If this fails,
        // the session is swept late.
        let _ = self.look(&note, expires_at).await;
        Ok(())
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        let mut command = redis::cmd("HMGET");
        command.arg(self.keys.session(id)).arg(&FIELDS);
        record::read(*id, self.query(&command).await?)
    }

    /// One that brings `expires_at` forward, which no renewal does, is noted before it
    /// is written, and again after, since a sweep may have come between.
    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        let Some(version) = update.expected_version().checked_add(1) else {
            return Ok(false);
        };
        let (id, expires_at) = (update.id(), update.expires_at());
        let mut noted = None;
        loop {
            let mut call = self.scripts.update.key(self.keys.session(id));
            call.arg(u8::from(noted.is_some())).arg(self.grace).arg(update.expected_version());
            call.arg(update.at().as_unix_secs()).arg(update.renewed_at().as_unix_secs());
            call.arg(expires_at.as_unix_secs());
            for (field, value) in changed(update, version) {
                call.arg(field).arg(value);
            }
            let answer: Vec<Vec<u8>> = self.run(&call).await?;
            match &answer[..] {
                [_, nonce] => {
                    let note = Note::of(id, nonce)?;
                    self.look(&note, expires_at).await?;
                    noted = Some(note);
                }
                [done] if done == b"1" => break,
                _ => return Ok(false),
            }
        }
        if let Some(note) = noted {
            // If this fails, the session is swept late.
            let _ = self.look(&note, expires_at).await;
        }
        Ok(true)
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        Ok(match self.take(id, None).await? {
            None => false,
            Some((subject, note)) => {
                self.forget(&subject, note.as_slice()).await;
                true
            }
        })
    }

    /// After an error, what was removed until then is told, and the next sweep meets
    /// the error again.
    async fn remove_expired(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Removed>, StoreError> {
        let mut removed = Vec::new();
        match self.sweep(before, limit as usize, &mut removed).await {
            Err(error) if removed.is_empty() => Err(error),
            _ => Ok(removed),
        }
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        let mut sessions = self.load_all(self.ids_of(subject).await?).await?;
        // An id may have been ended and taken by another subject since.
        sessions.retain(|session| session.subject() == subject);
        Ok(sessions)
    }

    /// Ends as many as it can, also after an error.
    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        let ids = self.ids_of(subject).await?;
        let ids: Vec<_> = ids.into_iter().filter(|id| Some(id) != except).collect();
        let mut removed = Vec::new();
        let mut first_error = None;
        for ids in ids.chunks(BATCH) {
            let taken = join_all(ids.iter().map(|id| self.take(id, Some(subject)))).await;
            let mut notes = Vec::new();
            for (id, taken) in ids.iter().zip(taken) {
                match taken {
                    Ok(None) => {}
                    Ok(Some((_, note))) => {
                        removed.push(*id);
                        notes.extend(note);
                    }
                    Err(error) => _ = first_error.get_or_insert(error),
                }
            }
            self.forget(subject.as_bytes(), &notes).await;
        }
        first_error.map_or(Ok(removed), Err)
    }
}

impl<C: ConnectionLike + Clone + Send + Sync> RedisStore<C> {
    /// The sessions of these ids that are there.
    pub(crate) async fn load_all(
        &self,
        ids: HashSet<SessionId>,
    ) -> Result<Vec<Session>, StoreError> {
        let ids: Vec<_> = ids.into_iter().collect();
        let mut sessions = Vec::new();
        for ids in ids.chunks(BATCH) {
            let loaded = try_join_all(ids.iter().map(|id| self.load(id))).await?;
            sessions.extend(loaded.into_iter().flatten());
        }
        Ok(sessions)
    }

    async fn ids_of(&self, subject: &str) -> Result<HashSet<SessionId>, StoreError> {
        Ok(self.notes_of(subject).await?.iter().map(|note| note.id).collect())
    }

    /// Removes a session, of this subject if one is given; its subject and its note.
    async fn take(
        &self,
        id: &SessionId,
        subject: Option<&str>,
    ) -> Result<Option<(Vec<u8>, Option<Note>)>, StoreError> {
        let mut call = self.scripts.remove.key(self.keys.session(id));
        let mut held: Vec<Vec<u8>> = self.run(call.arg(subject)).await?;
        // An unreadable session is removed like any other; its notes stay behind.
        let note = held.get(1).and_then(|nonce| Note::of(*id, nonce).ok());
        Ok((!held.is_empty()).then(|| (held.swap_remove(0), note)))
    }
}

//! The indices: notes of where to look, one too many rather than one too few.

use std::time::Duration;

use futures_util::future::join_all;
use redis::aio::ConnectionLike;
use redis::{Cmd, FromRedisValue, RedisResult, ScriptInvocation};
use session_policy::store::StoreError;
use session_policy::{Session, Timestamp};

use crate::layout::{Note, SHARDS, shard_of};
use crate::store::RedisStore;

/// The engine, or the way to it, is silent.
#[derive(Debug, thiserror::Error)]
#[error("no answer within {within:?}")]
struct NoAnswer {
    within: Duration,
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> RedisStore<C> {
    pub(crate) async fn run<T: FromRedisValue>(
        &self,
        call: &ScriptInvocation<'_>,
    ) -> Result<T, StoreError> {
        self.bounded(async {
            let (mut connection, watch) = self.link.line(self.time_limit).await?;
            watch.answered(call.invoke_async(&mut connection).await)
        })
        .await
    }

    pub(crate) async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        self.bounded(async {
            let (mut connection, watch) = self.link.line(self.time_limit).await?;
            watch.answered(command.query_async(&mut connection).await)
        })
        .await
    }

    async fn bounded<T>(
        &self,
        call: impl Future<Output = RedisResult<T>>,
    ) -> Result<T, StoreError> {
        match tokio::time::timeout(self.time_limit, call).await {
            Ok(answer) => answer.map_err(StoreError::unavailable),
            Err(_) => Err(StoreError::unavailable(NoAnswer { within: self.time_limit })),
        }
    }

    /// Notes the session in its subject's index; until when the engine may keep
    /// it.
    pub(crate) async fn hint(&self, note: &Note, session: &Session) -> Result<i64, StoreError> {
        let key = self.keys.subject(session.subject().as_bytes());
        let cap = session.lifetime().absolute_expires_at().as_unix_secs();
        let mut call = self.scripts.hint.key(key);
        self.run(call.arg(note.to_string()).arg(cap).arg(self.grace)).await
    }

    /// Has the sweep look at a session at `at`, if it would look later.
    pub(crate) async fn look(&self, note: &Note, at: Timestamp) -> Result<(), StoreError> {
        let mut command = redis::cmd("ZADD");
        command.arg(self.keys.expiry(shard_of(&note.id))).arg("LT");
        self.query(command.arg(at.as_unix_secs()).arg(note.to_string())).await
    }

    /// Drops the notes of sessions that have been removed. A note that stays
    /// behind is harmless, so an error is, too: the sessions are gone.
    pub(crate) async fn forget(&self, subject: &[u8], gone: &[Note]) {
        let mut notes = vec![(self.keys.subject(subject), gone.to_vec())];
        for shard in 0..SHARDS {
            let gone = gone.iter().copied().filter(|note| shard_of(&note.id) == shard).collect();
            notes.push((self.keys.expiry(shard).into_bytes(), gone));
        }
        join_all(notes.iter().map(|(key, notes)| self.drop_notes(key, notes))).await;
    }

    pub(crate) async fn drop_notes(&self, key: &[u8], notes: &[Note]) -> Result<(), StoreError> {
        if notes.is_empty() {
            return Ok(());
        }
        let mut command = redis::cmd("ZREM");
        command.arg(key);
        for note in notes {
            command.arg(note.to_string());
        }
        self.query(&command).await
    }

    pub(crate) async fn notes_of(&self, subject: &str) -> Result<Vec<Note>, StoreError> {
        let mut command = redis::cmd("ZRANGE");
        command.arg(self.keys.subject(subject.as_bytes())).arg(0).arg(-1);
        let notes: Vec<String> = self.query(&command).await?;
        notes.iter().map(|note| note.parse()).collect()
    }
}

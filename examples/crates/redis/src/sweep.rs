//! Removes what has expired.

use futures_util::future::{join_all, try_join_all};
use redis::aio::ConnectionLike;
use session_policy::Timestamp;
use session_policy::store::{Removed, StoreError};

use crate::layout::{Note, SHARDS, shard_of};
use crate::record::{instant, utf8};
use crate::store::RedisStore;
use crate::verbs::BATCH;

impl<C: ConnectionLike + Clone + Send + Sync + 'static> RedisStore<C> {
    /// Removes expired sessions into `removed`, until there are `limit` of them.
    pub(crate) async fn sweep(
        &self,
        before: Timestamp,
        limit: usize,
        removed: &mut Vec<Removed>,
    ) -> Result<(), StoreError> {
        while removed.len() < limit {
            let batch = (limit - removed.len()).min(BATCH);
            let due = (0..SHARDS).map(|shard| self.due(shard, before, batch));
            let due: Vec<_> = try_join_all(due).await?.into_iter().flatten().collect();
            if due.is_empty() {
                break;
            }
            let sweeps = due.into_iter().take(batch).map(|note| self.sweep_one(note, before));
            let mut first_error = None;
            for swept in join_all(sweeps).await {
                match swept {
                    Ok(swept) => removed.extend(swept),
                    Err(error) => _ = first_error.get_or_insert(error),
                }
            }
            first_error.map_or(Ok(()), Err)?;
        }
        Ok(())
    }

    /// Some notes that the sweep is to look at by `before`.
    async fn due(
        &self,
        shard: u8,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<Note>, StoreError> {
        let mut command = redis::cmd("ZRANGE");
        command.arg(self.keys.expiry(shard)).arg("-inf").arg(before.as_unix_secs());
        command.arg("BYSCORE").arg("LIMIT").arg(0).arg(limit);
        let notes: Vec<String> = self.query(&command).await?;
        notes.iter().map(|note| note.parse()).collect()
    }

    /// Removes a session if it has expired; otherwise its note is set right.
    async fn sweep_one(
        &self,
        note: Note,
        before: Timestamp,
    ) -> Result<Option<Removed>, StoreError> {
        let mut noted = None;
        loop {
            let mut call = self.scripts.sweep.key(self.keys.session(note.id));
            call.arg(note.nonce()).arg(before.as_unix_secs());
            let held: Vec<Vec<u8>> = self.run(&call).await?;
            match &held[..] {
                [expires_at, subject, profile, cap] => {
                    self.forget(subject, &[note]).await;
                    let (subject, profile) = (utf8(subject)?, utf8(profile)?);
                    let (expires_at, cap) = (instant(expires_at)?, instant(cap)?);
                    return Ok(Some(Removed::from_parts(
                        note.id, subject, profile, expires_at, cap,
                    )));
                }
                [expires_at, ..] => {
                    let expires_at = Some(instant(expires_at)?);
                    if noted == expires_at {
                        return Ok(None);
                    }
                    // An update may bring it forward before the note is moved, so that
                    // it is looked at once more.
                    noted = expires_at;
                    self.look_later(&note, expires_at).await?;
                }
                [] => {
                    let key = self.keys.expiry(shard_of(&note.id)).into_bytes();
                    // A note that stays would be due again, and the sweep would not end.
                    self.drop_notes(&key, &[note]).await?;
                    return Ok(None);
                }
            }
        }
    }

    async fn look_later(&self, note: &Note, at: Option<Timestamp>) -> Result<(), StoreError> {
        let Some(at) = at else { return Ok(()) };
        let mut command = redis::cmd("ZADD");
        command.arg(self.keys.expiry(shard_of(&note.id))).arg("XX").arg(at.as_unix_secs());
        self.query(command.arg(note.to_string())).await
    }
}

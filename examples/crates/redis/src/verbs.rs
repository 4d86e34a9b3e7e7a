//! The verbs of the contract.

use std::collections::HashSet;
use std::time::Instant;

use futures_util::future::{join_all, try_join, try_join_all};
use redis::aio::ConnectionLike;
use session_policy::store::{Removed, SessionStore, StoreError, Update};
use session_policy::{Session, SessionId, Timestamp};

use crate::layout::Note;
use crate::record::{self, FIELDS, changed};
use crate::store::RedisStore;

/// How many commands of one call are on their way together.
pub(crate) const BATCH: usize = 256;

impl<C: ConnectionLike + Clone + Send + Sync + 'static> SessionStore for RedisStore<C> {
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

    /// Ends as many as it can, also after an error, but begins nothing more once it has
    /// met an error and the time limit is over.
    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        let ids = self.ids_of(subject).await?;
        let ids: Vec<_> = ids.into_iter().filter(|id| Some(id) != except).collect();
        let mut removed = Vec::new();
        let mut first_error = None;
        let started = Instant::now();
        for ids in ids.chunks(BATCH) {
            if first_error.is_some() && started.elapsed() >= self.time_limit {
                break;
            }
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

impl<C: ConnectionLike + Clone + Send + Sync + 'static> RedisStore<C> {
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

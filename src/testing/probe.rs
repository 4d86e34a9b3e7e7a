use core::error::Error;
use core::fmt::Debug;
use core::iter::successors;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::report::Failure;
use crate::record::{Session, SessionId};
use crate::store::{SessionStore, StoreError, Update};
use crate::time::Timestamp;

/// What a check finds.
pub(super) type Verdict<T = ()> = Result<T, Failure>;

/// A store under check: its verbs, whose errors fail the check by name.
pub(super) struct Probe<S> {
    pub(super) store: S,
    /// Whether the engine may drop what its own clock says has expired.
    pub(super) engine_expires: bool,
}

impl<S> Probe<S> {
    pub(super) const fn new(store: S, engine_expires: bool) -> Self {
        Self { store, engine_expires }
    }
}

impl<S: SessionStore> Probe<S> {
    pub(super) async fn create(&self, session: &Session) -> Verdict {
        answer("create", self.store.create(session).await)
    }

    pub(super) async fn load(&self, id: SessionId) -> Verdict<Option<Session>> {
        answer("load", self.store.load(&id).await)
    }

    pub(super) async fn update(&self, update: &Update) -> Verdict<bool> {
        answer("update", self.store.update(update).await)
    }

    pub(super) async fn remove(&self, id: SessionId) -> Verdict<bool> {
        answer("remove", self.store.remove(&id).await)
    }

    pub(super) async fn sweep(&self, before: Timestamp, limit: u32) -> Verdict<u64> {
        let removed = answer("remove_expired", self.store.remove_expired(before, limit).await)?;
        Ok(removed.len() as u64)
    }

    /// The store must hold exactly this session under its id.
    pub(super) async fn holds(&self, what: &str, session: &Session) -> Verdict {
        expect(what, &Some(session.clone()), &self.load(session.id()).await?)
    }

    /// The store must hold no session of this id.
    pub(super) async fn lacks(&self, what: &str, id: SessionId) -> Verdict {
        expect(what, &None, &self.load(id).await?)
    }
}

impl<S: SessionStore> Probe<S> {
    /// The sessions of a subject, by id.
    pub(super) async fn list(&self, subject: &str) -> Verdict<Vec<Session>> {
        let mut sessions = answer("list", self.store.list(subject).await)?;
        sessions.sort_by_key(Session::id);
        Ok(sessions)
    }

    pub(super) async fn remove_all(
        &self,
        subject: &str,
        except: Option<SessionId>,
    ) -> Verdict<u64> {
        let removed = self.store.remove_all(subject, except.as_ref()).await;
        Ok(answer("remove_all", removed)?.len() as u64)
    }
}

/// Fails unless `seen` is `expected`; `what` says of what.
pub(super) fn expect<T: Debug + PartialEq>(what: &str, expected: &T, seen: &T) -> Verdict {
    if expected == seen {
        Ok(())
    } else {
        Err(Failure { expected: format!("{what}: {}", shown(expected)), seen: shown(seen) })
    }
}

/// Fails, with the answer that was seen.
pub(super) fn unexpected(what: &str, seen: &impl Debug) -> Failure {
    Failure { expected: what.to_string(), seen: shown(seen) }
}

fn answer<T>(verb: &str, answer: Result<T, StoreError>) -> Verdict<T> {
    answer.map_err(|error| {
        let first = format!("the error: {error}");
        let seen = successors(error.source(), |&cause| cause.source())
            .fold(first, |seen, cause| format!("{seen}: {cause}"));
        Failure { expected: format!("{verb} gives an answer"), seen }
    })
}

/// Cuts what would fill the screen, such as a text of 1 KiB.
fn shown(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    match text.char_indices().nth(1_000) {
        Some((end, _)) => format!("{}... ({} bytes)", &text[..end], text.len()),
        None => text,
    }
}

use core::error::Error;
use core::future::Future;
use core::iter::successors;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::boxed::Box;
use std::format;
use std::sync::Arc;
use std::vec::Vec;

use super::block::{self, sleep};
use super::call::{Answer, Call};
use super::differ::{expect_session, expect_sessions};
use super::report::{Failure, Verdict};
use super::settings::Settings;
use crate::record::{Session, SessionId};
use crate::store::{AnyStore, Cursor, Page, Removed, ScanStore, SessionStore, StoreError, Update};
use crate::time::Timestamp;

/// A check that is running.
pub(super) type Checking<'a, T = ()> = Pin<Box<dyn Future<Output = Verdict<T>> + Send + 'a>>;

/// A store under check: its verbs, whose errors fail the check by name.
#[derive(Clone)]
pub(super) struct Probe {
    pub(super) store: AnyStore,
    /// Another handle on the same store, or the same one.
    pub(super) other: AnyStore,
    pub(super) scans: Option<Arc<dyn Scans>>,
    pub(super) settings: Settings,
    /// Whether it may be called from threads of the kit's own.
    pub(super) on_threads: bool,
    /// What the store says of itself ([`SessionStore::NEVER_WAITS`]).
    pub(super) never_waits: bool,
    /// Set once the check has been given up.
    pub(super) given_up: Arc<AtomicBool>,
    /// How many calls were answered.
    pub(super) answered: Arc<AtomicU64>,
}

impl Probe {
    pub(super) fn new<S: SessionStore + 'static>(
        store: S,
        settings: Settings,
        on_threads: bool,
    ) -> Self {
        let (store, never_waits) = (AnyStore::new(store), S::NEVER_WAITS);
        let other = store.clone();
        let (given_up, answered) = Default::default();
        Self { store, other, scans: None, settings, on_threads, never_waits, given_up, answered }
    }

    /// The same store through its other handle.
    pub(super) fn turned(&self) -> Self {
        let (store, other) = (self.other.clone(), self.store.clone());
        Self { store, other, ..self.clone() }
    }

    /// The handle of caller number `n`.
    pub(super) const fn handle(&self, n: usize) -> &AnyStore {
        if n.is_multiple_of(2) { &self.store } else { &self.other }
    }

    pub(super) async fn create(&self, session: &Session) -> Verdict {
        self.answer("create", self.store.create(session).await)
    }

    pub(super) async fn create_all<'a>(
        &self,
        sessions: impl IntoIterator<Item = &'a Session>,
    ) -> Verdict {
        for session in sessions {
            self.create(session).await?;
        }
        Ok(())
    }

    pub(super) async fn load(&self, id: SessionId) -> Verdict<Option<Session>> {
        self.answer("load", self.store.load(&id).await)
    }

    pub(super) async fn update(&self, update: &Update) -> Verdict<bool> {
        self.answer("update", self.store.update(update).await)
    }

    pub(super) async fn remove(&self, id: SessionId) -> Verdict<bool> {
        self.answer("remove", self.store.remove(&id).await)
    }

    pub(super) async fn sweep(&self, before: Timestamp, limit: u32) -> Verdict<Vec<Removed>> {
        self.answer("remove_expired", self.store.remove_expired(before, limit).await)
    }

    pub(super) async fn list(&self, subject: &str) -> Verdict<Vec<Session>> {
        self.answer("list", self.store.list(subject).await)
    }

    pub(super) async fn remove_all(
        &self,
        subject: &str,
        except: Option<SessionId>,
    ) -> Verdict<Vec<SessionId>> {
        self.answer("remove_all", self.store.remove_all(subject, except.as_ref()).await)
    }

    pub(super) async fn scan(&self, from: Option<&Cursor>, limit: u32) -> Verdict<Page> {
        match &self.scans {
            Some(scans) => self.answer("scan", scans.scan(from, limit).await),
            None => Err(Failure::new("this store cannot be scanned")),
        }
    }

    /// What caller number `n` is told.
    pub(super) async fn call(&self, n: usize, call: &Call) -> Verdict<Answer> {
        let store = self.handle(n);
        match call {
            Call::Create(session) => {
                let created = match store.create(session).await {
                    Err(StoreError::Conflict) => Ok(false),
                    other => other.map(|()| true),
                };
                self.answer("create", created).map(Answer::Said)
            }
            Call::List(subject) => {
                self.answer("list", store.list(subject).await).map(Answer::Listed)
            }
            Call::Load(id) => self.answer("load", store.load(id).await).map(Answer::Found),
            Call::Remove(id) => self.answer("remove", store.remove(id).await).map(Answer::Said),
            Call::RemoveAll(subject, except) => {
                let removed = store.remove_all(subject, except.as_ref()).await;
                self.answer("remove_all", removed).map(Answer::Removed)
            }
            Call::Sweep(before, limit) => {
                let swept = store.remove_expired(*before, *limit).await;
                self.answer("remove_expired", swept).map(Answer::Swept)
            }
            Call::Update(update) => {
                self.answer("update", store.update(update).await).map(Answer::Said)
            }
        }
    }

    /// The store must hold exactly this session under its id, and list it.
    pub(super) async fn holds(&self, what: &str, session: &Session) -> Verdict {
        let seen = self.load(session.id()).await?;
        expect_session(what, Some(session), seen.as_ref())?;
        let listed = self.list(session.subject()).await?;
        let listed = listed.iter().find(|listed| listed.id() == session.id());
        expect_session(&format!("{what}, as listed"), Some(session), listed)
    }

    /// The store must hold no session of this id.
    pub(super) async fn lacks(&self, what: &str, id: SessionId) -> Verdict {
        expect_session(what, None, self.load(id).await?.as_ref())
    }

    /// The store must list exactly these sessions of the subject.
    pub(super) async fn lists(&self, what: &str, subject: &str, sessions: &[Session]) -> Verdict {
        expect_sessions(what, sessions, &self.list(subject).await?)
    }

    fn answer<T>(&self, verb: &str, answer: Result<T, StoreError>) -> Verdict<T> {
        self.answered.fetch_add(1, Ordering::Relaxed);
        answer.map_err(|error| refused(verb, &error))
    }

    /// Runs a call to its end on this thread, unless the check is given up.
    pub(super) fn block_on<T>(&self, future: impl Future<Output = Verdict<T>>) -> Verdict<T> {
        let given_up = || self.given_up.load(Ordering::Acquire);
        block::block_on(future, given_up)
            .unwrap_or_else(|| Err(Failure::new("the check was given up")))
    }

    /// Waits a little, for what a server may still be doing.
    pub(super) async fn wait(&self) {
        sleep(Duration::from_millis(20)).await;
    }
}

/// The object-safe twin of [`ScanStore`].
pub(super) trait Scans: Send + Sync {
    fn scan<'a>(
        &'a self,
        from: Option<&'a Cursor>,
        limit: u32,
    ) -> Pin<Box<dyn Future<Output = Result<Page, StoreError>> + Send + 'a>>;
}

impl<S: ScanStore> Scans for S {
    fn scan<'a>(
        &'a self,
        from: Option<&'a Cursor>,
        limit: u32,
    ) -> Pin<Box<dyn Future<Output = Result<Page, StoreError>> + Send + 'a>> {
        Box::pin(ScanStore::scan(self, from, limit))
    }
}

fn refused(verb: &str, error: &StoreError) -> Failure {
    let causes = successors(error.source(), |&cause| cause.source())
        .fold(format!("{error}"), |seen, cause| format!("{seen}: {cause}"));
    Failure::new(format!("{verb} gives no answer but the error: {causes}"))
}

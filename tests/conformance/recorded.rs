//! What the kit does: its calls, in their order, and which of them it drops.
//!
//! The numbers rest on more than the kit: on the texts that `Debug` gives, and, of ids and
//! subjects that are alike by the standard hash, on that.

use std::fmt::Write as _;
use std::future::pending;
use std::sync::{Arc, Mutex};

use session_policy::store::{Cursor, Page, Removed, ScanStore, SessionStore, StoreError, Update};
use session_policy::{Session, SessionId, Timestamp};
use sha2::{Digest, Sha256};

use crate::faults::Fault;
use crate::planted::Planted;

/// A handle on a right store whose calls wait, which notes what it is asked.
pub(super) struct Recorded {
    store: Planted,
    handle: char,
    /// Whether a load is never answered.
    is_away: bool,
    calls: Arc<Mutex<Calls>>,
}

/// How often each verb was called, and everything about it in one number.
#[derive(Default)]
pub(super) struct Calls {
    counts: [u32; VERBS.len()],
    text: String,
    digest: Sha256,
}

const VERBS: [&str; 8] =
    ["create", "load", "update", "remove", "remove_expired", "list", "remove_all", "scan"];

impl Calls {
    fn note(&mut self) {
        self.digest.update(&self.text);
        self.text.clear();
    }
}

impl Recorded {
    /// An empty store, whose calls become the last of `all`. One that is away shows the kit,
    /// as its first store, that it waits for a server: then the kit calls from no threads,
    /// whose order would be another each time.
    pub(super) fn new(all: &Mutex<Vec<Arc<Mutex<Calls>>>>, is_away: bool) -> Self {
        let calls = Arc::<Mutex<Calls>>::default();
        all.lock().unwrap().push(calls.clone());
        Self { store: Planted::new(Fault::None, true), handle: '1', is_away, calls }
    }

    pub(super) fn another(&self) -> Self {
        let (calls, is_away) = (self.calls.clone(), self.is_away);
        Self { store: self.store.another(), handle: '2', is_away, calls }
    }

    async fn noted<T>(
        &self,
        verb: &str,
        about: impl FnOnce(&mut String),
        answer: impl Future<Output = T>,
    ) -> T {
        let number = {
            let mut calls = self.calls.lock().unwrap();
            let verb = VERBS.iter().position(|known| *known == verb).unwrap();
            calls.counts[verb] += 1;
            let number: u32 = calls.counts.iter().sum();
            let Calls { text, .. } = &mut *calls;
            write!(text, "{number} {verb} {} ", self.handle).unwrap();
            about(text);
            calls.note();
            number
        };
        let answer = answer.await;
        let mut calls = self.calls.lock().unwrap();
        write!(calls.text, "{number} done ").unwrap();
        calls.note();
        answer
    }
}

/// One line of the table.
pub(super) fn line(calls: &Mutex<Calls>, name: &str) -> String {
    let calls = calls.lock().unwrap();
    let mut line = format!("{name} |");
    for (verb, count) in VERBS.iter().zip(calls.counts).filter(|(_, count)| *count > 0) {
        write!(line, " {verb} {count},").unwrap();
    }
    line.push(' ');
    bytes(&mut line, &calls.digest.clone().finalize()[..8]);
    line.push('\n');
    line
}

fn bytes(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        write!(text, "{byte:02x}").unwrap();
    }
}

impl SessionStore for Recorded {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        let about = |text: &mut String| {
            bytes(text, session.secret().as_bytes());
            write!(text, "{session:?}").unwrap();
        };
        self.noted("create", about, self.store.create(session)).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        let about = |text: &mut String| bytes(text, id.as_bytes());
        let answer = async {
            if self.is_away {
                pending::<()>().await;
            }
            self.store.load(id).await
        };
        self.noted("load", about, answer).await
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        let about = |text: &mut String| {
            bytes(text, update.secret().as_bytes());
            write!(text, "{update:?}").unwrap();
        };
        self.noted("update", about, self.store.update(update)).await
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        let about = |text: &mut String| bytes(text, id.as_bytes());
        self.noted("remove", about, self.store.remove(id)).await
    }

    async fn remove_expired(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Removed>, StoreError> {
        let about = |text: &mut String| write!(text, "{before} {limit}").unwrap();
        self.noted("remove_expired", about, self.store.remove_expired(before, limit)).await
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        let about = |text: &mut String| text.push_str(subject);
        self.noted("list", about, self.store.list(subject)).await
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        let about = |text: &mut String| {
            bytes(text, except.map_or(&[], |id| id.as_bytes()));
            text.push_str(subject);
        };
        self.noted("remove_all", about, self.store.remove_all(subject, except)).await
    }
}

impl ScanStore for Recorded {
    async fn scan(&self, from: Option<&Cursor>, limit: u32) -> Result<Page, StoreError> {
        let about = |text: &mut String| {
            bytes(text, from.map_or(&[], Cursor::as_bytes));
            write!(text, " {limit}").unwrap();
        };
        self.noted("scan", about, self.store.scan(from, limit)).await
    }
}

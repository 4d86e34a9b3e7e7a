//! What is known of each session, and of each token that was handed out for it.

use std::collections::HashMap;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64};
use std::sync::{Arc, Mutex};

use session_policy::{Session, SessionId, SessionToken, Started, Timestamp};

use crate::report::{NO_CAP_MOVED, NO_RESURRECTION, NO_TORN_READ, NO_WRITE_LOST, lock};

/// One session, whatever token opens it.
#[derive(Debug)]
pub(crate) struct Row {
    /// As at its start.
    pub(crate) session: Session,
    /// Someone has begun to end it, or a call that may have ended it failed.
    pub(crate) ending: AtomicBool,
    /// A call that ended it has finished.
    pub(crate) ended: AtomicBool,
    /// A caller was told that it removed it.
    pub(crate) removed: AtomicBool,
    /// The greatest that a finished call has seen.
    expires_at: AtomicI64,
    version: AtomicU64,
    /// The record that was first seen at each version.
    records: Mutex<HashMap<u64, Session>>,
}

impl Row {
    fn new(session: Session) -> Self {
        Self {
            expires_at: AtomicI64::new(session.lifetime().expires_at().as_unix_secs()),
            version: AtomicU64::new(session.version()),
            records: Mutex::new(HashMap::from([(session.version(), session.clone())])),
            session,
            ending: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            removed: AtomicBool::new(false),
        }
    }

    pub(crate) fn id(&self) -> SessionId {
        self.session.id()
    }

    pub(crate) fn seen(&self) -> Seen {
        Seen {
            expires_at: self.expires_at.load(SeqCst),
            version: self.version.load(SeqCst),
            ended: self.ended.load(SeqCst),
        }
    }

    /// Whether a call that is over by `now` must have found the session: nobody
    /// ends it, and a call that had finished `before` has seen it live longer.
    pub(crate) fn must_live(&self, before: &Seen, now: Timestamp) -> bool {
        !self.ending.load(SeqCst) && now.as_unix_secs() < before.expires_at
    }

    /// Takes note of a record that a call has returned, if that `binds` later calls; what is
    /// wrong with it.
    pub(crate) fn observe(&self, before: &Seen, session: &Session, binds: bool) -> Vec<Wrong> {
        let mut wrong = Vec::new();
        let id = self.id();
        if never_changes(&self.session) != never_changes(session) {
            wrong.push((NO_CAP_MOVED, format!("{id} became {session:?}")));
        }
        if before.ended {
            wrong.push((NO_RESURRECTION, format!("{id} was found after it was ended")));
        }
        let version = session.version();
        if version < before.version {
            let then = before.version;
            wrong.push((NO_WRITE_LOST, format!("{id} was at version {version} after {then}")));
        }
        // What is at a version is written at once, and never again.
        let mut records = lock(&self.records);
        if binds {
            records.entry(version).or_insert_with(|| session.clone());
            self.version.fetch_max(version, SeqCst);
            self.expires_at.fetch_max(session.lifetime().expires_at().as_unix_secs(), SeqCst);
        }
        if let Some(first) = records.get(&version).filter(|first| *first != session) {
            let sentence = format!("{id} at version {version} was {first:?} and {session:?}");
            wrong.push((NO_TORN_READ, sentence));
        }
        wrong
    }
}

/// What no update changes.
fn never_changes(session: &Session) -> impl PartialEq + use<> {
    let lifetime = session.lifetime();
    let texts = [session.subject(), session.profile(), session.about().unwrap_or_default()];
    (
        session.id(),
        texts.map(str::to_owned),
        (session.epoch(), session.ordinal()),
        (lifetime.created_at(), lifetime.absolute_expires_at()),
    )
}

/// A rule that was broken, and how.
pub(crate) type Wrong = (&'static str, String);

/// What was known when a call began.
#[derive(Debug)]
pub(crate) struct Seen {
    expires_at: i64,
    version: u64,
    ended: bool,
}

/// A token that a client was given: the first of its session, or that of a rotation.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) token: SessionToken,
    pub(crate) row: Arc<Row>,
    /// How many have begun to rotate it away, and were not told that they did not.
    pub(crate) rotating: AtomicU32,
    /// A rotation of it has finished.
    pub(crate) rotated: AtomicBool,
    /// A client has been told to replace it in its place.
    pub(crate) replaced: AtomicBool,
}

impl Issued {
    pub(crate) fn id(&self) -> SessionId {
        self.row.id()
    }

    /// As of the session's row, while nobody rotates the token.
    pub(crate) fn must_live(&self, before: &Seen, now: Timestamp) -> bool {
        self.rotating.load(SeqCst) == 0 && self.row.must_live(before, now)
    }
}

/// The sessions of one subject.
#[derive(Debug, Default)]
pub(crate) struct Subject {
    pub(crate) name: String,
    /// All that were ever started.
    rows: Mutex<Vec<Arc<Row>>>,
    /// All that were ever handed out.
    issued: Mutex<Vec<Arc<Issued>>>,
    /// How many logouts everywhere have begun, and how many have finished.
    begun: AtomicU64,
    finished: AtomicU64,
}

impl Subject {
    pub(crate) fn new(name: String) -> Self {
        Self { name, ..Self::default() }
    }

    /// To be called before a session is started.
    pub(crate) fn before_start(&self) -> u64 {
        self.finished.load(SeqCst)
    }

    /// Registers a session. One that overlapped a logout everywhere may or may
    /// not have been ended by it.
    pub(crate) fn register(&self, started: Started, before_start: u64) -> Arc<Issued> {
        let row = Arc::new(Row::new(started.session));
        lock(&self.rows).push(Arc::clone(&row));
        if self.begun.load(SeqCst) != before_start {
            row.ending.store(true, SeqCst);
        }
        self.issue(started.token, row)
    }

    /// Registers another token of a session.
    pub(crate) fn issue(&self, token: SessionToken, row: Arc<Row>) -> Arc<Issued> {
        let issued = Arc::new(Issued {
            token,
            row,
            rotating: AtomicU32::new(0),
            rotated: AtomicBool::new(false),
            replaced: AtomicBool::new(false),
        });
        lock(&self.issued).push(Arc::clone(&issued));
        issued
    }

    /// To be called before a logout everywhere: the sessions that it must end.
    pub(crate) fn before_end_all(&self) -> Vec<Arc<Row>> {
        self.begun.fetch_add(1, SeqCst);
        let rows = self.rows();
        for row in &rows {
            row.ending.store(true, SeqCst);
        }
        rows
    }

    pub(crate) fn after_end_all(&self) {
        self.finished.fetch_add(1, SeqCst);
    }

    pub(crate) fn rows(&self) -> Vec<Arc<Row>> {
        lock(&self.rows).clone()
    }

    pub(crate) fn issued(&self) -> Vec<Arc<Issued>> {
        lock(&self.issued).clone()
    }
}

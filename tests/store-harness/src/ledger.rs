//! What is known of each session that was handed out.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64};
use std::sync::{Arc, Mutex};

use session_policy::{Lifetime, Session, SessionToken, Started, Timestamp};

use crate::report::{NO_CAP_MOVED, NO_RESURRECTION, NO_WRITE_LOST, ONE_WINNER, lock};

/// A session that a client was given.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) token: SessionToken,
    /// As at its start.
    pub(crate) session: Session,
    /// Someone has begun to end it, or a call that may have ended it failed.
    pub(crate) ending: AtomicBool,
    /// A call that ended it has finished.
    pub(crate) ended: AtomicBool,
    /// It was removed by `end`, or by a rotation that succeeded.
    pub(crate) removed: AtomicBool,
    /// A client has been told to replace it in its place.
    pub(crate) replaced: AtomicBool,
    /// The greatest that a finished call has seen.
    expires_at: AtomicI64,
    version: AtomicU64,
    /// Versions that a renewal has made.
    won: Mutex<Vec<u64>>,
}

impl Issued {
    pub(crate) fn new(started: Started) -> Self {
        let Started { token, session, .. } = started;
        Self {
            expires_at: AtomicI64::new(session.lifetime().expires_at().as_unix_secs()),
            version: AtomicU64::new(session.version()),
            token,
            session,
            ending: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            removed: AtomicBool::new(false),
            replaced: AtomicBool::new(false),
            won: Mutex::default(),
        }
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

    pub(crate) fn end(&self) {
        self.ended.store(true, SeqCst);
    }

    /// Takes note of a record that a call has returned; what is wrong with it.
    pub(crate) fn observe(&self, before: &Seen, session: &Session, renewed: bool) -> Vec<Wrong> {
        let mut wrong = Vec::new();
        let id = self.session.id();
        let unmoved = |session: &Session| {
            let lifetime: &Lifetime = session.lifetime();
            let parts = (lifetime.created_at(), lifetime.absolute_expires_at());
            (parts, session.subject().to_owned(), session.profile().to_owned(), session.id())
        };
        if unmoved(&self.session) != unmoved(session) {
            wrong.push((NO_CAP_MOVED, format!("{id} became {session:?}")));
        }
        if before.ended {
            wrong.push((NO_RESURRECTION, format!("{id} was served after it was ended")));
        }
        if session.version() < before.version {
            let (now, then) = (session.version(), before.version);
            wrong.push((NO_WRITE_LOST, format!("{id} was at version {now} after {then}")));
        }
        if renewed {
            let mut won = lock(&self.won);
            if won.contains(&session.version()) {
                let version = session.version();
                wrong.push((ONE_WINNER, format!("{id}: version {version} was won twice")));
            }
            won.push(session.version());
        }
        self.version.fetch_max(session.version(), SeqCst);
        self.expires_at.fetch_max(session.lifetime().expires_at().as_unix_secs(), SeqCst);
        wrong
    }
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

/// The sessions of one subject.
#[derive(Debug, Default)]
pub(crate) struct Subject {
    pub(crate) name: String,
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
        let issued = Arc::new(Issued::new(started));
        lock(&self.issued).push(Arc::clone(&issued));
        if self.begun.load(SeqCst) != before_start {
            issued.ending.store(true, SeqCst);
        }
        issued
    }

    /// To be called before a logout everywhere: the sessions that it must end.
    pub(crate) fn before_end_all(&self) -> Vec<Arc<Issued>> {
        self.begun.fetch_add(1, SeqCst);
        let issued = lock(&self.issued).clone();
        for issued in &issued {
            issued.ending.store(true, SeqCst);
        }
        issued
    }

    pub(crate) fn after_end_all(&self) {
        self.finished.fetch_add(1, SeqCst);
    }

    pub(crate) fn all(&self) -> Vec<Arc<Issued>> {
        lock(&self.issued).clone()
    }
}

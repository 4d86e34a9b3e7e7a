use session_policy::{Event, Observer, SessionId};
use tokio::sync::Mutex;
use tokio::sync::broadcast::{Receiver, Sender};

/// How many events a stream may be behind; one that is further behind looks, too.
const BACKLOG: usize = 256;

/// Wakes the event streams of a session when something happens to it in this process, so
/// that they look at once and need not wait for their next look.
#[derive(Clone, Debug)]
pub(crate) struct Changes(Sender<SessionId>);

impl Default for Changes {
    fn default() -> Self {
        Self(Sender::new(BACKLOG))
    }
}

impl Observer for Changes {
    fn observe(&self, event: &Event<'_>) {
        // What a forged token names is nobody's change.
        if let Some(session) = event.session.filter(|_| !event.unproven) {
            // An error only says that no stream is open.
            let _ = self.0.send(session);
        }
    }
}

impl Changes {
    pub(crate) fn of(&self, session: SessionId) -> ChangesOf {
        ChangesOf { session, all: Mutex::new(self.0.subscribe()) }
    }
}

/// The changes of one session.
#[derive(Debug)]
pub(crate) struct ChangesOf {
    session: SessionId,
    all: Mutex<Receiver<SessionId>>,
}

impl ChangesOf {
    pub(crate) async fn next(&self) {
        let mut all = self.all.lock().await;
        while all.recv().await.is_ok_and(|session| session != self.session) {}
    }
}

use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use session_policy::store::SessionStore;
use session_policy::{AuthenticateError, Clock, RenewalOutcome, RotateError, SessionId};
use tokio::time::sleep;

use crate::ledger::{Issued, Subject};
use crate::load::Shared;
use crate::report::{NO_CAP_MOVED, NO_RESURRECTION, NO_SESSION_LOST, ONE_WINNER, count};

/// Where a client finds a session to use: a browser of a subject's.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) subject: Arc<Subject>,
    pub(crate) current: RwLock<Option<Arc<Issued>>>,
}

impl Place {
    fn current(&self) -> Option<Arc<Issued>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, issued: Arc<Issued>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(issued);
    }
}

pub(crate) struct Client<S> {
    shared: Arc<Shared<S>>,
    random: fastrand::Rng,
    /// The last that this client found to be replaced.
    last_ended: Option<SessionId>,
}

impl<S: SessionStore + 'static> Client<S> {
    pub(crate) fn new(shared: Arc<Shared<S>>, seed: u64) -> Self {
        Self { shared, random: fastrand::Rng::with_seed(seed), last_ended: None }
    }

    pub(crate) async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        // Where all clients share few sessions, these must live for a while.
        let rarely = if shared.places.len() < 32 { 5_000 } else { 1_000 };
        loop {
            let place = &shared.places[self.random.usize(..shared.places.len())];
            let current = place.current();
            if current.as_ref().is_some_and(|issued| self.waits_for_successor(issued)) {
                if shared.is_over() {
                    return;
                }
                sleep(Duration::from_micros(100)).await;
                continue;
            }
            if !shared.next() {
                return;
            }
            let Some(issued) = current else {
                let _ = self.start(place).await;
                continue;
            };
            match self.random.u32(..rarely) {
                0..20 => self.end(place, &issued).await,
                20..50 => self.rotate(place, &issued).await,
                50..53 => self.end_all(place).await,
                53..60 => self.sweep().await,
                60..100 => self.ask(place, &issued, true).await,
                _ => self.ask(place, &issued, false).await,
            }
        }
    }

    /// Whether a client that has been at a session since it ended now waits for
    /// its successor, so that the load is not of refusals alone.
    fn waits_for_successor(&mut self, issued: &Issued) -> bool {
        let id = issued.session.id();
        issued.replaced.load(SeqCst) && self.last_ended.replace(id) == Some(id)
    }

    /// Whether the place has a new session.
    async fn start(&self, place: &Place) -> bool {
        let before = place.subject.before_start();
        match self.shared.sessions.start(place.subject.name.as_str()).await {
            Ok(started) => {
                count(&self.shared.tally.started);
                place.set(place.subject.register(started, before));
                true
            }
            Err(error) => {
                self.shared.start_failed(&error);
                false
            }
        }
    }

    /// Starts another session in the place of one that ended: the first to find
    /// out does.
    async fn replace(&self, place: &Place, issued: &Issued) {
        if !issued.replaced.swap(true, SeqCst) && self.shared.next() && !self.start(place).await {
            issued.replaced.store(false, SeqCst);
        }
    }

    /// A request, which counts as activity or does not.
    async fn ask(&self, place: &Place, issued: &Issued, peek: bool) {
        let tally = &self.shared.tally;
        let before = issued.seen();
        let clock_before = self.shared.clock.now();
        let answer = if peek {
            self.shared.sessions.peek(issued.token.expose()).await
        } else {
            self.shared.sessions.authenticate(issued.token.expose()).await
        };
        let must_live = issued.must_live(&before, self.shared.clock.now());
        match answer {
            Ok(authenticated) => {
                count(&tally.served);
                let renewed = match authenticated.renewal {
                    RenewalOutcome::Renewed => {
                        count(&tally.renewed);
                        true
                    }
                    RenewalOutcome::Superseded => {
                        count(&tally.superseded);
                        false
                    }
                    RenewalOutcome::Deferred(error) => {
                        count(&tally.deferred);
                        tally.error("renew", &*error);
                        false
                    }
                    RenewalOutcome::NoGain | RenewalOutcome::NotDue => false,
                };
                self.shared.note(issued.observe(&before, &authenticated.session, renewed));
                let cap = issued.session.lifetime().absolute_expires_at();
                if clock_before >= cap {
                    let id = issued.session.id();
                    tally.violation(NO_CAP_MOVED, || {
                        format!("{id} was served at {clock_before}, past {cap}")
                    });
                }
            }
            Err(AuthenticateError::Store(error)) => tally.error("authenticate", &error),
            Err(error) => {
                self.shared.refused();
                if must_live {
                    let id = issued.session.id();
                    tally.violation(NO_SESSION_LOST, || {
                        format!("{id} lives and was refused: {error}")
                    });
                }
                self.replace(place, issued).await;
            }
        }
    }

    async fn end(&self, place: &Place, issued: &Issued) {
        issued.ending.store(true, SeqCst);
        match self.shared.sessions.end(&issued.session.id()).await {
            Ok(removed) => {
                issued.end();
                if removed {
                    count(&self.shared.tally.ended);
                    self.removed(issued);
                }
                self.replace(place, issued).await;
            }
            Err(error) => self.shared.tally.error("end", &error),
        }
    }

    async fn rotate(&self, place: &Place, issued: &Issued) {
        // The record that this client holds may be old, as a request's is.
        let Ok(found) = self.shared.sessions.peek(issued.token.expose()).await else {
            return;
        };
        let before = place.subject.before_start();
        let was_ended = issued.ended.load(SeqCst);
        issued.ending.store(true, SeqCst);
        match self.shared.sessions.rotate(&found.session).await {
            Ok(started) => {
                count(&self.shared.tally.rotated);
                let (old, new) = (issued.session.lifetime(), started.session.lifetime());
                if (old.created_at(), old.absolute_expires_at())
                    != (new.created_at(), new.absolute_expires_at())
                {
                    let id = issued.session.id();
                    self.shared.tally.violation(NO_CAP_MOVED, || format!("{id} was rotated"));
                }
                if was_ended {
                    let id = issued.session.id();
                    self.shared
                        .tally
                        .violation(NO_RESURRECTION, || format!("{id} was rotated after its end"));
                }
                issued.end();
                self.removed(issued);
                let successor = place.subject.register(started, before);
                if !issued.replaced.swap(true, SeqCst) {
                    place.set(successor);
                }
            }
            Err(RotateError::Rejected { .. } | RotateError::Unknown) => {
                self.shared.refused();
                self.replace(place, issued).await;
            }
            Err(error) => self.shared.tally.error("rotate", &error),
        }
    }

    /// Of all that remove a session, one is told that it did.
    fn removed(&self, issued: &Issued) {
        if issued.removed.swap(true, SeqCst) {
            let id = issued.session.id();
            self.shared.tally.violation(ONE_WINNER, || format!("{id} was removed twice"));
        }
    }

    async fn end_all(&self, place: &Place) {
        let doomed = place.subject.before_end_all();
        match self.shared.sessions.end_all(&place.subject.name).await {
            Ok(_) => {
                count(&self.shared.tally.ended_all);
                for issued in &doomed {
                    issued.end();
                }
            }
            Err(error) => self.shared.tally.error("end_all", &error),
        }
        place.subject.after_end_all();
    }

    async fn sweep(&self) {
        match self.shared.sessions.sweep(100).await {
            Ok(swept) => {
                self.shared.tally.swept.fetch_add(swept, SeqCst);
            }
            Err(error) => self.shared.tally.error("sweep", &error),
        }
    }
}

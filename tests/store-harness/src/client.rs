use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use session_policy::store::SessionStore;
use session_policy::{AuthenticateError, Clock, RenewalOutcome, RotateError, SessionId};
use tokio::time::sleep;

use crate::ledger::{Issued, Subject};
use crate::load::Shared;
use crate::report::{NO_CAP_MOVED, NO_SESSION_LOST, ONE_WINNER, count};

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
    pub(crate) shared: Arc<Shared<S>>,
    random: fastrand::Rng,
    /// The last that this client found to be replaced.
    last_replaced: Option<Arc<Issued>>,
}

impl<S: SessionStore + 'static> Client<S> {
    pub(crate) fn new(shared: Arc<Shared<S>>, seed: u64) -> Self {
        Self { shared, random: fastrand::Rng::with_seed(seed), last_replaced: None }
    }

    pub(crate) async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        // Where all clients share few sessions, these must live for a while.
        let rarely = if shared.places.len() < 32 { 5_000 } else { 1_000 };
        loop {
            let place = &shared.places[self.random.usize(..shared.places.len())];
            let current = place.current();
            if current.as_ref().is_some_and(|issued| self.waits_for_another(issued)) {
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
                100..105 => {
                    let id = self.random.u128(..).to_be_bytes();
                    self.claim(SessionId::from_bytes(id)).await;
                }
                105..145 => self.look(&issued).await,
                145..155 => self.look_at_all(&place.subject).await,
                _ => self.ask(place, &issued, false).await,
            }
        }
    }

    /// Whether a client that has used a token since it was replaced now waits for
    /// the one in its place, so that the load is not of refusals alone.
    fn waits_for_another(&mut self, issued: &Arc<Issued>) -> bool {
        issued.replaced.load(SeqCst)
            && self
                .last_replaced
                .replace(Arc::clone(issued))
                .is_some_and(|last| Arc::ptr_eq(&last, issued))
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
        let (before, was_rotated) = (issued.row.seen(), issued.rotated.load(SeqCst));
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
                let wrote = matches!(authenticated.renewal, RenewalOutcome::Renewed);
                let binds = wrote || self.shared.reads_bind;
                self.shared.note(issued.row.observe(&before, &authenticated.session, binds));
                match authenticated.renewal {
                    RenewalOutcome::Renewed => count(&tally.renewed),
                    RenewalOutcome::Superseded => count(&tally.superseded),
                    RenewalOutcome::Deferred(error) => {
                        count(&tally.deferred);
                        tally.error("renew", &*error);
                    }
                    RenewalOutcome::NotDue => {}
                }
                let id = issued.id();
                if was_rotated {
                    self.shared.rotated_away(id);
                }
                let cap = issued.row.session.lifetime().absolute_expires_at();
                if clock_before >= cap {
                    tally.violation(NO_CAP_MOVED, || {
                        format!("{id} was served at {clock_before}, past {cap}")
                    });
                }
            }
            Err(AuthenticateError::Store(error)) => tally.error("authenticate", &error),
            Err(error) => {
                self.shared.refused();
                if must_live {
                    let id = issued.id();
                    tally.violation(NO_SESSION_LOST, || {
                        format!("{id} lives and was refused: {error}")
                    });
                }
                if issued.rotating.load(SeqCst) > 0 {
                    // Another client is about to have the new token.
                    sleep(Duration::from_millis(1)).await;
                }
                self.replace(place, issued).await;
            }
        }
    }

    async fn end(&self, place: &Place, issued: &Issued) {
        let row = &issued.row;
        row.ending.store(true, SeqCst);
        match self.shared.sessions.end(&row.id()).await {
            Ok(removed) => {
                row.ended.store(true, SeqCst);
                if removed {
                    count(&self.shared.tally.ended);
                }
                // Of all that remove a session, one is told that it did.
                if removed && row.removed.swap(true, SeqCst) {
                    let id = row.id();
                    self.shared.tally.violation(ONE_WINNER, || format!("{id} was removed twice"));
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
        let before = issued.row.seen();
        issued.rotating.fetch_add(1, SeqCst);
        match self.shared.sessions.rotate(&found.session).await {
            Ok(started) => {
                count(&self.shared.tally.rotated);
                self.shared.note(issued.row.observe(&before, &started.session, true));
                if issued.rotated.swap(true, SeqCst) {
                    let id = issued.id();
                    self.shared
                        .tally
                        .violation(ONE_WINNER, || format!("{id}: a token was rotated twice"));
                }
                let next = place.subject.issue(started.token, Arc::clone(&issued.row));
                if !issued.replaced.swap(true, SeqCst) {
                    place.set(next);
                }
            }
            Err(RotateError::Raced) => {
                issued.rotating.fetch_sub(1, SeqCst);
            }
            Err(RotateError::Rejected { .. } | RotateError::Unknown) => {
                issued.rotating.fetch_sub(1, SeqCst);
                self.shared.refused();
                if !issued.rotated.load(SeqCst) {
                    self.replace(place, issued).await;
                }
            }
            Err(error) => self.shared.tally.error("rotate", &error),
        }
    }

    async fn end_all(&self, place: &Place) {
        let doomed = place.subject.before_end_all();
        match self.shared.sessions.end_all(&place.subject.name).await {
            Ok(_) => {
                count(&self.shared.tally.ended_all);
                for row in &doomed {
                    row.ended.store(true, SeqCst);
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

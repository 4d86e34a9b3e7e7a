//! What one request and its answer share.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::answer::Answer;
use super::carrier::Presented;
use super::reason::Reason;
use super::refused::Refused;
use super::reply::Reply;
use super::shared::Shared;
use crate::record::{NoClaims, Session, SessionToken};
use crate::rule::Status;
use crate::sessions::Authenticated;

/// One request and its answer: the session is looked up once, however often it is asked
/// for, and the last verb decides what is sent. A clone is of the same request.
#[doc = include_str!("examples/exchange.md")]
pub struct Exchange<A: Send + Sync + 'static = NoClaims>(Arc<Slot<A>>);

struct Slot<A: Send + Sync + 'static> {
    shared: Arc<Shared<A>>,
    state: Mutex<State<A>>,
    /// Whether anybody asked for a session.
    is_asked: AtomicBool,
    /// Whether anything is known of the session, and whether a renewal issued another token:
    /// both are set under the lock, and spare most requests to take it. Who reads `false` too
    /// soon asks as well, as who comes at the same time.
    is_known: AtomicBool,
    is_reissued: AtomicBool,
}

pub(super) struct State<A: Send + Sync + 'static> {
    phase: Phase,
    pub(super) known: Option<Known<A>>,
    /// Behind a pointer, as few requests leave anything.
    answer: Option<Box<Answer<A>>>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Phase {
    Open,
    /// The head of the answer is made.
    Answered,
    /// There will be no answer.
    Gone,
}

type Outcome<A> = Result<Arc<Authenticated<A>>, Refused>;

/// What is known of the request's session.
pub(super) enum Known<A> {
    /// By a look, or by one that counts as activity.
    Found { outcome: Outcome<A>, counts: bool },
    /// A verb of this request started, rotated or ended it.
    Left(Outcome<A>),
}

impl<A: Clone + Send + Sync + 'static> Exchange<A> {
    #[inline]
    pub(super) fn new(shared: &Arc<Shared<A>>) -> Self {
        let state = State { phase: Phase::Open, known: None, answer: None };
        let (shared, state) = (Arc::clone(shared), Mutex::new(state));
        let (is_asked, is_known, is_reissued) = Default::default();
        Self(Arc::new(Slot { shared, state, is_asked, is_known, is_reissued }))
    }

    pub(super) fn presented<'a>(
        &self,
        cookies: impl IntoIterator<Item = &'a [u8]>,
        authorization: impl IntoIterator<Item = &'a [u8]>,
    ) -> Presented<'a> {
        self.0.shared.carrier.presented(cookies, authorization)
    }

    pub(super) fn shared(&self) -> &Arc<Shared<A>> {
        &self.0.shared
    }

    /// Verbs come before the head of the answer: a streaming body is too late for a header.
    /// Where there will be no answer, what `ends` a session is still carried out.
    pub(super) fn open(&self, ends: bool, is_bearer: bool) -> Result<(), Refused> {
        let state = self.state();
        match state.phase {
            Phase::Open => {}
            Phase::Gone if ends => {}
            Phase::Answered | Phase::Gone => return Err(late(is_bearer)),
        }
        self.0.is_asked.store(true, Ordering::Release);
        Ok(())
    }

    /// The cookie that hands over a token; none for a bearer.
    pub(super) fn set_cookie(
        &self,
        token: &SessionToken,
        session: &Session,
        status: &Status,
        is_bearer: bool,
    ) -> Option<String> {
        let cookie = self.shared().carrier.cookie(is_bearer)?;
        Some(cookie.set(token, session.profile(), status))
    }

    /// What a verb leaves for the answer, and the session of the request from now on.
    ///
    /// A verb that another task began in time may be done too late: then nobody is sent
    /// the token, and the session is ended again.
    pub(super) fn leave(
        &self,
        answer: Answer<A>,
        session: Outcome<A>,
        is_bearer: bool,
    ) -> Result<(), Refused> {
        let begun = answer.begun();
        let mut state = self.state();
        if begun.is_some() && state.phase != Phase::Open {
            return Err(late(is_bearer));
        }
        let before = state.answer.replace(Box::new(answer));
        self.know(&mut state, Known::Left(session));
        drop(state);
        match before.map(|before| *before) {
            // It goes on under yet another secret.
            Some(Answer::Begun { unsent, .. }) if Some(unsent.id()) == begun => unsent.was_sent(),
            // The verb has ended it, unless both ran at once.
            _ => {}
        }
        Ok(())
    }

    /// If a renewal issued a token anew: a future that looks whether the session was
    /// written since, and then withholds the token. Else `None`. The handler may have taken
    /// its time, and a late answer must not replace what a newer one set, nor bring a
    /// generation back that the client has confirmed. A withheld token is not lost: the
    /// next request is answered with one if its client needs it.
    ///
    /// It comes before [`reply_now`](Self::reply_now); together they are
    /// [`reply`](Self::reply), for an integration that polls its futures by hand.
    #[inline]
    #[must_use = "it is a future"]
    pub fn look_again(&self) -> Option<impl Future<Output = ()> + Send + use<A>> {
        if !self.0.is_reissued.load(Ordering::Acquire) {
            return None;
        }
        let mut state = self.state();
        let Answer::Reissued { token, version, .. } = state.answer.as_deref()? else { return None };
        let (token, version, exchange) = (token.clone(), *version, self.clone());
        state.phase = Phase::Answered;
        drop(state);
        Some(async move {
            let seen = exchange.shared().sessions.ask(token.expose(), false).await;
            if seen.is_ok_and(|seen| seen.session.version() == version) {
                return;
            }
            let mut state = exchange.state();
            if let Some(Answer::Reissued { .. }) = state.answer.as_deref() {
                state.answer = None;
            }
        })
    }

    /// [`reply`](Self::reply), after [`look_again`](Self::look_again).
    #[inline]
    pub fn reply_now<'a>(&self, own: impl IntoIterator<Item = &'a [u8]>) -> Option<Reply> {
        let mut state = self.state();
        state.phase = Phase::Answered;
        if !self.0.is_asked.load(Ordering::Acquire) {
            return None;
        }
        let answer = state.answer.take();
        drop(state);
        Some(match answer {
            None => Reply { set_cookie: None, reissued: None },
            Some(answer) => answer.into_reply(&self.shared().carrier, own),
        })
    }

    /// What to put on the answer; `None` if nobody asked for a session. `own` are the
    /// headers `Set-Cookie` that the handler has set: one of the session's name wins.
    ///
    /// Caches must not store such an answer: send `Cache-Control: no-store`, unless the
    /// handler says otherwise and no cookie or token is sent. Verbs that come later are
    /// refused.
    pub async fn reply<'a>(&self, own: impl IntoIterator<Item = &'a [u8]>) -> Option<Reply> {
        if let Some(look) = self.look_again() {
            look.await;
        }
        self.reply_now(own)
    }
}

impl<A: Send + Sync + 'static> Exchange<A> {
    pub(super) fn state(&self) -> MutexGuard<'_, State<A>> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was found before, if that is enough.
    pub(super) fn asked(&self, counts: bool) -> Option<Outcome<A>> {
        self.0.is_asked.store(true, Ordering::Release);
        if !self.0.is_known.load(Ordering::Acquire) {
            return None;
        }
        match self.state().known.as_ref()? {
            Known::Found { counts: false, .. } if counts => None,
            Known::Found { outcome, .. } | Known::Left(outcome) => Some(outcome.clone()),
        }
    }

    pub(super) fn know(&self, state: &mut State<A>, known: Known<A>) {
        state.known = Some(known);
        self.0.is_known.store(true, Ordering::Release);
    }

    /// A token that was issued anew is to be sent, unless it is too late. No verb has left
    /// anything yet.
    pub(super) fn reissue(&self, state: &mut State<A>, answer: Answer<A>) {
        if state.phase == Phase::Open {
            state.answer = Some(Box::new(answer));
            self.0.is_reissued.store(true, Ordering::Release);
        }
    }

    /// There will be no answer, although a task may still hold a clone. No session begins
    /// any more, and one whose token the answer was to bring is ended, if there is somebody
    /// to run that ([`WebSessions::spawn_with`](super::WebSessions::spawn_with)).
    pub fn abandon(&self) {
        let mut state = self.state();
        state.phase = Phase::Gone;
        let unsent = state.answer.take();
        drop(state);
        drop(unsent);
    }
}

fn late(is_bearer: bool) -> Refused {
    Refused::new(Reason::Misuse("the answer was sent already, or nobody waits for it"), is_bearer)
}

impl<A: Send + Sync + 'static> Clone for Exchange<A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<A: Send + Sync + 'static> fmt::Debug for Exchange<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").finish_non_exhaustive()
    }
}

//! What one request and its answer share.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::carrier::Presented;
use super::refused::{Reason, Refused};
use super::shared::{Shared, Unsent};
use crate::record::{NoClaims, Session, SessionToken};
use crate::rule::Status;
use crate::sessions::Authenticated;

/// One request and its answer: the session is looked up once, however often it is asked
/// for, and the last verb decides what is sent. A clone is of the same request.
pub struct Exchange<A: Send + Sync + 'static = NoClaims>(Arc<Slot<A>>);

struct Slot<A: Send + Sync + 'static> {
    shared: Arc<Shared<A>>,
    state: Mutex<State<A>>,
}

struct State<A: Send + Sync + 'static> {
    phase: Phase,
    known: Option<Known<A>>,
    answer: Answer<A>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Phase {
    /// Nobody asked for a session.
    Untouched,
    Asked,
    /// The head of the answer is made.
    Answered,
}

/// What is known of the request's session.
#[derive(Clone)]
enum Known<A> {
    /// A verb of this request started or rotated it.
    Begun(Arc<Authenticated<A>>),
    Looked(Arc<Authenticated<A>>),
    Refused(Refused),
    /// It counted as activity.
    Served(Arc<Authenticated<A>>),
}

/// What the answer is to say.
pub(super) enum Answer<A: Send + Sync + 'static> {
    Nothing,
    /// A session began, or goes on under another secret.
    Begun {
        unsent: Unsent<A>,
        set_cookie: Option<String>,
    },
    Clear {
        set_cookie: Option<String>,
    },
    /// A renewal issued another token.
    Reissued {
        token: SessionToken,
        set_cookie: Option<String>,
    },
}

/// What to put on the answer to a request that asked for a session.
#[derive(Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Reply {
    /// A header `Set-Cookie` to add; it holds a secret.
    pub set_cookie: Option<String>,
    /// A header to set, name and value, with a token that was issued anew for a bearer; it
    /// holds a secret.
    pub reissued: Option<(String, String)>,
}

impl<A: Clone + Send + Sync + 'static> Exchange<A> {
    #[inline]
    pub(super) fn new(shared: &Arc<Shared<A>>) -> Self {
        let state = State { phase: Phase::Untouched, known: None, answer: Answer::Nothing };
        Self(Arc::new(Slot { shared: Arc::clone(shared), state: Mutex::new(state) }))
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

    fn state(&self) -> MutexGuard<'_, State<A>> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Verbs come before the head of the answer: a streaming body is too late for a header.
    pub(super) fn open(&self, is_bearer: bool) -> Result<(), Refused> {
        let mut state = self.state();
        if state.phase == Phase::Answered {
            let mistake = "the answer was sent already";
            return Err(Refused::new(Reason::Misuse(mistake), is_bearer));
        }
        state.phase = Phase::Asked;
        Ok(())
    }

    /// The session of the request.
    pub(super) async fn ask(
        &self,
        presented: &Presented<'_>,
        counts: bool,
    ) -> Result<Arc<Authenticated<A>>, Refused> {
        {
            let mut state = self.state();
            if state.phase == Phase::Untouched {
                state.phase = Phase::Asked;
            }
            match &state.known {
                Some(Known::Begun(served) | Known::Served(served)) => {
                    return Ok(Arc::clone(served));
                }
                Some(Known::Looked(served)) if !counts => return Ok(Arc::clone(served)),
                Some(Known::Refused(refused)) => return Err(refused.clone()),
                Some(Known::Looked(_)) | None => {}
            }
        }
        let found = self.find(presented, counts).await;
        let mut state = self.state();
        match found {
            Ok(served) => {
                let reissued = served.token.as_ref().filter(|_| state.phase == Phase::Asked);
                if let (Some(token), Answer::Nothing) = (reissued, &state.answer) {
                    let set_cookie = self.set_cookie(
                        token,
                        &served.session,
                        &served.status,
                        presented.is_bearer,
                    );
                    state.answer = Answer::Reissued { token: token.clone(), set_cookie };
                }
                let served = Arc::new(served);
                let known = if counts { Known::Served } else { Known::Looked };
                state.known = Some(known(Arc::clone(&served)));
                Ok(served)
            }
            Err(reason) => {
                let refused = Refused::new(reason, presented.is_bearer);
                state.known = Some(Known::Refused(refused.clone()));
                Err(refused)
            }
        }
    }

    async fn find(
        &self,
        presented: &Presented<'_>,
        counts: bool,
    ) -> Result<Authenticated<A>, Reason> {
        let sessions = &self.shared().sessions;
        let token = match presented.tokens() {
            [] => return Err(Reason::NoSession),
            [token] => *token,
            several => {
                // To authenticate with an old token of several might end a hybrid session as
                // reused: look first.
                let mut opening = self.opening(several).await?.into_iter();
                let (token, seen) = opening.next().ok_or(Reason::NoSession)?;
                if opening.any(|(_, other)| other.session.id() != seen.session.id()) {
                    return Err(Reason::Ambiguous);
                }
                if !counts {
                    return Ok(seen);
                }
                token
            }
        };
        let found = if counts { sessions.authenticate(token) } else { sessions.peek(token) };
        Ok(found.await?)
    }

    /// Those of several tokens that open a session, with what they open. If none does, the
    /// first limit of time that one has reached is told.
    async fn opening<'a>(
        &self,
        tokens: &[&'a str],
    ) -> Result<Vec<(&'a str, Authenticated<A>)>, Reason> {
        let (mut opening, mut expired) = (Vec::new(), None);
        for token in tokens {
            match self.shared().sessions.peek(token).await.map_err(Reason::from) {
                Ok(seen) => opening.push((*token, seen)),
                Err(reason @ Reason::Unavailable(_)) => return Err(reason),
                Err(reason @ Reason::Expired { .. }) => expired = expired.or(Some(reason)),
                Err(_) => {}
            }
        }
        expired.filter(|_| opening.is_empty()).map_or(Ok(opening), Err)
    }

    /// The sessions that the request's client holds, which a sign-in or a sign-out ends.
    pub(super) async fn held(&self, presented: &Presented<'_>) -> Result<Vec<Session>, Refused> {
        match &self.state().known {
            Some(Known::Begun(served)) => return Ok(alloc::vec![served.session.clone()]),
            Some(Known::Looked(served) | Known::Served(served))
                if presented.tokens().len() == 1 =>
            {
                return Ok(alloc::vec![served.session.clone()]);
            }
            _ => {}
        }
        match self.opening(presented.tokens()).await {
            Ok(opening) => Ok(opening.into_iter().map(|(_, seen)| seen.session).collect()),
            Err(reason @ Reason::Unavailable(_)) => Err(Refused::new(reason, presented.is_bearer)),
            Err(_) => Ok(Vec::new()),
        }
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
    pub(super) fn leave(&self, answer: Answer<A>, session: Result<Arc<Authenticated<A>>, Refused>) {
        let mut state = self.state();
        let before = mem::replace(&mut state.answer, answer);
        state.known = Some(session.map_or_else(Known::Refused, Known::Begun));
        drop(state);
        // The verb has ended it, or goes on with it.
        if let Answer::Begun { unsent, .. } = before {
            unsent.was_sent();
        }
    }

    /// A look at whether a token that was issued anew is still good, where there is one: the
    /// handler may have taken its time, and a late answer must not oust what a newer one set.
    ///
    /// It comes before [`reply_now`](Self::reply_now); together they are
    /// [`reply`](Self::reply), for an integration that polls its futures by hand.
    #[inline]
    #[must_use = "it is a future"]
    pub fn look_again(&self) -> Option<impl Future<Output = ()> + Send + use<A>> {
        let mut state = self.state();
        let Answer::Reissued { token, .. } = &state.answer else { return None };
        let (token, exchange) = (token.clone(), self.clone());
        state.phase = Phase::Answered;
        drop(state);
        Some(async move {
            if exchange.shared().sessions.peek(token.expose()).await.is_err() {
                exchange.state().answer = Answer::Nothing;
            }
        })
    }

    /// [`reply`](Self::reply), after [`look_again`](Self::look_again).
    #[inline]
    pub fn reply_now<'a>(&self, own: impl IntoIterator<Item = &'a [u8]>) -> Option<Reply> {
        let mut state = self.state();
        if mem::replace(&mut state.phase, Phase::Answered) == Phase::Untouched {
            return None;
        }
        let answer = mem::replace(&mut state.answer, Answer::Nothing);
        drop(state);
        let carrier = &self.shared().carrier;
        let (set_cookie, reissued, unsent) = match answer {
            Answer::Nothing => (None, None, None),
            Answer::Begun { unsent, set_cookie } => (set_cookie, None, Some(unsent)),
            Answer::Reissued { token, set_cookie: None } => {
                let header = carrier.reissued_in();
                (None, header.map(|name| (name.into(), token.expose().into())), None)
            }
            Answer::Clear { set_cookie } | Answer::Reissued { set_cookie, .. } => {
                (set_cookie, None, None)
            }
        };
        // The handler's own cookie wins; a session whose token is not in it is ended.
        let is_own = |header: &&[u8]| carrier.is_set_by(header);
        let own = set_cookie.as_ref().and_then(|_| own.into_iter().find(is_own));
        let ours = set_cookie.as_ref().map(|ours| pair(ours.as_bytes()));
        if let Some(unsent) = unsent.filter(|_| own.is_none_or(|own| Some(pair(own)) == ours)) {
            unsent.was_sent();
        }
        Some(Reply { set_cookie: set_cookie.filter(|_| own.is_none()), reissued })
    }

    /// What to put on the answer; `None` if nobody asked for a session. `own` are the
    /// headers `Set-Cookie` that the handler has set: one of the session's name wins.
    ///
    /// The answer is then not to be stored by caches: `Cache-Control: no-store`, unless the
    /// handler says otherwise and no cookie is sent. Verbs that come later are refused.
    pub async fn reply<'a>(&self, own: impl IntoIterator<Item = &'a [u8]>) -> Option<Reply> {
        if let Some(look) = self.look_again() {
            look.await;
        }
        self.reply_now(own)
    }

    /// There will be no answer, although a task may still hold a clone: a session whose
    /// token it was to bring is ended, and verbs that come later are refused.
    pub fn abandon(&self) {
        let mut state = self.state();
        state.phase = Phase::Answered;
        let unsent = mem::replace(&mut state.answer, Answer::Nothing);
        drop(state);
        drop(unsent);
    }
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

/// The name and the value of a `Set-Cookie`.
fn pair(header: &[u8]) -> &[u8] {
    let end = header.iter().position(|byte| *byte == b';').unwrap_or(header.len());
    header[..end].trim_ascii()
}

//! Which session a request has.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::answer::Answer;
use super::carrier::Presented;
use super::exchange::{Exchange, Known};
use super::reason::Reason;
use super::refused::Refused;
use crate::record::{Session, SessionToken};
use crate::sessions::Authenticated;

impl<A: Clone + Send + Sync + 'static> Exchange<A> {
    /// The session of the request. What a look has refused is asked again where it counts,
    /// since a look ends no session whose superseded token comes back.
    pub(super) async fn ask(
        &self,
        presented: &Presented<'_>,
        counts: bool,
    ) -> Result<Arc<Authenticated<A>>, Refused> {
        if let Some(outcome) = self.ask_at_once(presented, counts) {
            return outcome;
        }
        let found = self.find(presented, counts).await;
        self.settle(found, presented.is_bearer, counts)
    }

    /// [`ask`](Self::ask) where nothing has to be waited for; else `None`.
    pub(super) fn ask_at_once(
        &self,
        presented: &Presented<'_>,
        counts: bool,
    ) -> Option<Result<Arc<Authenticated<A>>, Refused>> {
        if let Some(outcome) = self.asked(counts) {
            return Some(outcome);
        }
        let found = match presented.tokens() {
            [] => Err(Reason::NoSession),
            [token] => self.shared().sessions.ask_at_once(token, counts)?.map_err(Reason::from),
            _ => return None,
        };
        Some(self.settle(found, presented.is_bearer, counts))
    }

    /// Keeps what was found: the request's session from now on.
    fn settle(
        &self,
        found: Result<Arc<Authenticated<A>>, Reason>,
        is_bearer: bool,
        counts: bool,
    ) -> Result<Arc<Authenticated<A>>, Refused> {
        let mut state = self.state();
        // A verb that another task carried out meanwhile has the last word.
        if let Some(Known::Left(outcome)) = &state.known {
            return outcome.clone();
        }
        let outcome = match found {
            Ok(served) => {
                if let Some(token) = &served.token {
                    self.reissue(&mut state, self.renewed(&served, token, is_bearer));
                }
                Ok(served)
            }
            Err(reason) => Err(Refused::new(reason, is_bearer)),
        };
        self.know(&mut state, Known::Found { outcome: outcome.clone(), counts });
        outcome
    }

    /// What the answer is to say of a renewal that issued another token.
    #[cold]
    fn renewed(
        &self,
        served: &Authenticated<A>,
        token: &SessionToken,
        is_bearer: bool,
    ) -> Answer<A> {
        let (session, status) = (&served.session, &served.status);
        let set_cookie = self.set_cookie(token, session, status, is_bearer);
        Answer::Reissued { token: token.clone(), version: session.version(), set_cookie }
    }

    async fn find(
        &self,
        presented: &Presented<'_>,
        counts: bool,
    ) -> Result<Arc<Authenticated<A>>, Reason> {
        let token = match presented.tokens() {
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
        Ok(self.shared().sessions.ask(token, counts).await?)
    }

    /// Those of several tokens that open a session, with what they open. If none does, the
    /// first limit of time that one has reached is told.
    async fn opening<'a>(
        &self,
        tokens: &[&'a str],
    ) -> Result<Vec<(&'a str, Arc<Authenticated<A>>)>, Reason> {
        let (mut opening, mut expired) = (Vec::new(), None);
        for token in tokens {
            match self.shared().sessions.ask(token, false).await.map_err(Reason::from) {
                Ok(seen) => opening.push((*token, seen)),
                Err(reason @ Reason::Unavailable(_)) => return Err(reason),
                Err(reason @ Reason::Expired { .. }) => expired = expired.or(Some(reason)),
                Err(_) => {}
            }
        }
        expired.filter(|_| opening.is_empty()).map_or(Ok(opening), Err)
    }

    /// The sessions that the request's client holds, which a sign-in or a sign-out ends:
    /// also those that are not served just now, by a bound that may change again. None of
    /// sessions without rows, which cannot be ended.
    pub(super) async fn held(&self, presented: &Presented<'_>) -> Result<Vec<Session>, Reason> {
        let Some(rows) = self.shared().sessions.rows() else { return Ok(Vec::new()) };
        match &self.state().known {
            Some(Known::Left(Ok(served))) => return Ok(alloc::vec![served.session.clone()]),
            Some(Known::Found { outcome: Ok(served), .. }) if presented.tokens().len() == 1 => {
                return Ok(alloc::vec![served.session.clone()]);
            }
            _ => {}
        }
        let mut held = Vec::new();
        for token in presented.tokens() {
            match rows.proven(token).await.map_err(Reason::from) {
                Ok(session) => held.push(session),
                Err(reason @ Reason::Unavailable(_)) => return Err(reason),
                Err(_) => {}
            }
        }
        Ok(held)
    }
}

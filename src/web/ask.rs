//! Which session a request has.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::carrier::Presented;
use super::exchange::{Answer, Exchange, Known};
use super::reason::Reason;
use super::refused::Refused;
use crate::record::Session;
use crate::sessions::Authenticated;

impl<A: Clone + Send + Sync + 'static> Exchange<A> {
    /// The session of the request. What a look has refused is asked again where it counts,
    /// since a look ends no session whose superseded token comes back.
    pub(super) async fn ask(
        &self,
        presented: &Presented<'_>,
        counts: bool,
    ) -> Result<Arc<Authenticated<A>>, Refused> {
        if let Some(outcome) = self.state().asked(counts) {
            return outcome;
        }
        let found = self.find(presented, counts).await;
        let mut state = self.state();
        // A verb that another task carried out meanwhile has the last word.
        if let Some(Known::Left(outcome)) = &state.known {
            return outcome.clone();
        }
        let outcome = match found {
            Ok(served) => {
                if let Some(token) = &served.token {
                    let (session, is_bearer) = (&served.session, presented.is_bearer);
                    let answer = Answer::Reissued {
                        token: token.clone(),
                        version: session.version(),
                        set_cookie: self.set_cookie(token, session, &served.status, is_bearer),
                    };
                    self.reissue(&mut state, answer);
                }
                Ok(served)
            }
            Err(reason) => Err(Refused::new(reason, presented.is_bearer)),
        };
        state.known = Some(Known::Found { outcome: outcome.clone(), counts });
        outcome
    }

    async fn find(
        &self,
        presented: &Presented<'_>,
        counts: bool,
    ) -> Result<Arc<Authenticated<A>>, Reason> {
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
    ) -> Result<Vec<(&'a str, Arc<Authenticated<A>>)>, Reason> {
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

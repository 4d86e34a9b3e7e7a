//! The verbs about all sessions of a request's user.

use alloc::vec::Vec;

use super::auth::Auth;
use super::refused::Refused;
use crate::record::{Session, SessionId};

impl<A: Clone + Send + Sync + 'static> Auth<A> {
    /// The live sessions of the user, the oldest first: a page of devices.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the request has no session, the sessions are stateless, or the store
    /// is away.
    pub async fn list(&self) -> Result<Vec<Session>, Refused> {
        let served = self.ask(false).await?;
        let list = self.rows()?.list(served.session.subject()).await;
        list.map_err(|error| self.refused(error))
    }

    /// Ends a session of the same user; whether there was one. Of the request's own it is
    /// [`sign_out`](Self::sign_out).
    ///
    /// # Errors
    ///
    /// As for [`list`](Self::list).
    pub async fn end(&self, id: &SessionId) -> Result<bool, Refused> {
        let served = self.ask(true).await?;
        if served.session.id() == *id {
            self.rows()?;
            return self.sign_out().await.map(|()| true);
        }
        if !self.list().await?.iter().any(|session| session.id() == *id) {
            return Ok(false);
        }
        self.rows()?.end(id).await.map_err(|error| self.refused(error))
    }

    /// Ends the user's other sessions. Returns the number ended.
    ///
    /// # Errors
    ///
    /// As for [`list`](Self::list).
    pub async fn end_others(&self) -> Result<u64, Refused> {
        let served = self.ask(true).await?;
        let ended = self.rows()?.end_others(&served.session).await;
        ended.map_err(|error| self.refused(error))
    }
}

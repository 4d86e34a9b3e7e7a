//! The verbs about all sessions of a request's user.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::auth::Auth;
use super::refused::Refused;
use super::strategy::DriveRows;
use crate::record::{Session, SessionId};

impl<A: Clone + Send + Sync + 'static> Auth<A> {
    /// The user's live sessions, the request's own among them, the oldest first, for a page of
    /// devices (OWASP ASVS 5.0 7.5.2). It does not count as activity.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the request has no session, the sessions are stateless, or the store
    /// is away.
    #[doc = include_str!("examples/list.md")]
    pub async fn list(&self) -> Result<Vec<Session>, Refused> {
        let served = self.ask(false).await?;
        let list = self.rows()?.list(served.session.subject()).await;
        list.map_err(|error| self.refused(error))
    }

    /// Ends a session of the same user. Returns whether there was one. The request's own
    /// session is signed out, as by [`sign_out`](Self::sign_out).
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
        let (shared, id) = (Arc::clone(self.exchange().shared()), *id);
        self.to_its_end(async move { Ok(shared.rows()?.end(&id).await?) }).await
    }

    /// Ends the user's other sessions. Returns the number ended.
    ///
    /// # Errors
    ///
    /// As for [`list`](Self::list).
    pub async fn end_others(&self) -> Result<u64, Refused> {
        let served = self.ask(true).await?;
        let (shared, session) = (Arc::clone(self.exchange().shared()), served.session.clone());
        self.to_its_end(async move { Ok(shared.rows()?.end_others(&session).await?) }).await
    }

    fn rows(&self) -> Result<&dyn DriveRows<A>, Refused> {
        self.exchange().shared().rows().map_err(|reason| self.refused(reason))
    }
}

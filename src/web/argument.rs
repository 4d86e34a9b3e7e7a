//! What an argument of a handler asks for.

use chrono::TimeDelta;

use super::carrier::Presented;
use super::exchange::Exchange;
use super::reason::Reason;
use super::refused::Refused;
use super::view::{Active, Peeked};

/// For the arguments of a framework's handlers, given the request's headers `Cookie` and
/// `Authorization`: the same as the verbs of [`Auth`](super::Auth), without a copy of the
/// token.
impl<A: Clone + Send + Sync + 'static> Exchange<A> {
    /// The session of the request, which counts as activity.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the request has no session, its time is over, or the store is away.
    pub async fn active<'a>(
        &self,
        cookies: impl IntoIterator<Item = &'a [u8]>,
        authorization: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Active<A>, Refused> {
        self.ask(&self.presented(cookies, authorization), true).await.map(Active::new)
    }

    /// [`active`](Self::active) for a framework that would box a future: `None` if something
    /// has to be waited for, as in all stores but those that
    /// [never wait](crate::store::SessionStore::NEVER_WAITS), or if several tokens are
    /// presented. Then await [`active`](Self::active).
    ///
    /// # Errors
    ///
    /// As for [`active`](Self::active), in the `Some`.
    pub fn active_at_once<'a>(
        &self,
        cookies: impl IntoIterator<Item = &'a [u8]>,
        authorization: impl IntoIterator<Item = &'a [u8]>,
    ) -> Option<Result<Active<A>, Refused>> {
        let asked = self.ask_at_once(&self.presented(cookies, authorization), true)?;
        Some(asked.map(Active::new))
    }

    /// The session of the request, which is not extended.
    ///
    /// # Errors
    ///
    /// As for [`active`](Self::active).
    pub async fn peeked<'a>(
        &self,
        cookies: impl IntoIterator<Item = &'a [u8]>,
        authorization: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Peeked<A>, Refused> {
        self.ask(&self.presented(cookies, authorization), false).await.map(Peeked::new)
    }

    /// [`peeked`](Self::peeked), as [`active_at_once`](Self::active_at_once).
    ///
    /// # Errors
    ///
    /// As for [`active`](Self::active), in the `Some`.
    pub fn peeked_at_once<'a>(
        &self,
        cookies: impl IntoIterator<Item = &'a [u8]>,
        authorization: impl IntoIterator<Item = &'a [u8]>,
    ) -> Option<Result<Peeked<A>, Refused>> {
        let asked = self.ask_at_once(&self.presented(cookies, authorization), false)?;
        Some(asked.map(Peeked::new))
    }

    /// The session of the request, which counts as activity, if its sign-in is less than
    /// `within` ago (RFC 9470), in whole seconds; with 0 s or less it is refused.
    ///
    /// # Errors
    ///
    /// As for [`active`](Self::active), or [`Refused`] as [`Reason::NotFresh`].
    pub async fn fresh<'a>(
        &self,
        cookies: impl IntoIterator<Item = &'a [u8]>,
        authorization: impl IntoIterator<Item = &'a [u8]>,
        within: TimeDelta,
    ) -> Result<Active<A>, Refused> {
        self.fresh_of(&self.presented(cookies, authorization), within).await
    }

    pub(super) async fn fresh_of(
        &self,
        presented: &Presented<'_>,
        within: TimeDelta,
    ) -> Result<Active<A>, Refused> {
        let served = self.ask(presented, true).await?;
        if served.is_fresh(within) {
            return Ok(Active::new(served));
        }
        Err(Refused::new(Reason::NotFresh { within }, presented.is_bearer))
    }
}

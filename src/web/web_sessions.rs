use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;

use super::carrier::Carrier;
use super::carrier_error::CarrierError;
use super::exchange::Exchange;
use super::shared::{Shared, Task};
use super::strategy::Strategy;
use crate::record::NoClaims;

/// Sessions, and how their tokens travel: what a framework's integration is built on.
///
/// For axum, tonic and hyper there is `SessionLayer`, and for actix-web a crate of its
/// own. Another framework's integration makes an [`Exchange`] per request, lets handlers
/// have its [`Auth`](super::Auth), and puts its [`Reply`](super::Reply) on the answer:
///
/// ```
/// # #[cfg(feature = "memory")] {
/// use session_policy::web::{SessionCookie, WebSessions};
/// use session_policy::{MemoryStore, SessionPolicy, Sessions};
///
/// # pollster::block_on(async {
/// let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY);
/// let web = WebSessions::new(sessions, SessionCookie::host("session"))?;
///
/// // A request to sign in, which has no header `Cookie` and no `Authorization`.
/// let exchange = web.exchange();
/// exchange.auth([], []).sign_in("user-42").await?;
/// let reply = exchange.reply([]).await.expect("the handler asked for a session");
/// let set_cookie = reply.set_cookie.expect("a sign-in sets the cookie");
///
/// // The next one.
/// let cookie = set_cookie.split(';').next().unwrap();
/// let exchange = web.exchange();
/// let active = exchange.auth([cookie.as_bytes()], []).active().await?;
/// assert_eq!(active.session.subject(), "user-42");
/// assert!(exchange.reply([]).await.unwrap().set_cookie.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// # }
/// ```
pub struct WebSessions<A = NoClaims>(Arc<Shared<A>>);

impl<A: Clone + Send + Sync + 'static> WebSessions<A> {
    /// Sessions whose tokens travel as a cookie, after `Bearer`, or either way.
    ///
    /// # Errors
    ///
    /// [`CarrierError`] if a browser would refuse the cookie's settings together, or drop
    /// the cookie before a session may end.
    pub fn new(
        mut sessions: impl Strategy<Claims = A>,
        carrier: impl Into<Carrier>,
    ) -> Result<Self, CarrierError> {
        let carrier = carrier.into().build(sessions.policies())?;
        if let Some(longest) = carrier.longest() {
            sessions.fit(longest);
        }
        Ok(Self(Arc::new(Shared { sessions: Box::new(sessions), carrier, spawn: None })))
    }

    /// Runs verbs to their end, although the client hangs up, and ends again a session whose
    /// new token was not sent: nobody could open it, and it would count against a limit. With
    /// tokio: `spawn_with(|task| drop(tokio::spawn(task)))`.
    ///
    /// Without it such a session lasts until its idle limit. It is set before the first
    /// clone or exchange is made; later it does nothing. It is also called where a request is
    /// dropped, so it must not panic, as `tokio::spawn` does outside of its runtime.
    ///
    /// ```
    /// # #[cfg(feature = "memory")] {
    /// use session_policy::web::{SessionCookie, WebSessions};
    /// use session_policy::{MemoryStore, SessionPolicy, Sessions};
    ///
    /// # pollster::block_on(async {
    /// let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY);
    /// let web = WebSessions::new(sessions.clone(), SessionCookie::host("session"))?
    ///     .spawn_with(|task| drop(std::thread::spawn(|| pollster::block_on(task))));
    ///
    /// let exchange = web.exchange();
    /// exchange.auth([], []).sign_in("ada").await?;
    /// exchange.abandon(); // The client hung up, and the session is ended again.
    /// while !sessions.list("ada").await?.is_empty() {
    ///     std::thread::yield_now();
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// # }
    /// ```
    #[must_use]
    pub fn spawn_with(mut self, spawn: impl Fn(Task) + Send + Sync + 'static) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.0) {
            shared.spawn = Some(Box::new(spawn));
        }
        self
    }

    /// For one request.
    #[must_use]
    #[inline]
    pub fn exchange(&self) -> Exchange<A> {
        Exchange::new(&self.0)
    }
}

/// The same sessions.
impl<A> Clone for WebSessions<A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<A> fmt::Debug for WebSessions<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSessions").field("carrier", &self.0.carrier).finish_non_exhaustive()
    }
}

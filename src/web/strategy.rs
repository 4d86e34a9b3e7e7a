//! What the layer drives: the three kinds of sessions behind one object.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};

use crate::config::Policies;
use crate::record::{NoClaims, Session, SessionId, SignIn};
use crate::rule::Status;
use crate::sessions::{
    AuthenticateError, Authenticated, RotateError, Sessions, StartError, Started,
};
use crate::store::{SessionStore, StoreError};
use crate::time::Timestamp;

/// A kind of sessions that can be put behind a carrier: [`Sessions`],
/// `jwt::HybridSessions` or `jwt::JwtSessions`. It is implemented here alone.
pub trait Strategy: Drive<Self::Claims> + 'static {
    /// What of the application's own a token says.
    type Claims: Clone + Send + Sync + 'static;
}

pub(super) type Answer<'a, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

/// The object-safe side of [`Strategy`], which nobody outside can name.
pub trait Drive<A>: Send + Sync {
    /// Whose session a token opens, by a request that counts as activity or does not.
    fn ask<'a>(
        &'a self,
        token: &'a str,
        counts: bool,
    ) -> Answer<'a, Arc<Authenticated<A>>, AuthenticateError>;
    /// The same where nothing is waited for; else `None`.
    fn ask_at_once(
        &self,
        token: &str,
        counts: bool,
    ) -> Option<Result<Arc<Authenticated<A>>, AuthenticateError>>;
    /// How long a session has that was served, whatever became of its token since.
    fn status_of<'a>(&'a self, session: &'a Session) -> Answer<'a, Status, AuthenticateError>;
    fn start(&self, sign_in: SignIn<A>) -> Answer<'_, Started<A>, StartError>;
    /// The verbs of sessions that have a row.
    fn rows(&self) -> Option<&dyn DriveRows<A>>;
    fn policies(&self) -> &Policies;
    fn now(&self) -> Timestamp;
    /// Issues no token that is longer.
    fn fit(&mut self, longest: usize);
}

/// The verbs that stateless sessions do not have.
pub trait DriveRows<A>: Send + Sync {
    /// The session that a token proves its bearer to hold, whether or not it is served: no
    /// bound is asked, and no limit.
    fn proven<'a>(&'a self, token: &'a str) -> Answer<'a, Session, AuthenticateError>;
    fn end<'a>(&'a self, id: &'a SessionId) -> Answer<'a, bool, StoreError>;
    fn end_others<'a>(&'a self, session: &'a Session) -> Answer<'a, u64, StoreError>;
    fn list<'a>(&'a self, subject: &'a str) -> Answer<'a, Vec<Session>, StoreError>;
    fn rotate<'a>(&'a self, session: &'a Session, claims: A)
    -> Answer<'a, Started<A>, RotateError>;
}

/// The verbs that opaque and hybrid sessions share.
macro_rules! rows {
    () => {
        fn proven<'a>(&'a self, token: &'a str) -> Answer<'a, Session, AuthenticateError> {
            Box::pin(self.proven(token))
        }

        fn end<'a>(&'a self, id: &'a SessionId) -> Answer<'a, bool, StoreError> {
            Box::pin(self.end(id))
        }

        fn end_others<'a>(&'a self, session: &'a Session) -> Answer<'a, u64, StoreError> {
            Box::pin(self.end_others(session))
        }

        fn list<'a>(&'a self, subject: &'a str) -> Answer<'a, Vec<Session>, StoreError> {
            Box::pin(self.list(subject))
        }
    };
}

/// The verbs that all sessions share.
macro_rules! all {
    ($claims:ty) => {
        fn ask<'a>(
            &'a self,
            token: &'a str,
            counts: bool,
        ) -> Answer<'a, Arc<Authenticated<$claims>>, AuthenticateError> {
            if counts {
                return Box::pin(async move { self.authenticate(token).await.map(Arc::new) });
            }
            Box::pin(async move { self.peek(token).await.map(Arc::new) })
        }

        fn ask_at_once(
            &self,
            token: &str,
            counts: bool,
        ) -> Option<Result<Arc<Authenticated<$claims>>, AuthenticateError>> {
            if !self.never_waits() {
                return None;
            }
            let asked = if counts {
                at_once(pin!(self.authenticate(token)))
            } else {
                at_once(pin!(self.peek(token)))
            };
            Some(asked?.map(Arc::new))
        }

        fn status_of<'a>(&'a self, session: &'a Session) -> Answer<'a, Status, AuthenticateError> {
            Box::pin(self.status_of(session))
        }

        fn start(&self, sign_in: SignIn<$claims>) -> Answer<'_, Started<$claims>, StartError> {
            Box::pin(self.start(sign_in))
        }

        fn policies(&self) -> &Policies {
            self.policies()
        }

        fn now(&self) -> Timestamp {
            self.now()
        }
    };
}

/// What a future that never waits comes to.
fn at_once<T>(future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

impl<S: SessionStore + 'static> Strategy for Sessions<S> {
    type Claims = NoClaims;
}

impl<S: SessionStore> Drive<NoClaims> for Sessions<S> {
    all!(NoClaims);

    fn rows(&self) -> Option<&dyn DriveRows<NoClaims>> {
        Some(self)
    }

    /// An opaque token always fits: its length is known when the cookie is named.
    fn fit(&mut self, _: usize) {}
}

impl<S: SessionStore> DriveRows<NoClaims> for Sessions<S> {
    rows!();

    fn rotate<'a>(&'a self, session: &'a Session, _: NoClaims) -> Answer<'a, Started, RotateError> {
        Box::pin(self.rotate(session))
    }
}

#[cfg(feature = "jwt-custom-provider")]
mod signed {
    use core::pin::pin;

    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use super::{
        Answer, Arc, AuthenticateError, Authenticated, Box, Drive, DriveRows, Policies,
        RotateError, Session, SessionId, SessionStore, SignIn, StartError, Started, Status,
        StoreError, Strategy, Timestamp, Vec, at_once,
    };
    use crate::jwt::{HybridSessions, JwtSessions};

    /// What a token can say of the application's own.
    pub trait Claims: Clone + DeserializeOwned + Serialize + Send + Sync + 'static {}
    impl<A: Clone + DeserializeOwned + Serialize + Send + Sync + 'static> Claims for A {}

    impl<S: SessionStore + 'static, A: Claims> Strategy for HybridSessions<S, A> {
        type Claims = A;
    }

    impl<S: SessionStore, A: Claims> Drive<A> for HybridSessions<S, A> {
        all!(A);

        fn rows(&self) -> Option<&dyn DriveRows<A>> {
            Some(self)
        }

        fn fit(&mut self, longest: usize) {
            self.fit(longest);
        }
    }

    impl<S: SessionStore, A: Claims> DriveRows<A> for HybridSessions<S, A> {
        rows!();

        fn rotate<'a>(
            &'a self,
            session: &'a Session,
            claims: A,
        ) -> Answer<'a, Started<A>, RotateError> {
            Box::pin(self.rotate(session, claims))
        }
    }

    impl<A: Claims> Strategy for JwtSessions<A> {
        type Claims = A;
    }

    impl<A: Claims> Drive<A> for JwtSessions<A> {
        all!(A);

        fn rows(&self) -> Option<&dyn DriveRows<A>> {
            None
        }

        fn fit(&mut self, longest: usize) {
            self.fit(longest);
        }
    }
}

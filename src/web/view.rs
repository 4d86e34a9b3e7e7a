//! The session that a handler is given.

use alloc::sync::Arc;
use core::ops::Deref;

use crate::record::NoClaims;
use crate::sessions::Authenticated;

macro_rules! view {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<A = NoClaims>(Arc<Authenticated<A>>);

        impl<A> $name<A> {
            pub(super) fn new(served: Arc<Authenticated<A>>) -> Self {
                Self(served)
            }
        }

        impl<A> Clone for $name<A> {
            fn clone(&self) -> Self {
                Self(Arc::clone(&self.0))
            }
        }

        impl<A> Deref for $name<A> {
            type Target = Authenticated<A>;

            fn deref(&self) -> &Authenticated<A> {
                &self.0
            }
        }
    };
}

view! {
    /// The session of a request that counts as activity. It derefs to [`Authenticated`].
    Active
}
view! {
    /// The session of a request that does not count as activity, such as polling, a
    /// countdown or an event stream. It derefs to [`Authenticated`].
    Peeked
}

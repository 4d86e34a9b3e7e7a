use alloc::boxed::Box;
use alloc::vec::Vec;
use core::error::Error;
use core::num::NonZeroU32;

use chrono::TimeDelta;

use crate::record::Session;
use crate::rule::RejectReason;
use crate::sessions::{AuthenticateError, RotateError, StartError};
use crate::store::StoreError;
use crate::time::Timestamp;

/// Why a request is refused.
#[derive(Debug)]
#[non_exhaustive]
pub enum Reason {
    /// Two cookies of the name open different sessions, one of them perhaps planted by
    /// another host of the domain. A sign-in or a sign-out ends both.
    Ambiguous,
    /// A limit of time is reached.
    Expired {
        /// Which.
        reason: RejectReason,
        /// The first refused instant.
        since: Timestamp,
    },
    /// A sign-in or a rotation failed because of what the application passed or because
    /// there was no randomness, or the task that carried out a verb was dropped.
    Failed(Box<dyn Error + Send + Sync>),
    /// A mistake of the application's: no layer around the route, a verb that these
    /// sessions do not have, or one after the answer was sent.
    Misuse(&'static str),
    /// The request presents no token, or none that opens a session: forged, ended and
    /// revoked ones are not told apart.
    NoSession,
    /// The sign-in is too long ago for this route.
    NotFresh {
        /// How recent it must be.
        within: TimeDelta,
    },
    /// Other sign-ins or writes of the same user came first. Try again.
    Raced,
    /// The password, or whatever else the epoch stands for, has changed since it was
    /// checked, or the subject is to have no session.
    Revoked,
    /// The subject has as many sessions as it may.
    TooMany {
        /// The limit.
        max_sessions: NonZeroU32,
        /// The sessions in the way, for a page that lets one be replaced. Show them only to
        /// somebody who gave the right password.
        sessions: Vec<Session>,
    },
    /// The store is away, so nobody is let in.
    Unavailable(StoreError),
}

impl From<AuthenticateError> for Reason {
    fn from(error: AuthenticateError) -> Self {
        match error {
            AuthenticateError::Rejected { reason: RejectReason::NotYetValid, .. }
            | AuthenticateError::Reused
            | AuthenticateError::Revoked
            | AuthenticateError::Token(_)
            | AuthenticateError::Unknown
            | AuthenticateError::WrongSecret => Self::NoSession,
            AuthenticateError::Rejected { reason, since } => Self::Expired { reason, since },
            AuthenticateError::Store(error) => Self::Unavailable(error),
        }
    }
}

impl From<RotateError> for Reason {
    fn from(error: RotateError) -> Self {
        match error {
            RotateError::Rejected { reason, since } => {
                AuthenticateError::Rejected { reason, since }.into()
            }
            RotateError::Raced => Self::Raced,
            RotateError::Revoked | RotateError::Unknown => Self::NoSession,
            RotateError::Store(error) => Self::Unavailable(error),
            error @ (RotateError::Issue(_) | RotateError::Random(_)) => Self::Failed(error.into()),
        }
    }
}

impl From<StartError> for Reason {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Displaced | StartError::Raced => Self::Raced,
            StartError::NotReplaced(error) | StartError::Store(error) => Self::Unavailable(error),
            StartError::Revoked => Self::Revoked,
            StartError::TooMany { max_sessions, sessions } => {
                Self::TooMany { max_sessions, sessions }
            }
            error => Self::Failed(error.into()),
        }
    }
}

impl From<StoreError> for Reason {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}

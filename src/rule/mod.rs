//! The rule: whether a session lives, as a pure function of a policy, a record and
//! an instant.

mod decision;
mod evaluate;
mod lifetime;
mod policy;
mod policy_error;
mod schedule;

#[cfg(any(feature = "review", feature = "std"))]
pub(crate) use self::decision::MAX_COOKIE_AGE;
pub use self::decision::{Decision, RejectReason, Status};
pub use self::lifetime::{Lifetime, LifetimeError};
#[cfg(feature = "review")]
pub(crate) use self::policy::LONGEST_CAP;
pub use self::policy::SessionPolicy;
pub use self::policy_error::PolicyError;

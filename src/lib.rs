//! Decides how long a login session lives, from a policy, a record and an
//! instant.
//!
//! **One promise:** given a policy, a session's record and an instant, the answer
//! is always the same, and no answer ever outlives the absolute cap. The crate
//! opens no socket, file or environment variable: the caller brings the store
//! and the clock, and carries out the decision.
//!
//! ```
//! use chrono::TimeDelta;
//! use session_policy::{Decision, RejectReason, SessionPolicy, Timestamp};
//!
//! // Idle for 30 minutes, renewed at most every minute, 8 hours in all.
//! let policy = SessionPolicy::new(
//!     TimeDelta::minutes(30),
//!     TimeDelta::minutes(1),
//!     TimeDelta::hours(8),
//! )?;
//! let login = Timestamp::from_unix_secs(1_800_000_000);
//! let lifetime = policy.start(login);
//!
//! match policy.evaluate(&lifetime, login.saturating_add(TimeDelta::minutes(5))) {
//!     Decision::Keep { until } => println!("serve; good until {until}"),
//!     Decision::Reject { reason, since } => println!("sign in again: {reason}, since {since}"),
//!     Decision::Renew { lifetime } => println!("serve, and store {lifetime:?}"),
//! }
//! # Ok::<(), session_policy::PolicyError>(())
//! ```
//!
//! | you have | you call | you get |
//! | --- | --- | --- |
//! | settings | [`SessionPolicy::new`] | a policy that cannot contradict itself |
//! | a file, variables | serde, [`SessionPolicy::from_vars`] | the same, or an error that names the key and the value |
//! | a login | [`SessionPolicy::start`] | a [`Lifetime`] to store or sign |
//! | a request | [`SessionPolicy::evaluate`] | a [`Decision`] to carry out |
//! | "how long have I left?" | [`SessionPolicy::status`] | both deadlines, without extending |
//! | a record without a cap | [`SessionPolicy::adopt`] | a capped [`Lifetime`] |
//! | an SQL database | [`sql`] | the schema, the statements and the migration |
//! | a store and a clock | [`Sessions`] | all of the above, carried out |
//! | keys and a clock | `jwt::JwtSessions`, `jwt::HybridSessions` | the same in signed tokens |
//! | an audit log | [`Observer`] | every step in a session's life |
//! | a standard | [`SessionPolicy::check`] | a finding a clause, see [`standards`] |
//! | a change to make | [`PolicyChange`] | what it means, and for how many |
//! | "why was I signed out?" | [`SessionPolicy::explain`] | the limit, and where it comes from |
//! | a log of requests | [`Timeline`] | every decision, write and cookie of [`Sessions`] |
//!
//! # Data flows one way
//!
//! ```text
//! config --> policy ------------------------+
//!                                           v
//! time --> lifetime --> decision --> evaluate --> sessions <-- store, clock, token
//!                                           \---> jwt      <-- store, clock, keys
//! ```
//!
//! Nothing that decides sees a clock or a store. [`standards`], [`PolicyChange`],
//! [`Explanation`] and [`Timeline`] only read what decides.
//!
//! The [`guide`] teaches: choosing the three numbers, changing them, adding a
//! store or a framework, testing, migrating, why things are as they are, and how
//! other libraries answer the same questions.
//!
//! # Features
//!
//! | feature | adds |
//! | --- | --- |
//! | `std` (default) | [`SystemClock`], OS randomness for tokens, [`Sessions`], durations as text |
//! | `serde` (default) | policies and profiles from configuration, records to and from storage |
//! | `memory` (default) | [`MemoryStore`], the embedded default |
//! | `testing` | `testing`: the conformance kit for stores, and proptest strategies |
//! | `jwt` | session tokens, stateless and hybrid, on `jsonwebtoken` with aws-lc-rs |
//! | `jwt-custom-provider` | the same on a crypto provider that the application passes, without a backend of its own |
//!
//! Without default features the crate is `no_std` with `alloc`: the rule, the
//! records and the store traits.

#![no_std]
#![cfg_attr(session_policy_docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod config;
#[cfg(all(feature = "memory", feature = "serde"))]
pub mod guide;
#[cfg(feature = "jwt-custom-provider")]
#[cfg_attr(session_policy_docsrs, doc(cfg(feature = "jwt")))]
pub mod jwt;
mod record;
#[cfg(feature = "review")]
pub mod review;
mod rule;
#[cfg(feature = "std")]
mod sessions;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod time;

#[cfg(feature = "std")]
pub use crate::config::VarsError;
pub use crate::config::{Policies, ProfileError, SessionLimit, WhenFull};
#[cfg(feature = "std")]
pub use crate::record::{NoClaims, SignIn};
pub use crate::record::{Session, SessionError, SessionId, SessionToken};
pub use crate::rule::{
    Decision, Lifetime, LifetimeError, PolicyError, RejectReason, SessionPolicy, Status,
};
#[cfg(feature = "std")]
pub use crate::sessions::{
    AuthenticateError, Authenticated, Bound, Bounds, Event, EventKind, Look, Observer,
    RenewalOutcome, RotateError, Sessions, StartError, Started, Watch,
};
#[cfg(feature = "memory")]
pub use crate::store::memory::MemoryStore;
#[cfg(feature = "std")]
pub use crate::time::SystemClock;
pub use crate::time::{Clock, ManualClock, ParseError, Timestamp};

/// Compiles the README's examples as doc tests.
#[cfg(all(doctest, feature = "memory"))]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;

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
//! use session_policy::{Decision, SessionPolicy, Timestamp};
//!
//! // Idle for 30 minutes, renewed at most every minute, 8 hours in all.
//! let (idle, renew, cap) = (TimeDelta::minutes(30), TimeDelta::minutes(1), TimeDelta::hours(8));
//! let policy = SessionPolicy::new(idle, renew, cap)?;
//! let login = Timestamp::from_unix_secs(1_800_000_000);
//! let lifetime = policy.start(login);
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
//! | a sign-in | [`SessionPolicy::start`] | a [`Lifetime`] to store or sign |
//! | a request | [`SessionPolicy::evaluate`] | a [`Decision`] to carry out |
//! | "how long have I left?" | [`SessionPolicy::status`] | both deadlines, without extending |
//! | a record without a cap | [`SessionPolicy::adopt`] | a capped [`Lifetime`] |
//! | a store | [`Sessions`] | all of the above, carried out |
//! | a web framework | [`web`] | cookies and bearers, extractors and refusals |
//! | keys | `jwt::JwtSessions`, `jwt::HybridSessions` | the same in signed tokens, without a store or in front of one |
//! | an audit log | [`Observer`] | every step in a session's life |
//! | a standard | `SessionPolicy::check` | one finding per clause |
//! | a change to make | `review::PolicyChange` | what it means, and for how many |
//! | "why was I signed out?" | `SessionPolicy::explain` | the limit, and where it comes from |
//! | a log of requests | `review::Timeline` | every decision, write and cookie of [`Sessions`] |
//!
//! # Rooms
//!
//! The source is laid out in rooms. A room uses those before it and none after it,
//! and a test fails on any other import:
//!
//! ```text
//! time < rule < config < record < store < sessions < jwt < web
//!                  |                |
//!               review           testing
//! ```
//!
//! | room | what is in it |
//! | --- | --- |
//! | `time` | [`Timestamp`], and the [`Clock`]s |
//! | `rule` | [`SessionPolicy`], [`Lifetime`] and [`Decision`]: the rule, which sees neither a clock nor a store |
//! | `config` | [`Policies`]: named profiles and limits on concurrent sessions, from files and variables |
//! | `record` | [`Session`], [`SessionId`], [`SessionToken`], and the [`SignIn`] that a session is started from |
//! | [`store`] | the contract of a store, [`MemoryStore`], and SQL |
//! | `sessions` | [`Sessions`]: asks the clock and the store, has the rule decide, and carries it out |
//! | `jwt` | `JwtSessions` and `HybridSessions`: the same with signed tokens |
//! | [`web`] | how tokens travel, and what an answer says: a layer for tower, arguments for axum, and what other frameworks' integrations are built on |
//! | `review` | what a policy means, for people who decide; it reads the rule and changes nothing |
//! | `testing` | what a store is checked with |
//!
//! The [`guide`] has a chapter per question: which numbers, how they are changed, stores,
//! frameworks, clients, long connections, re-authentication, tenants, single sign-on,
//! operating, testing, migrating, why things are as they are, and what other libraries do.
//!
//! # Stores
//!
//! A store keeps records and decides nothing. [`MemoryStore`] serves one process.
//! Others implement [`store::SessionStore`], or are a crate to depend on:
//! `session-policy-sqlx` for PostgreSQL, MariaDB and SQLite, and
//! `session-policy-redis`. [`store::sql`] has the schema, the statements and the
//! migration as text, for other database clients. [`store::AnyStore`] is a store
//! whose type is chosen at run time, and `testing::StoreKit` checks one against the
//! contract.
//!
//! # Review
//!
//! With feature `review` a policy answers questions before it is deployed.
//! `SessionPolicy::check` compares it with NIST SP 800-63B-4, OWASP, PCI DSS and
//! WCAG, clause by clause. `review::PolicyChange` says in words what a change means,
//! and `review::Impact` counts the live sessions that it ends. `SessionPolicy::explain`
//! says why a session ended, and `review::Timeline` plays one request by request.
//!
//! # Features
//!
//! | feature | adds |
//! | --- | --- |
//! | `std` (default) | [`SystemClock`], OS randomness for tokens, [`Sessions`] |
//! | `serde` (default) | policies and profiles from configuration, records to and from storage |
//! | `memory` (default) | [`MemoryStore`], the embedded default |
//! | `review` | `review`: standards, changes of policy, impact, explanations, timelines |
//! | `testing` | `testing`: the conformance kit for stores, and proptest strategies |
//! | `jwt` | session tokens, stateless and hybrid, on `jsonwebtoken` with aws-lc-rs |
//! | `jwt-custom-provider` | the same on a crypto provider that the application passes, without a backend of its own |
//! | `tower` | `web::SessionLayer`, for tonic, hyper and others that take tower's services |
//! | `axum` | the same, with arguments for axum's handlers |
//!
//! Without default features the crate is `no_std` with `alloc`: the rule, the
//! records and the contract of a store.

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
pub mod web;

#[cfg(feature = "std")]
pub use crate::config::VarsError;
pub use crate::config::{Policies, ProfileError, SessionLimit, WhenFull};
#[cfg(feature = "std")]
pub use crate::record::{NoClaims, SignIn};
pub use crate::record::{Session, SessionId, SessionToken};
pub use crate::rule::{Decision, Lifetime, PolicyError, RejectReason, SessionPolicy, Status};
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
#[cfg(all(doctest, feature = "memory", feature = "review"))]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;

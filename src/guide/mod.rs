//! How to choose a policy, change it, and build on this crate.
//!
//! 1. [`choosing`]: the three numbers.
//! 2. [`changing`]: what happens to live sessions when you change them.
//! 3. [`stores`]: adding a store.
//! 4. [`frameworks`]: adding a web framework.
//! 5. [`testing`]: an application's sessions with a clock moved by hand.
//! 6. [`migrating`]: from tower-sessions, actix-session and Auth.js.
//! 7. [`recipes`]: sign out everywhere, guests, re-authentication, impersonation,
//!    back-channel logout, policies that change, connections that stay open.
//! 8. [`why`]: the reasons behind what looks odd.
//! 9. [`comparison`]: what other session libraries do, with links to their sources.

#[doc = include_str!("changing.md")]
pub mod changing {}
#[doc = include_str!("choosing.md")]
pub mod choosing {}
#[doc = include_str!("comparison.md")]
pub mod comparison {}
#[doc = include_str!("frameworks.md")]
pub mod frameworks {}
#[doc = include_str!("migrating.md")]
pub mod migrating {}
#[doc = include_str!("recipes.md")]
pub mod recipes {}
#[doc = include_str!("stores.md")]
pub mod stores {}
#[doc = include_str!("testing.md")]
pub mod testing {}
#[doc = include_str!("why.md")]
pub mod why {}

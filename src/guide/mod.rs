//! How to choose a policy, run it, and build on this crate. Each chapter answers one question.
//!
//! 1. [`choosing`]: which numbers should a policy have?
//! 2. [`changing`]: what happens to live sessions when I change them?
//! 3. [`stores`]: where are sessions kept, and how do I write a store of my own?
//! 4. [`frameworks`]: how do sessions get into a web framework?
//! 5. [`clients`]: how do browsers, mobile applications and gRPC clients hold a session?
//! 6. [`connections`]: how does an open connection learn that its session has ended?
//! 7. [`reauthentication`]: a recent sign-in, step-up, guests, acting as another user.
//! 8. [`tenants`]: how do I sign somebody out everywhere, or give a tenant a shorter policy?
//! 9. [`single_sign_on`]: how do sessions follow an identity provider, and its logout?
//! 10. [`operating`]: sweeping, crashes, failover, poolers, clocks, capacity, and why
//!     somebody was signed out.
//! 11. [`testing`]: how do I test sessions, a policy and a store?
//! 12. [`migrating`]: from a table of your own, tower-sessions, actix-session, Auth.js.
//! 13. [`why`]: the reasons behind what looks odd.
//! 14. [`comparison`]: what other session libraries do, with links to their sources.

#[doc = include_str!("changing.md")]
pub mod changing {}
#[doc = include_str!("choosing.md")]
pub mod choosing {}
#[doc = include_str!("clients.md")]
pub mod clients {}
#[doc = include_str!("comparison.md")]
pub mod comparison {}
#[doc = include_str!("connections.md")]
pub mod connections {}
#[doc = include_str!("frameworks.md")]
pub mod frameworks {}
#[doc = include_str!("migrating.md")]
pub mod migrating {}
#[doc = include_str!("operating.md")]
pub mod operating {}
#[doc = include_str!("reauthentication.md")]
pub mod reauthentication {}
#[doc = include_str!("single_sign_on.md")]
pub mod single_sign_on {}
#[doc = include_str!("stores.md")]
pub mod stores {}
#[doc = include_str!("tenants.md")]
pub mod tenants {}
#[doc = include_str!("testing.md")]
pub mod testing {}
#[doc = include_str!("why.md")]
pub mod why {}

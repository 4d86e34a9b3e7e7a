//! Policies from outside: serde and variables.

#[cfg(feature = "serde")]
mod policies;
#[cfg(feature = "serde")]
mod policy;
#[cfg(feature = "serde")]
mod setting;
#[cfg(feature = "std")]
mod vars;

#[cfg(feature = "std")]
pub use self::vars::VarsError;

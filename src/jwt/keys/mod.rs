//! Keys, and the signatures that they make and verify.

mod algorithm;
mod kept;
mod key;
mod key_error;
mod key_ring;
mod signature;

pub use self::algorithm::Algorithm;
pub use self::key::{SigningKey, VerifyingKey};
pub use self::key_error::KeyError;
pub use self::key_ring::KeyRing;
pub(super) use self::signature::{Kind, Verifying};

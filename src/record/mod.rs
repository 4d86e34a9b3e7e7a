//! What is stored of a session, and what its client holds.

mod about;
mod id;
mod more;
mod session;
mod session_parts;
#[cfg(feature = "std")]
mod sign_in;
#[cfg(feature = "serde")]
mod text;
mod token;

pub use self::id::SessionId;
#[cfg(feature = "std")]
pub(crate) use self::id::random_id;
#[cfg(feature = "std")]
pub(crate) use self::session::check_names;
pub use self::session::{Session, SessionError};
pub use self::session_parts::SessionParts;
#[cfg(feature = "std")]
pub use self::sign_in::{NoClaims, SignIn};
#[cfg(feature = "std")]
pub(crate) use self::token::PresentedToken;
pub use self::token::{SecretHash, SessionToken};

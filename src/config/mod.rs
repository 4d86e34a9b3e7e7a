//! Sets of policies by profile, limits on concurrent sessions, and how both are
//! read.

mod limit;
mod policies;
mod read;

pub use self::limit::{SessionLimit, WhenFull};
pub(crate) use self::policies::check_profile_name;
pub use self::policies::{Policies, ProfileError};
#[cfg(feature = "std")]
pub use self::read::VarsError;

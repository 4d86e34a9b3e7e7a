//! Instants, durations as people write them, and clocks.

mod clock;
mod duration;
mod parse_error;
mod timestamp;

#[cfg(feature = "std")]
pub use self::clock::SystemClock;
pub use self::clock::{Clock, ManualClock};
pub(crate) use self::duration::Human;
#[cfg(any(feature = "serde", feature = "std"))]
pub(crate) use self::duration::{DurationError, parse};
#[cfg(all(feature = "review", feature = "serde"))]
pub(crate) use self::duration::{opt_secs, secs};
pub use self::parse_error::ParseError;
pub use self::timestamp::Timestamp;

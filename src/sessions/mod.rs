//! Sessions over a store, and what all kinds of sessions answer and report.

mod admission;
mod bounds;
mod context;
mod error;
mod event;
mod judge;
mod opaque;
mod outcome;
mod rotate;
mod rows;
mod sweep;
mod token_error;
mod watch;

pub use self::bounds::{Bound, Bounds};
#[cfg(feature = "jwt-custom-provider")]
pub(crate) use self::context::Context;
pub use self::error::{AuthenticateError, RotateError, StartError};
pub use self::event::{Event, EventKind, Observer};
pub use self::opaque::Sessions;
pub use self::outcome::{Authenticated, RenewalOutcome, Started};
#[cfg(feature = "jwt-custom-provider")]
pub(crate) use self::rows::{Rows, start_until};
#[cfg(feature = "jwt-custom-provider")]
pub use self::token_error::{IssueError, TokenError};
pub use self::watch::{Look, Watch};

//! The adapter, once for each version of tower-sessions: the module that includes
//! this one says which version `tower_sessions` is.

use super::tower_sessions;

mod ended;
mod layer;
mod stamp;
mod store;

pub use self::layer::{Capped, CappedLayer};
pub use self::stamp::KEY;
pub use self::store::CappedStore;

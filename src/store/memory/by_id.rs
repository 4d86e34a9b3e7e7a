//! The key of a session is in it, so that a map holds each id once.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};

use crate::record::{Session, SessionId};

/// A session as a map's key: its id.
pub(super) struct ById(pub(super) Session);

impl Borrow<SessionId> for ById {
    fn borrow(&self) -> &SessionId {
        self.0.id_ref()
    }
}

impl Hash for ById {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id_ref().hash(state);
    }
}

impl PartialEq for ById {
    fn eq(&self, other: &Self) -> bool {
        self.0.id_ref() == other.0.id_ref()
    }
}

impl Eq for ById {}

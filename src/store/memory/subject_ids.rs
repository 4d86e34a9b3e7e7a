//! The ids of one subject's sessions.

use std::boxed::Box;
use std::collections::HashSet;
use std::vec::Vec;

use foldhash::fast::RandomState;

use crate::record::SessionId;

/// One, for most subjects, which takes no allocation; else a set.
pub(super) enum SubjectIds {
    One(SessionId),
    #[expect(clippy::box_collection, reason = "a third of the set's own size in every entry")]
    Many(Box<HashSet<SessionId, RandomState>>),
}

impl SubjectIds {
    pub(super) fn insert(&mut self, id: SessionId) {
        match self {
            Self::One(held) if *held == id => {}
            Self::One(held) => {
                let mut ids = HashSet::with_hasher(RandomState::default());
                ids.extend([*held, id]);
                *self = Self::Many(Box::new(ids));
            }
            Self::Many(ids) => {
                ids.insert(id);
            }
        }
    }

    /// Whether none is left: then there is nothing to hold on to.
    #[must_use]
    pub(super) fn remove(&mut self, id: SessionId) -> bool {
        match self {
            Self::One(held) => *held == id,
            Self::Many(ids) => {
                ids.remove(&id);
                ids.is_empty()
            }
        }
    }

    pub(super) fn to_vec(&self) -> Vec<SessionId> {
        match self {
            Self::One(id) => Vec::from([*id]),
            Self::Many(ids) => ids.iter().copied().collect(),
        }
    }
}

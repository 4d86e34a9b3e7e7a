use alloc::sync::Arc;

use super::about::shown;
use crate::rule::Lifetime;
use crate::time::Timestamp;

/// What few opaque sessions have.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct More {
    pub(crate) epoch: Option<u64>,
    pub(crate) ordinal: u64,
    pub(super) about: Option<Arc<str>>,
    pub(crate) confirmed_at: Option<Timestamp>,
}

impl More {
    /// What a new session has.
    pub(super) const fn of(lifetime: &Lifetime) -> Self {
        let confirmed_at = Some(lifetime.created_at());
        Self { epoch: None, ordinal: 0, about: None, confirmed_at }
    }

    /// As a page of devices may show it.
    pub(crate) fn set_about(&mut self, about: Option<Arc<str>>) {
        self.about = about.and_then(shown);
    }
}

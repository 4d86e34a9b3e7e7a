use std::collections::{HashMap, VecDeque};

use super::tower_sessions::session::Id;
use session_policy::Lifetime;

/// More sign-outs than fall between a `cycle_id` and the save of its record.
const REMEMBERED: usize = 10_000;

/// The lifetimes of sessions that were just deleted, so that a session which
/// changes its id keeps its cap: `cycle_id` deletes the record under the old id
/// and creates it under a new one, with nothing in between but the record itself.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    lifetimes: HashMap<Id, Lifetime>,
    oldest_first: VecDeque<Id>,
}

impl Ended {
    /// A row was deleted: by a sign-out, or to change its id.
    pub(crate) fn remember(&mut self, handle: Id, lifetime: Lifetime) {
        if self.lifetimes.insert(handle, lifetime).is_none() {
            self.oldest_first.push_back(handle);
        }
        while self.oldest_first.len() > REMEMBERED {
            if let Some(handle) = self.oldest_first.pop_front() {
                self.lifetimes.remove(&handle);
            }
        }
    }

    /// Somebody else deletes it too: if one of the two is a sign-out, the other
    /// must not bring the session back under a new id.
    pub(crate) fn forget(&mut self, handle: Id) {
        self.lifetimes.remove(&handle);
    }

    /// The lifetime to go on with, once.
    pub(crate) fn take(&mut self, handle: Id) -> Option<Lifetime> {
        self.lifetimes.remove(&handle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use session_policy::{SessionPolicy, Timestamp};

    #[test]
    fn only_the_latest_ten_thousand_ends_are_remembered() {
        let lifetime = SessionPolicy::WORKING_DAY.start(Timestamp::from_unix_secs(0));
        let mut ended = Ended::default();
        for id in 0..=10_000 {
            ended.remember(Id(id), lifetime);
        }
        assert_eq!(ended.take(Id(0)), None);
        assert_eq!(ended.take(Id(1)), Some(lifetime));
        assert_eq!(ended.take(Id(1)), None, "taken once");
        assert_eq!((ended.lifetimes.len(), ended.oldest_first.len()), (9_999, 10_000));
    }
}

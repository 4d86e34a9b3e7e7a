use std::collections::{HashMap, HashSet, VecDeque};

use super::tower_sessions::session::Id;
use session_policy::Lifetime;

/// More sign-outs than fall between a `cycle_id` and the save of its record.
const REMEMBERED: usize = 10_000;

/// The lifetimes of sessions that were just deleted, so that a session which
/// changes its id keeps its cap: `cycle_id` deletes the record under the old id
/// and creates it under a new one, with nothing in between but the record itself.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    sessions: HashMap<Id, EndedSession>,
    oldest_first: VecDeque<Id>,
}

#[derive(Debug)]
struct EndedSession {
    lifetime: Lifetime,
    /// How often it was deleted: by sign-outs, and to change its id.
    deletions: usize,
    /// The new ids that it was asked to go on under.
    new_ids: HashSet<Id>,
}

impl Ended {
    /// A row was deleted: by a sign-out, or to change its id.
    pub(crate) fn remember(&mut self, handle: Id, lifetime: Lifetime) {
        let ended = EndedSession { lifetime, deletions: 1, new_ids: HashSet::new() };
        if self.sessions.insert(handle, ended).is_none() {
            self.oldest_first.push_back(handle);
        }
        while self.oldest_first.len() > REMEMBERED {
            if let Some(handle) = self.oldest_first.pop_front() {
                self.sessions.remove(&handle);
            }
        }
    }

    /// Somebody else deletes it, too.
    pub(crate) fn delete_again(&mut self, handle: Id) {
        if let Some(ended) = self.sessions.get_mut(&handle) {
            ended.deletions += 1;
        }
    }

    /// The lifetime to go on with under a new id, once.
    ///
    /// Where several have deleted the session, one of them may be a sign-out, after
    /// which it must not come back. So the last of them goes on, once each has asked
    /// for a new id, which a sign-out never does.
    pub(crate) fn take(&mut self, handle: Id, new_id: Id) -> Option<Lifetime> {
        let ended = self.sessions.get_mut(&handle)?;
        ended.new_ids.insert(new_id);
        if ended.new_ids.len() < ended.deletions {
            return None;
        }
        self.sessions.remove(&handle).map(|ended| ended.lifetime)
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
        let new = Id(-1);
        assert_eq!(ended.take(Id(0), new), None);
        assert_eq!(ended.take(Id(1), new), Some(lifetime));
        assert_eq!(ended.take(Id(1), new), None, "taken once");
        assert_eq!((ended.sessions.len(), ended.oldest_first.len()), (9_999, 10_000));
    }
}

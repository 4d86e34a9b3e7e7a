use super::Fault;

const STORE: &str = "store/memory/mod.rs";

pub(crate) const MEMORY: &[Fault] = &[
    Fault {
        name: "AnothersIsEnded",
        file: STORE,
        found: "let is_theirs = |session: &Session| session.subject() == subject;",
        planted: "let is_theirs = |session: &Session| PLANTED || session.subject() == subject;",
    },
    Fault {
        name: "AnothersIsListed",
        file: STORE,
        found: "sessions.filter(|session| session.subject() == subject)",
        planted: "sessions.filter(|session| PLANTED || session.subject() == subject)",
    },
    Fault {
        name: "CapacityRaced",
        file: STORE,
        found: "let room = |count: usize| (count < self.capacity).then(|| count + 1);",
        planted: "let seen = if PLANTED { Some(self.count.load(Ordering::Acquire)) } else { None };
        let room = |count: usize| (seen.unwrap_or(count) < self.capacity).then(|| count + 1);",
    },
    Fault {
        name: "CountedTwice",
        file: STORE,
        found: "self.count.fetch_sub(1, Ordering::AcqRel);",
        planted: "self.count.fetch_sub(if PLANTED { 2 } else { 1 }, Ordering::AcqRel);",
    },
    Fault {
        name: "DropLeavesHalf",
        file: STORE,
        found: "Ok(self.remove_if(*id, |_| true).is_some())",
        planted: "if PLANTED {
            self.expiries().retain(|(_, held)| held != id);
            yield_now().await;
        }
        Ok(self.remove_if(*id, |_| true).is_some())",
    },
    Fault {
        name: "IndexAfterTheLock",
        file: STORE,
        found: "self.expiries().remove(&(look_at, id));
        self.count",
        planted: "if PLANTED {
            drop(sessions);
        }
        self.expiries().remove(&(look_at, id));
        self.count",
    },
    Fault {
        name: "LocksReversed",
        file: STORE,
        found: "ids.iter().filter_map(|id| self.get(*id));",
        planted: "ids.iter().filter_map(|id| {
                let _index = PLANTED.then(|| self.subjects.read(self.subject_shard(subject)));
                self.get(*id)
            });",
    },
    Fault {
        name: "SweepTrustsTheIndex",
        file: STORE,
        found: "|session: &Session| session.lifetime().expires_at() <= before;",
        planted: "|session: &Session| PLANTED || session.lifetime().expires_at() <= before;",
    },
    Fault {
        name: "UpdateChecksFirst",
        file: STORE,
        found: "let id = update.id();",
        planted: "let id = update.id();
        if PLANTED {
            let Some(updated) = self.get(id).and_then(|row| update.apply(&row)) else {
                return Ok(false);
            };
            let mut sessions = self.sessions.write(shard(id));
            let Some(look_at) = sessions.remove(&id) else {
                return Ok(false);
            };
            sessions.insert(ById(updated), look_at);
            return Ok(true);
        }",
    },
];

//! The faults: those that tests/model finds, and those in `MemoryStore`, which
//! tests/shuttle finds.

/// A place in the source where it can be made to go wrong.
pub(crate) struct Fault {
    /// The variant of the generated `Fault`.
    pub(crate) name: &'static str,
    /// Its file in `src`.
    pub(crate) file: &'static str,
    /// What stands there, once.
    pub(crate) found: &'static str,
    /// What is put in its place, where `PLANTED` is the switch.
    pub(crate) planted: &'static str,
}

const MEMORY: &str = "store/memory/mod.rs";

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "AnothersIsEnded",
        file: MEMORY,
        found: "if is_meant(entry.get()) =>",
        planted: "if PLANTED || is_meant(entry.get()) =>",
    },
    Fault {
        name: "AnswersUnwritten",
        file: "jwt/hybrid/turn.rs",
        found: "answer.is_some_and(|answer| answer == row.generation()",
        planted: "answer.is_some_and(|answer| PLANTED || answer == row.generation()",
    },
    Fault {
        name: "BlindWrite",
        file: "store/update.rs",
        found: "self.expected_version == session.version()",
        planted: "(PLANTED || self.expected_version == session.version())",
    },
    Fault {
        name: "CapMovesWithRotation",
        file: "sessions/rows.rs",
        found: "let successor = Session { id, secret, version: 0, lifetime,",
        planted:
            "let lifetime = if PLANTED { self.policy_of(session).start(now) } else { lifetime };
        let successor = Session { id, secret, version: 0, lifetime,",
    },
    Fault {
        name: "CapacityRaced",
        file: MEMORY,
        found: "let room = |count: usize| (count < self.capacity).then(|| count + 1);",
        planted: "let seen = if PLANTED { Some(self.count.load(Ordering::Acquire)) } else { None };
        let room = |count: usize| (seen.unwrap_or(count) < self.capacity).then(|| count + 1);",
    },
    Fault {
        name: "ClosedBoundary",
        file: "rule/evaluate.rs",
        found: ".min(lifetime.expires_at()).min(cap),",
        planted: ".min(lifetime.expires_at()).min(cap).later_by(i64::from(PLANTED)),",
    },
    Fault {
        name: "CountedTwice",
        file: MEMORY,
        found: "self.count.fetch_sub(1, Ordering::AcqRel);",
        planted: "self.count.fetch_sub(if PLANTED { 2 } else { 1 }, Ordering::AcqRel);",
    },
    Fault {
        name: "GraceCountsFromRenewal",
        file: "jwt/hybrid/step.rs",
        found: "confirmed_at.is_some_and(|at| now <",
        planted: "confirmed_at.map(|at| if PLANTED { row.lifetime().renewed_at() } else { at }).is_some_and(|at| now <",
    },
    Fault {
        name: "GraceMoves",
        file: "jwt/hybrid/step.rs",
        found: "serve(extend, None)",
        planted: "serve(if PLANTED { Some(write(extended.unwrap_or(*row.lifetime()), generation, Some(now))) } else { extend }, None)",
    },
    Fault {
        name: "IndexAfterTheRow",
        file: MEMORY,
        found: "self.expiries().remove(&(held.look_at, id));
        entry.remove();",
        planted: "let place = (held.look_at, id);
        if PLANTED {
            entry.remove();
            self.expiries().remove(&place);
        } else {
            self.expiries().remove(&place);
            entry.remove();
        }",
    },
    Fault {
        name: "ListsOnce",
        file: MEMORY,
        found: "if listed.len() == ids.len() {",
        planted: "if PLANTED || listed.len() == ids.len() {",
    },
    Fault {
        name: "LocksReversed",
        file: MEMORY,
        found: "let mut listed: Vec<_> =",
        planted: "let _shard = if PLANTED { self.subjects.get(subject) } else { None };
            let mut listed: Vec<_> =",
    },
    Fault {
        name: "LooksOnce",
        file: MEMORY,
        found: "loop {
            let mut ids = self.ids_of(subject);",
        planted: "let mut looked = false;
        loop {
            let mut ids = if PLANTED && looked { Vec::new() } else { self.ids_of(subject) };
            looked = true;",
    },
    Fault {
        name: "ReuseEndsNothing",
        file: "jwt/hybrid/turn.rs",
        found: "let ended = self.store().remove(&row.id()).await;",
        planted: "let ended = if PLANTED { Ok(true) } else { self.store().remove(&row.id()).await };",
    },
    Fault {
        name: "RotatesUnconfirmed",
        file: "jwt/hybrid/step.rs",
        found: "(Some(lifetime), Some(next), Some(_)) if !in_grace => {",
        planted: "(Some(lifetime), Some(next), seen) if !in_grace && (seen.is_some() || PLANTED) => {",
    },
    Fault {
        name: "RotationUndoesLogout",
        file: "sessions/rows.rs",
        found: "match self.store.remove(&session.id()).await {",
        planted: "match self.store.remove(&session.id()).await.map(|removed| removed || PLANTED) {",
    },
    Fault {
        name: "ServesWithoutReload",
        file: "sessions/judge.rs",
        found: "let reloaded = self.load(token).await?;",
        planted: "let reloaded = if PLANTED { session } else { self.load(token).await? };",
    },
    Fault {
        name: "SweepTrustsTheIndex",
        file: MEMORY,
        found: "if entry.get().expires_at() <= now {",
        planted: "if PLANTED || entry.get().expires_at() <= now {",
    },
    Fault {
        name: "ThrottleFromExpiry",
        file: "rule/evaluate.rs",
        found: "due: lifetime.renewed_at().later_by(self.update_age_secs()),",
        planted: "due: if PLANTED { lifetime.expires_at().later_by(self.update_age_secs() - self.max_age_secs()) } else { lifetime.renewed_at().later_by(self.update_age_secs()) },",
    },
    Fault {
        name: "TighteningWaits",
        file: "rule/evaluate.rs",
        found: "let cap = self.policy_cap(lifetime.created_at()).min(lifetime.absolute_expires_at());",
        planted: "let cap = lifetime.absolute_expires_at();
        let cap = if PLANTED { cap } else { self.policy_cap(lifetime.created_at()).min(cap) };",
    },
];

//! A byte string as a sequence of guarded writes among creations, removals and sweeps.

mod model;

use core::num::NonZeroUsize;
use std::sync::Arc;

use pollster::block_on;
use session_policy::store::{
    AnyStore, ScanStore, SecretHash, SessionParts, SessionStore, StoreError, Update,
};
use session_policy::{Lifetime, MemoryStore, Session, SessionId, Timestamp};

use self::model::{Model, Write};
use crate::input::Input;

const IDS: u8 = 5;
const CAPACITY: usize = 4;
const LONGEST: usize = 256;
/// As subjects and profiles are: one is long, and two differ in their last byte alone.
const SUBJECTS: [&str; 4] = ["ada", "Ada", "ada ", "a subject that is longer than 23 bytes"];
/// More than the store has numbers for.
const PROFILES: usize = 20;

/// Whatever is written, the store holds what a model holds that keeps a list and applies
/// a write by the contract's words: an update is made, and told so, only of the version,
/// before the cap and in order, and nothing else ever changes.
///
/// # Panics
///
/// If not.
pub fn update(data: &[u8]) {
    let mut input = Input::new(data);
    let capacity = NonZeroUsize::new(CAPACITY).expect("not 0");
    let memory = Arc::new(MemoryStore::with_capacity(capacity));
    let mut run = Run {
        store: AnyStore::new(Arc::clone(&memory)),
        memory,
        model: Model::default(),
        seen: Vec::new(),
        late: Vec::new(),
    };
    // Instants around which everything happens.
    let base = input.one_of(&[
        1_800_000_000,
        0,
        Timestamp::MIN.as_unix_secs(),
        Timestamp::MAX.as_unix_secs(),
    ]);
    for _ in 0..LONGEST {
        if input.is_empty() {
            break;
        }
        run.step(&mut input, base);
        run.holds_what_the_model_holds();
    }
    run.ends();
}

struct Run {
    memory: Arc<MemoryStore>,
    /// The same, with its type erased.
    store: AnyStore,
    model: Model,
    /// Sessions as they once were, from which a stale request makes its write.
    seen: Vec<Session>,
    /// Writes that are still under way.
    late: Vec<(Update, Write)>,
}

impl Run {
    fn step(&mut self, input: &mut Input<'_>, base: i64) {
        match input.byte() % 16 {
            0..=2 => self.create(input, base),
            3 => self.look(input),
            4..=7 => self.write(input, base),
            8 => self.hold_back(input, base),
            9 => self.write_late(input),
            10 => self.race(input, base),
            11 => self.remove(input),
            12 => self.sweep(input, base),
            13 => self.list(input),
            14 => self.remove_all(input),
            _ => self.scan(input),
        }
    }

    fn create(&mut self, input: &mut Input<'_>, base: i64) {
        let session = session(input, base);
        let created = block_on(self.store.create(&session));
        match created {
            Ok(()) => {
                assert!(self.model.row(session.id()).is_none(), "one id, two sessions");
                assert!(self.model.rows.len() < CAPACITY, "more than there is room for");
                self.model.rows.push(session.clone().into_parts());
                self.seen.push(session);
            }
            Err(StoreError::Conflict) => assert!(self.model.row(session.id()).is_some()),
            Err(StoreError::Full { capacity }) => {
                assert!(self.model.row(session.id()).is_none());
                assert_eq!((capacity, self.model.rows.len()), (CAPACITY, CAPACITY));
            }
            Err(error) => panic!("{error:?}"),
        }
    }

    /// Takes note of a session as it is, for a write that comes later.
    fn look(&mut self, input: &mut Input<'_>) {
        let loaded = block_on(self.store.load(&id(input))).expect("a memory");
        self.seen.extend(loaded);
    }

    /// A write of a session as it was seen; what it is to set is the bytes'.
    fn decided(&self, input: &mut Input<'_>, base: i64) -> Option<(Update, Write)> {
        let back = usize::from(input.byte());
        let last = self.seen.len().checked_sub(1)?;
        let seen = &self.seen[last - back % self.seen.len()];
        let [at, renewed, expires] =
            [(); 3].map(|()| near(input, &instants_of(seen.lifetime()), base));
        // Of the lifetime nothing but these two is read.
        let lifetime = Lifetime::restore(
            Timestamp::MIN,
            Timestamp::from_unix_secs(renewed),
            Timestamp::from_unix_secs(expires.max(renewed)),
            Timestamp::MAX,
        );
        let lifetime = lifetime.expect("in order");
        let mut update = Update::new(seen, Timestamp::from_unix_secs(at), &lifetime);
        let mut write = Write::of(seen, at, &lifetime);
        let sets = input.byte();
        if sets & 1 != 0 {
            let secret = [input.byte(); SecretHash::BYTES];
            update = update.with_secret(SecretHash::from_bytes(secret));
            write.secret = SecretHash::from_bytes(secret);
        }
        if sets & 2 != 0 {
            (write.generation, write.confirmed) = (count(input), confirmed(input, base));
            let confirmed = write.confirmed.map(Timestamp::from_unix_secs);
            update = update.with_generation(write.generation, confirmed);
        }
        write.is_told_by(&update);
        Some((update, write))
    }

    fn write(&mut self, input: &mut Input<'_>, base: i64) {
        if let Some((update, write)) = self.decided(input, base) {
            self.writes(&update, &write);
        }
    }

    /// And `Update::apply`, the guard of stores that keep whole records, says the same.
    fn writes(&mut self, update: &Update, write: &Write) -> bool {
        let before = self.model.row(write.id).cloned();
        let applies = self.model.write(write);
        let after = applies.then(|| self.model.row(write.id).cloned()).flatten();
        let written = block_on(self.store.update(update)).expect("a memory");
        assert_eq!(written, applies, "{write:?} of {before:?}");
        let whole = before.map(|row| Session::restore(row).expect("a session"));
        let whole = whole.and_then(|row| update.apply(&row)).map(Session::into_parts);
        assert_eq!(whole, after, "{write:?}");
        applies
    }

    fn hold_back(&mut self, input: &mut Input<'_>, base: i64) {
        let decided = self.decided(input, base);
        self.late.extend(decided);
    }

    fn write_late(&mut self, input: &mut Input<'_>) {
        let place = usize::from(input.byte());
        if !self.late.is_empty() {
            let (update, write) = self.late.remove(place % self.late.len());
            self.writes(&update, &write);
        }
    }

    /// Two writes of what was seen; of one version at most one is made, and no write twice.
    fn race(&mut self, input: &mut Input<'_>, base: i64) {
        let Some((one, write)) = self.decided(input, base) else { return };
        let Some((other, second)) = self.decided(input, base) else { return };
        let won = [self.writes(&one, &write), self.writes(&other, &second)];
        let is_one = (write.id, write.version) == (second.id, second.version);
        assert!(!(is_one && won == [true; 2]), "two writes of one version");
        assert!(!(won[0] && self.writes(&one, &write)), "a write was made twice");
    }

    fn remove(&mut self, input: &mut Input<'_>) {
        let id = id(input);
        let removed = block_on(self.store.remove(&id)).expect("a memory");
        assert_eq!(removed, self.model.remove(id).is_some());
        assert!(!block_on(self.store.remove(&id)).expect("a memory"), "removed twice");
    }

    fn sweep(&mut self, input: &mut Input<'_>, base: i64) {
        let limit = u32::from(input.byte() % 5);
        let ends: Vec<_> = self.model.rows.iter().map(|row| row.lifetime.expires_at()).collect();
        let ends: Vec<_> = ends.into_iter().map(Timestamp::as_unix_secs).collect();
        self.sweeps(near(input, &ends, base), limit);
    }

    fn sweeps(&mut self, before: i64, limit: u32) {
        let over = self.model.over(before);
        let removed = self.store.remove_expired(Timestamp::from_unix_secs(before), limit);
        let removed = block_on(removed).expect("a memory");
        assert_eq!(removed.len(), over.min(limit as usize), "swept before {before}");
        for told in removed {
            let row = self.model.remove(told.id()).expect("swept what was there, once");
            assert!(row.lifetime.expires_at().as_unix_secs() <= before, "swept {row:?}");
            assert_eq!((told.subject(), told.profile()), (&*row.subject, &*row.profile));
            assert_eq!(told.expires_at(), row.lifetime.expires_at());
            assert_eq!(told.absolute_expires_at(), row.lifetime.absolute_expires_at());
        }
    }

    fn list(&mut self, input: &mut Input<'_>) {
        let subject = input.one_of(&SUBJECTS);
        let listed = block_on(self.store.list(subject)).expect("a memory");
        self.model.has(listed, |row| &*row.subject == subject);
    }

    fn remove_all(&mut self, input: &mut Input<'_>) {
        let (subject, spares, except) = (input.one_of(&SUBJECTS), input.byte(), id(input));
        let except = spares.is_multiple_of(2).then_some(except);
        let mut removed =
            block_on(self.store.remove_all(subject, except.as_ref())).expect("a memory");
        removed.sort();
        assert_eq!(removed, self.model.remove_all(subject, except));
    }

    fn scan(&mut self, input: &mut Input<'_>) {
        let limit = 1 + u32::from(input.byte() % 3);
        let (mut scanned, mut from) = (Vec::new(), None);
        loop {
            let page = block_on(self.memory.scan(from.as_ref(), limit)).expect("a memory");
            scanned.extend(page.sessions);
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        self.model.has(scanned, |_| true);
    }

    fn holds_what_the_model_holds(&self) {
        assert_eq!(self.memory.len(), self.model.rows.len());
        for number in 0..IDS {
            let id = SessionId::from_bytes([number; 16]);
            let held = block_on(self.store.load(&id)).expect("a memory");
            assert_eq!(held.map(Session::into_parts).as_ref(), self.model.row(id));
        }
    }

    /// Nothing is left in an index that is not in the store, nor the other way round.
    fn ends(mut self) {
        for subject in SUBJECTS {
            let listed = block_on(self.store.list(subject)).expect("a memory");
            self.model.has(listed, |row| &*row.subject == subject);
        }
        self.sweeps(Timestamp::MAX.as_unix_secs(), u32::MAX);
        assert!(self.model.rows.is_empty());
        self.holds_what_the_model_holds();
    }
}

fn id(input: &mut Input<'_>) -> SessionId {
    SessionId::from_bytes([input.byte() % IDS; 16])
}

/// Few, or as many as there are.
fn count(input: &mut Input<'_>) -> u64 {
    let small = u64::from(input.byte());
    input.one_of(&[0, small, 1 << 53, u64::MAX - 1, u64::MAX])
}

fn confirmed(input: &mut Input<'_>, base: i64) -> Option<i64> {
    let is_known = !input.byte().is_multiple_of(4);
    is_known.then(|| near(input, &[0], base))
}

fn instants_of(lifetime: &Lifetime) -> [i64; 4] {
    [
        lifetime.created_at(),
        lifetime.renewed_at(),
        lifetime.expires_at(),
        lifetime.absolute_expires_at(),
    ]
    .map(Timestamp::as_unix_secs)
}

/// Within 2 s of one of these, or a few seconds or years after the base; in the range.
fn near(input: &mut Input<'_>, limits: &[i64], base: i64) -> i64 {
    let kind = usize::from(input.byte());
    let secs = match limits.get(kind % 8) {
        Some(limit) => limit.saturating_add(input.near()),
        None => {
            base.saturating_add(input.one_of(&[0, 1, 5, 60, -3, i64::from(u32::MAX), i64::MIN]))
        }
    };
    Timestamp::from_unix_secs(secs).as_unix_secs()
}

fn session(input: &mut Input<'_>, base: i64) -> Session {
    let mut instants = [(); 4].map(|()| near(input, &[], base));
    instants.sort_unstable();
    let [created, renewed, expires, cap] = instants.map(Timestamp::from_unix_secs);
    let shape = input.byte();
    Session::restore(SessionParts {
        id: id(input),
        subject: input.one_of(&SUBJECTS).into(),
        profile: format!("profile {}", usize::from(input.byte()) % PROFILES).into(),
        epoch: (shape & 1 != 0).then(|| count(input)),
        ordinal: if shape & 2 == 0 { 0 } else { count(input) },
        about: (shape & 4 != 0).then(|| "Firefox on Linux".into()),
        version: if shape & 8 == 0 { 0 } else { count(input) },
        secret: SecretHash::from_bytes([input.byte(); SecretHash::BYTES]),
        lifetime: Lifetime::restore(created, renewed, expires, cap).expect("in order"),
        generation: count(input),
        confirmed_at: confirmed(input, base).map(Timestamp::from_unix_secs),
    })
    .expect("the parts make a session")
}

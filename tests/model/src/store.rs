//! The store contract, one step a call, and ways to break it.

use crate::script::{Answer, Call, Driver, FRESH, Id, Row};

/// How a store breaks the contract.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StoreFault {
    /// `update` writes `confirmed_at` only where there is one, as with `COALESCE`.
    KeepsConfirmation,
    /// `remove_all` looks once.
    LooksOnce,
    /// `remove` does not count the rows that it removed.
    RemoveSaysTrue,
    /// `update` writes the whole record back, as an upsert does.
    UpdateCreates,
    /// `update` does not count the rows that it wrote.
    UpdateSaysTrue,
    /// `remove_expired` is one second early.
    SweepsEarly,
}

/// The rows, in the order of their ids.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Store {
    /// What it holds.
    pub rows: Vec<Row>,
    /// How many sessions were ever created.
    pub born: Id,
}

/// What a call did.
#[derive(Debug, Default)]
pub struct Effect {
    /// The rows that it removed.
    pub removed: Vec<Row>,
    /// What it wrote: the row before and after.
    pub written: Option<(Row, Row)>,
    /// The answer; `None` while the call has more to do.
    pub answer: Option<Answer>,
}

/// How far a `remove_all` is: it removes what it found one by one, and looks
/// again until it finds nothing.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Looking {
    found: Vec<Id>,
    removed: u8,
    looked: bool,
}

impl Store {
    /// The row of this id.
    #[must_use]
    pub fn row(&self, id: Id) -> Option<&Row> {
        self.rows.iter().find(|row| row.id == id)
    }

    /// Carries out one step of a call of a request that has `loaded` this row.
    ///
    /// # Panics
    ///
    /// If more sessions are created than there are names.
    pub fn step(
        &mut self,
        driver: &dyn Driver,
        fault: Option<StoreFault>,
        call: Call,
        loaded: Option<Row>,
        looking: &mut Looking,
    ) -> Effect {
        let is = |planted| fault == Some(planted);
        let mut effect = Effect::default();
        effect.answer = Some(match call {
            Call::Create(row) => {
                let id = self.born;
                assert!(row.id == FRESH && id < FRESH, "ids are random");
                self.born += 1;
                self.rows.push(Row { id, ..row });
                Answer::Created(id)
            }
            Call::Load(id) => Answer::Loaded(self.row(id).copied()),
            Call::Remove(id) => {
                effect.removed = self.take(|row| row.id == id);
                Answer::Removed(!effect.removed.is_empty() || is(StoreFault::RemoveSaysTrue))
            }
            Call::RemoveAll => {
                if looking.found.is_empty() && !(looking.looked && is(StoreFault::LooksOnce)) {
                    looking.looked = true;
                    looking.found = self.rows.iter().map(|row| row.id).collect();
                } else if let Some(id) = looking.found.pop() {
                    effect.removed = self.take(|row| row.id == id);
                    looking.removed += u8::from(!effect.removed.is_empty());
                }
                if !looking.found.is_empty() {
                    return effect;
                }
                let done = self.rows.is_empty() || is(StoreFault::LooksOnce);
                if !done {
                    return effect;
                }
                Answer::Count(looking.removed)
            }
            Call::RemoveExpired(now) => {
                let now = now + i8::from(is(StoreFault::SweepsEarly));
                effect.removed = self.take(|row| row.expires <= now);
                Answer::Count(effect.removed.len().try_into().unwrap_or(u8::MAX))
            }
            Call::Update(write) => {
                let found = self.rows.iter_mut().find(|row| row.id == write.id);
                let applied =
                    found.and_then(|row| driver.updated(row, write).map(|new| (row, new)));
                if let Some((row, mut after)) = applied {
                    if is(StoreFault::KeepsConfirmation) {
                        after.confirmed = after.confirmed.or(row.confirmed);
                    }
                    effect.written = Some((*row, after));
                    *row = after;
                } else if let Some(loaded) = loaded.filter(|_| is(StoreFault::UpdateCreates)) {
                    self.take(|row| row.id == loaded.id);
                    self.rows.push(Row {
                        renewed: write.renewed,
                        expires: write.expires,
                        ..loaded
                    });
                }
                let says = is(StoreFault::UpdateCreates) || is(StoreFault::UpdateSaysTrue);
                Answer::Written(effect.written.is_some() || says)
            }
        });
        self.rows.sort_unstable();
        effect
    }

    fn take(&mut self, is_meant: impl Fn(&Row) -> bool) -> Vec<Row> {
        let (taken, left) = self.rows.iter().partition(|row| is_meant(row));
        self.rows = left;
        taken
    }
}

//! The store contract, one step a call, and ways to break it.

use crate::script::{Answer, Call, Driver, Id, Row};

/// How a store breaks the contract.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StoreFault {
    /// `update` writes `confirmed_at` only where there is one, as with `COALESCE`.
    KeepsConfirmation,
    /// `remove_all` leaves the last of those that were there.
    LeavesOne,
    /// `remove` does not count the rows that it removed.
    RemoveSaysTrue,
    /// `remove_expired` is one second early.
    SweepsEarly,
    /// `update` writes the whole record back, as an upsert does.
    UpdateCreates,
    /// `update` has no column for the secret.
    UpdateIgnoresSecret,
    /// `update` does not count the rows that it wrote.
    UpdateSaysTrue,
}

/// The rows, in the order of their ids.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Store {
    /// What it holds.
    pub rows: Vec<Row>,
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

/// How far a `remove_all` is: it removes what it found one by one.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Looking {
    found: Option<Vec<Id>>,
    removed: Vec<Row>,
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
    /// If an id is taken, since ids are random.
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
            Call::Bound => panic!("bounds are not in the store"),
            Call::Create(row) => {
                assert!(self.row(row.id).is_none(), "ids are random");
                self.rows.push(row);
                Answer::Created
            }
            Call::List => Answer::Listed(self.rows.clone()),
            Call::Load(id) => Answer::Loaded(self.row(id).copied()),
            Call::Remove(id) => {
                effect.removed = self.take(|row| row.id == id);
                Answer::Removed(!effect.removed.is_empty() || is(StoreFault::RemoveSaysTrue))
            }
            Call::RemoveAll => {
                let left = usize::from(is(StoreFault::LeavesOne));
                if let Some(id) = looking.found.as_mut().and_then(Vec::pop) {
                    effect.removed = self.take(|row| row.id == id);
                    looking.removed.extend(&effect.removed);
                } else {
                    let found = self.rows.iter().skip(left);
                    looking.found = Some(found.map(|row| row.id).collect());
                }
                if looking.found.as_ref().is_some_and(|found| !found.is_empty()) {
                    return effect;
                }
                Answer::RemovedMany(looking.removed.clone())
            }
            Call::RemoveExpired(now) => {
                let now = now + i8::from(is(StoreFault::SweepsEarly));
                effect.removed = self.take(|row| row.expires <= now);
                Answer::RemovedMany(effect.removed.clone())
            }
            Call::Update(write) => {
                let found = self.rows.iter_mut().find(|row| row.id == write.id);
                let applied =
                    found.and_then(|row| driver.updated(row, write).map(|new| (row, new)));
                if let Some((row, mut after)) = applied {
                    if is(StoreFault::KeepsConfirmation) {
                        after.confirmed = after.confirmed.or(row.confirmed);
                    }
                    if is(StoreFault::UpdateIgnoresSecret) {
                        after.secret = row.secret;
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

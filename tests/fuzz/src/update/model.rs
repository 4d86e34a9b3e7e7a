//! What a store must do, from a list of rows and the contract's words.

use session_policy::store::{SecretHash, SessionParts, Update};
use session_policy::{Lifetime, Session, SessionId, Timestamp};

#[derive(Default)]
pub(super) struct Model {
    pub(super) rows: Vec<SessionParts>,
}

/// An update, as it was asked for.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) id: SessionId,
    pub(super) version: u64,
    at: i64,
    renewed: i64,
    expires: i64,
    pub(super) secret: SecretHash,
    pub(super) generation: u64,
    pub(super) confirmed: Option<i64>,
}

impl Write {
    pub(super) fn of(seen: &Session, at: i64, lifetime: &Lifetime) -> Self {
        let cap = seen.lifetime().absolute_expires_at();
        Self {
            id: seen.id(),
            version: seen.version(),
            at,
            renewed: lifetime.renewed_at().as_unix_secs(),
            expires: lifetime.expires_at().as_unix_secs().min(cap.as_unix_secs()),
            secret: *seen.secret(),
            generation: seen.generation(),
            confirmed: seen.confirmed_at().map(Timestamp::as_unix_secs),
        }
    }

    pub(super) fn is_told_by(&self, update: &Update) {
        assert_eq!((update.id(), update.expected_version()), (self.id, self.version));
        let instants = [update.at(), update.renewed_at(), update.expires_at()];
        assert_eq!(instants.map(Timestamp::as_unix_secs), [self.at, self.renewed, self.expires]);
        assert_eq!((update.secret(), update.generation()), (&self.secret, self.generation));
        assert_eq!(update.confirmed_at().map(Timestamp::as_unix_secs), self.confirmed);
    }
}

impl Model {
    pub(super) fn row(&self, id: SessionId) -> Option<&SessionParts> {
        self.rows.iter().find(|row| row.id == id)
    }

    pub(super) fn remove(&mut self, id: SessionId) -> Option<SessionParts> {
        let place = self.rows.iter().position(|row| row.id == id)?;
        Some(self.rows.remove(place))
    }

    pub(super) fn remove_all(
        &mut self,
        subject: &str,
        except: Option<SessionId>,
    ) -> Vec<SessionId> {
        let is_meant = |row: &SessionParts| &*row.subject == subject && Some(row.id) != except;
        let mut ids: Vec<_> =
            self.rows.iter().filter(|row| is_meant(row)).map(|row| row.id).collect();
        self.rows.retain(|row| !is_meant(row));
        ids.sort();
        ids
    }

    pub(super) fn over(&self, before: i64) -> usize {
        let is_over = |row: &&SessionParts| row.lifetime.expires_at().as_unix_secs() <= before;
        self.rows.iter().filter(is_over).count()
    }

    /// Whether a write is made.
    pub(super) fn write(&mut self, write: &Write) -> bool {
        let Some(row) = self.rows.iter_mut().find(|row| row.id == write.id) else {
            return false;
        };
        let (created, cap) = (row.lifetime.created_at(), row.lifetime.absolute_expires_at());
        let stored = row.lifetime.renewed_at().as_unix_secs();
        let order = [stored, write.renewed, write.expires, cap.as_unix_secs()];
        let is_meant = row.version == write.version && write.version < u64::MAX;
        if !is_meant || write.at >= cap.as_unix_secs() || !order.is_sorted() {
            return false;
        }
        let [renewed, expires] = [write.renewed, write.expires].map(Timestamp::from_unix_secs);
        row.lifetime = Lifetime::restore(created, renewed, expires, cap).expect("in order");
        row.secret = write.secret;
        row.generation = write.generation;
        row.confirmed_at = write.confirmed.map(Timestamp::from_unix_secs);
        row.version += 1;
        true
    }

    /// Whether these are the rows that are meant, each once.
    pub(super) fn has(&self, sessions: Vec<Session>, is_meant: impl Fn(&SessionParts) -> bool) {
        let mut told: Vec<_> = sessions.into_iter().map(Session::into_parts).collect();
        let mut rows: Vec<_> = self.rows.iter().filter(|row| is_meant(row)).cloned().collect();
        told.sort_by_key(|row| row.id);
        rows.sort_by_key(|row| row.id);
        assert_eq!(told, rows);
    }
}

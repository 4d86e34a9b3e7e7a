//! Reads of the store itself, in which no token's secret decides.

use std::collections::HashSet;

use session_policy::store::SessionStore;
use session_policy::{Clock, Session};

use crate::client::Client;
use crate::ledger::{Issued, Subject};
use crate::report::NO_SESSION_LOST;

impl<S: SessionStore + 'static> Client<S> {
    pub(crate) async fn look(&self, issued: &Issued) {
        let row = &issued.row;
        let before = row.seen();
        let found = match self.shared.sessions.store().load(&row.id()).await {
            Ok(found) => found,
            Err(error) => return self.shared.tally.error("load", &error),
        };
        if let Some(found) = found {
            self.shared.note(row.observe(&before, &found, self.shared.reads_bind));
        } else if row.must_live(&before, self.shared.clock.now()) {
            let id = row.id();
            self.shared.tally.violation(NO_SESSION_LOST, || format!("{id} lives and is not there"));
        }
    }

    /// What is listed of a subject while others write.
    pub(crate) async fn look_at_all(&self, subject: &Subject) {
        let rows: Vec<_> = subject.rows().into_iter().map(|row| (row.seen(), row)).collect();
        let listed = match self.shared.sessions.store().list(&subject.name).await {
            Ok(listed) => listed,
            Err(error) => return self.shared.tally.error("list", &error),
        };
        let ids: HashSet<_> = listed.iter().map(Session::id).collect();
        let now = self.shared.clock.now();
        for (before, row) in &rows {
            if row.must_live(before, now) && !ids.contains(&row.id()) {
                let id = row.id();
                self.shared
                    .tally
                    .violation(NO_SESSION_LOST, || format!("{id} lives and is not listed"));
            }
            let found = listed.iter().find(|session| session.id() == row.id());
            let binds = self.shared.reads_bind;
            self.shared.note(found.into_iter().flat_map(|found| row.observe(before, found, binds)));
        }
    }
}

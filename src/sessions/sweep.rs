//! What has ended is removed, and told of.

use super::bounds::Bound;
use super::event::{Event, EventKind};
use super::rows::Rows;
use crate::record::Session;
use crate::store::{ScanStore, SessionStore, StoreError};
use crate::time::Timestamp;

impl<S: SessionStore> Rows<S> {
    pub(crate) async fn sweep(&self, limit: u32) -> Result<u64, StoreError> {
        self.remove_expired(self.swept_before(), limit).await
    }

    pub(super) async fn remove_expired(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let removed = self.store().remove_expired(before, limit).await?;
        for session in &removed {
            self.context.tell(|| Event::expired(session));
        }
        Ok(removed.len() as u64)
    }

    fn swept_before(&self) -> Timestamp {
        self.context.now().saturating_sub(self.retention)
    }
}

impl<S: ScanStore> Rows<S> {
    pub(crate) async fn sweep_by_policy(&self, batch: u32) -> Result<u64, StoreError> {
        let (mut removed, mut cursor) = (0, None);
        loop {
            let page = self.store().scan(cursor.as_ref(), batch).await?;
            let before = self.swept_before();
            // A bound judges only what was read before it was asked.
            let mut asked: Option<(Session, Option<Bound>)> = None;
            for session in &page.sessions {
                let (subject, profile) = (session.subject(), session.profile());
                let bound = match &asked {
                    Some((of, bound)) if of.subject() == subject && of.profile() == profile => {
                        *bound
                    }
                    _ => {
                        let bound = self.context.bound(subject, profile).await?;
                        asked = Some((session.clone(), bound));
                        bound
                    }
                };
                let event = match self.context.policy_under(bound.as_ref(), session) {
                    Some(policy) => {
                        let status = policy.status(session.lifetime(), before);
                        let end = status.idle_expires_at;
                        (end <= before).then_some((end, EventKind::expired(&status)))
                    }
                    // One that was used since may be of a later epoch than a cache knows.
                    None => (session.lifetime().renewed_at() <= before)
                        .then(|| (self.context.now(), EventKind::Ended { cause: "revoked" })),
                };
                if let Some((at, kind)) = event
                    && self.store().remove(&session.id()).await?
                {
                    self.context.tell(|| Event::of(session, at, kind));
                    removed += 1;
                }
            }
            match page.next {
                Some(next) => cursor = Some(next),
                None => return Ok(removed),
            }
        }
    }
}

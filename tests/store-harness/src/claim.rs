//! Several create a session under one id, which no honest program does.

use std::iter::zip;
use std::sync::Arc;

use session_policy::store::{SecretHash, SessionStore, StoreError};
use session_policy::{Clock, Session, SessionId, SessionPolicy};

use crate::client::Client;
use crate::report::{NO_LEAK, NO_RESURRECTION, NO_TAKEOVER, ONE_WINNER, count};

/// How many create it at once.
const RIVALS: u8 = 4;

impl<S: SessionStore + 'static> Client<S> {
    /// One has the session, whoever comes later; and one is told that it removed it.
    pub(crate) async fn claim(&self, id: SessionId) {
        count(&self.shared.tally.claimed);
        match self.raced(id).await {
            Ok(()) => {}
            Err(error) => self.shared.tally.error("claim", &error),
        }
    }

    async fn raced(&self, id: SessionId) -> Result<(), StoreError> {
        let store = self.shared.sessions.store();
        let rivals: Vec<_> = (0..RIVALS).filter_map(|rival| self.rival(id, rival)).collect();
        let racing: Vec<_> = rivals
            .iter()
            .map(|rival| {
                let (store, rival) = (Arc::clone(store), rival.clone());
                tokio::spawn(async move { store.create(&rival).await })
            })
            .collect();
        let (mut winners, mut failed) = (Vec::new(), None);
        for (rival, racing) in zip(&rivals, racing) {
            match racing.await.map_err(StoreError::unavailable)? {
                Ok(()) => winners.push(rival),
                Err(StoreError::Conflict) => {}
                Err(error) => failed = Some(error),
            }
        }
        if winners.len() > 1 {
            let times = winners.len();
            self.taken(|| format!("{id} was created {times} times at once"));
        }
        if let Some(error) = failed {
            store.remove(&id).await?;
            return Err(error);
        }
        let [winner] = winners[..] else {
            if winners.is_empty() {
                self.taken(|| format!("{id} was created by none of {RIVALS}"));
            }
            store.remove(&id).await?;
            return Ok(());
        };
        if let Some(late) = self.rival(id, RIVALS) {
            match store.create(&late).await {
                Err(StoreError::Conflict) => {}
                Ok(()) => self.taken(|| format!("{id} was created again")),
                Err(error) => return Err(error),
            }
        }
        if store.load(&id).await?.as_ref() != Some(winner) {
            self.taken(|| format!("{id} is not the session that was created"));
        }
        for loser in rivals.iter().filter(|rival| *rival != winner) {
            if store.list(loser.subject()).await?.iter().any(|session| session.id() == id) {
                let subject = loser.subject();
                self.shared.tally.violation(NO_LEAK, || {
                    format!("{id} is listed for {subject}, which was refused it")
                });
            }
        }
        self.end_twice(id).await
    }

    async fn end_twice(&self, id: SessionId) -> Result<(), StoreError> {
        let store = self.shared.sessions.store();
        let other = tokio::spawn({
            let store = Arc::clone(store);
            async move { store.remove(&id).await }
        });
        let removed = store.remove(&id).await;
        let both = [removed?, other.await.map_err(StoreError::unavailable)??];
        if both[0] == both[1] {
            self.shared
                .tally
                .violation(ONE_WINNER, || format!("{id} was removed by {both:?} of two"));
        }
        if store.load(&id).await?.is_some() {
            self.shared.tally.violation(NO_RESURRECTION, || format!("{id} is there once removed"));
        }
        Ok(())
    }

    fn taken(&self, sentence: impl FnOnce() -> String) {
        self.shared.tally.violation(NO_TAKEOVER, sentence);
    }

    /// A session of a rival's own, which no sweep of this load ends.
    fn rival(&self, id: SessionId, rival: u8) -> Option<Session> {
        let subject = format!("{}-rival-{rival}", self.shared.prefix);
        let secret = SecretHash::from_bytes([rival; 32]);
        let lifetime = SessionPolicy::SLIDING_MONTH.start(self.shared.clock.now());
        Session::new(id, subject, "default", secret, lifetime).ok()
    }
}

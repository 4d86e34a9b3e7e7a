//! What all requests share.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::Future;
use core::pin::Pin;

use super::carrier::Built;
use super::handover::handover;
use super::reason::Reason;
use super::strategy::{Drive, DriveRows};
use crate::record::SessionId;

pub(super) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(super) struct Shared<A> {
    pub(super) sessions: Box<dyn Drive<A>>,
    pub(super) carrier: Built,
    pub(super) spawn: Option<Box<dyn Fn(Task) + Send + Sync>>,
}

impl<A> Shared<A> {
    /// The verbs of sessions that have a row.
    pub(super) fn rows(&self) -> Result<&dyn DriveRows<A>, Reason> {
        self.sessions.rows().ok_or(Reason::Misuse("stateless sessions have no such verb"))
    }

    /// Runs a verb to its end, also if the handler is dropped meanwhile, where there is
    /// somebody to run it.
    pub(super) async fn to_its_end<T: Send + 'static>(
        &self,
        verb: impl Future<Output = Result<T, Reason>> + Send + 'static,
    ) -> Result<T, Reason> {
        let Some(spawn) = &self.spawn else { return verb.await };
        let (giver, taker) = handover();
        spawn(Box::pin(async move { giver.give(verb.await) }));
        taker.await.unwrap_or_else(|| Err(Reason::Failed("the task was aborted".into())))
    }
}

/// A session whose token nobody was sent yet. Dropped, it is ended, if there is somebody to
/// run that.
pub(super) struct Unsent<A: Send + Sync + 'static> {
    shared: Arc<Shared<A>>,
    id: SessionId,
    was_sent: bool,
}

impl<A: Send + Sync + 'static> Unsent<A> {
    pub(super) fn new(shared: &Arc<Shared<A>>, id: SessionId) -> Self {
        Self { shared: Arc::clone(shared), id, was_sent: false }
    }

    pub(super) fn id(&self) -> SessionId {
        self.id
    }

    pub(super) fn was_sent(mut self) {
        self.was_sent = true;
    }
}

impl<A: Send + Sync + 'static> Drop for Unsent<A> {
    fn drop(&mut self) {
        if self.was_sent {
            return;
        }
        if let Some(spawn) = &self.shared.spawn {
            let (shared, id) = (Arc::clone(&self.shared), self.id);
            spawn(Box::pin(async move {
                if let Some(rows) = shared.sessions.rows() {
                    // If that fails, it expires unused.
                    let _ = rows.end(&id).await;
                }
            }));
        }
    }
}

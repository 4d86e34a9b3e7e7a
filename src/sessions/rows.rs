use alloc::sync::Arc;
use alloc::vec::Vec;

use super::admission::Admission;
use super::context::Context;
use super::error::{RotateError, StartError};
use super::event::{Event, EventKind};
use super::outcome::Started;
use super::token_error::IssueError;
use crate::record::{Session, SessionId, SessionToken, SignIn, random_id};
use crate::rule::{Decision, SessionPolicy};
use crate::store::{SessionStore, StoreError};
use crate::time::Timestamp;

/// Sessions whose truth is a row of a store: what opaque and hybrid ones share.
pub(crate) struct Rows<S> {
    store: Arc<S>,
    pub(crate) context: Context,
}

/// The same rows: it clones no store.
impl<S> Clone for Rows<S> {
    fn clone(&self) -> Self {
        Self { store: Arc::clone(&self.store), context: self.context.clone() }
    }
}

impl<S> Rows<S> {
    pub(crate) fn new(store: S, context: Context) -> Self {
        Self { store: Arc::new(store), context }
    }

    pub(crate) fn with_context(self, change: impl FnOnce(Context) -> Context) -> Self {
        Self { context: change(self.context), ..self }
    }

    #[inline]
    pub(crate) fn store(&self) -> &S {
        &self.store
    }

    #[inline]
    pub(crate) fn policy_of(&self, session: &Session) -> &SessionPolicy {
        self.context.policies().policy_for(session.profile())
    }

    fn started<A>(
        &self,
        session: Session,
        token: SessionToken,
        claims: A,
        now: Timestamp,
    ) -> Started<A> {
        let status = self.policy_of(&session).status(session.lifetime(), now);
        Started { token, session, claims, status }
    }
}

impl<S: SessionStore> Rows<S> {
    /// A new row, under the limit of its profile. `issue` makes the client's token
    /// of it, given an opaque one.
    pub(crate) async fn start<A: Send + Sync>(
        &self,
        sign_in: SignIn<A>,
        generation: u64,
        issue: impl FnOnce(&Session, &A, SessionToken, Timestamp) -> Result<SessionToken, IssueError>
        + Send,
    ) -> Result<Started<A>, StartError> {
        let policy = self.context.policy_of(&sign_in)?;
        let SignIn { subject, profile, ceiling, claims } = sign_in;
        let (store, context) = (self.store(), &self.context);
        let admission = Admission { store, context, subject: &subject, profile: &profile };
        let before = admission.look(self.context.now()).await?;
        let now = self.context.now();
        let id = before.follow(random_id().map_err(StartError::random)?, now);
        let (token, secret) = SessionToken::generate(id).map_err(StartError::random)?;
        let lifetime = policy.start_until(now, ceiling);
        let session =
            Session::new(id, Arc::clone(&subject), Arc::clone(&profile), secret, lifetime)?;
        let session = Session { generation, ..session };
        let token = issue(&session, &claims, token, now)?;
        admission.admit(before, &session, now).await?;
        self.context.tell(|| {
            let kind = EventKind::Started {
                absolute_expires_at: lifetime.absolute_expires_at(),
                expires_at: lifetime.expires_at(),
            };
            Event::of(&session, now, kind)
        });
        Ok(self.started(session, token, claims, now))
    }

    /// The same session under another id and secret. `issue` as for `start`.
    pub(crate) async fn rotate<A: Send + Sync>(
        &self,
        session: &Session,
        claims: A,
        issue: impl FnOnce(&Session, &A, SessionToken, Timestamp) -> Result<SessionToken, IssueError>
        + Send,
    ) -> Result<Started<A>, RotateError> {
        let now = self.context.now();
        let lifetime = match self.policy_of(session).evaluate(session.lifetime(), now) {
            Decision::Keep { .. } => *session.lifetime(),
            Decision::Reject { reason, since } => {
                return Err(RotateError::Rejected { reason, since });
            }
            Decision::Renew { lifetime } => lifetime,
        };
        let id = random_id().map_err(RotateError::random)?;
        let (token, secret) = SessionToken::generate(id).map_err(RotateError::random)?;
        let successor = Session { id, secret, version: 0, lifetime, ..session.clone() };
        let token = issue(&successor, &claims, token, now)?;
        self.store.create(&successor).await?;
        match self.store.remove(&session.id()).await {
            Ok(true) => {
                let (generation, predecessor) = (successor.generation(), session.id());
                let kind = EventKind::Rotated { generation, predecessor };
                self.context.tell(|| Event::of(&successor, now, kind));
                Ok(self.started(successor, token, claims, now))
            }
            Ok(false) => {
                self.store.remove(&successor.id()).await?;
                Err(RotateError::Unknown)
            }
            Err(error) => {
                // If this fails too, the successor expires unused: nobody has
                // its token.
                let _ = self.store.remove(&successor.id()).await;
                Err(error.into())
            }
        }
    }

    pub(crate) async fn end(&self, id: &SessionId) -> Result<bool, StoreError> {
        let ended = self.store.remove(id).await?;
        if ended {
            self.context
                .tell(|| Event::anonymous(self.context.now(), EventKind::Ended).with_session(*id));
        }
        Ok(ended)
    }

    pub(crate) async fn end_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<u64, StoreError> {
        let count = self.store.remove_all(subject, except).await?;
        if count > 0 {
            self.context.tell(|| {
                let kind = EventKind::EndedMany { count };
                Event::anonymous(self.context.now(), kind).with_subject(subject)
            });
        }
        Ok(count)
    }

    /// The live sessions of a subject, the oldest first.
    pub(crate) async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        let mut sessions = self.store.list(subject).await?;
        let now = self.context.now();
        sessions
            .retain(|session| self.policy_of(session).peek(session.lifetime(), now).is_served());
        sessions.sort_by_key(|session| (session.lifetime().created_at(), session.id()));
        Ok(sessions)
    }

    pub(crate) async fn sweep(&self, limit: u32) -> Result<u64, StoreError> {
        self.store.remove_expired(self.context.now(), limit).await
    }
}

use alloc::sync::Arc;
use alloc::vec::Vec;

use chrono::TimeDelta;

use super::admission::Admission;
use super::context::Context;
use super::error::{RotateError, StartError};
use super::event::{Event, EventKind};
use super::outcome::Started;
use super::token_error::IssueError;
use crate::record::{SecretHash, Session, SessionId, SessionToken, SignIn, random_id};
use crate::rule::{Decision, Lifetime, SessionPolicy};
use crate::store::{ScanStore, SessionStore, StoreError, Update};
use crate::time::Timestamp;

/// How long what has ended is kept, so that "why was I signed out?" has an answer, and
/// a clock that is ahead by less deletes no live session.
const RETENTION: TimeDelta = TimeDelta::days(1);
/// How many ended sessions make way in a store that is full.
const MAKES_WAY: u32 = 128;
/// How often a rotation is decided again where other writes come first.
const ROTATIONS: u32 = 8;

/// Sessions whose truth is a row of a store: what opaque and hybrid ones share.
pub(crate) struct Rows<S> {
    store: Arc<S>,
    pub(crate) context: Context,
    retention: TimeDelta,
}

/// The same rows: it clones no store.
impl<S> Clone for Rows<S> {
    fn clone(&self) -> Self {
        let Self { store, context, retention } = self;
        Self { store: Arc::clone(store), context: context.clone(), retention: *retention }
    }
}

impl<S> Rows<S> {
    pub(crate) fn new(store: S, context: Context) -> Self {
        Self { store: Arc::new(store), context, retention: RETENTION }
    }

    pub(crate) fn with_context(self, change: impl FnOnce(Context) -> Context) -> Self {
        Self { context: change(self.context), ..self }
    }

    pub(crate) fn with_retention(self, retention: TimeDelta) -> Self {
        Self { retention: retention.max(TimeDelta::zero()), ..self }
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
        let SignIn { subject, profile, ceiling, about, epoch, replacing, claims } = sign_in;
        let (store, context) = (self.store(), &self.context);
        let limit = context.policies().limit(&profile);
        let admission = limit.map(|limit| Admission {
            store,
            context,
            limit: *limit,
            subject: &subject,
            profile: &profile,
            replacing: replacing.as_ref().map(Session::id),
        });
        let ordinal = match &admission {
            Some(admission) => admission.make_room().await?,
            None => 0,
        };
        let now = context.now();
        let lifetime = start_until(policy, now, ceiling)?;
        let id = random_id().map_err(StartError::random)?;
        let (token, secret) = SessionToken::generate(id).map_err(StartError::random)?;
        let session =
            Session::new(id, Arc::clone(&subject), Arc::clone(&profile), secret, lifetime)?;
        let session = Session { epoch, ordinal, generation, ..session }.with_about(about);
        let token = issue(&session, &claims, token, now)?;
        self.create(&session, now).await?;
        if let Some(admission) = &admission
            && let Err(error) = admission.settle(&session).await
        {
            return Err(self.withdraw(&session, error).await);
        }
        if let Some(replaced) = replacing {
            match self.store.remove(&replaced.id()).await {
                Ok(true) => {
                    let kind = EventKind::Ended { cause: "replaced" };
                    context.tell(|| Event::of(&replaced, now, kind));
                }
                Ok(false) => {}
                Err(error) => {
                    return Err(self.withdraw(&session, StartError::NotReplaced(error)).await);
                }
            }
        }
        context.tell(|| {
            let kind = EventKind::Started {
                absolute_expires_at: lifetime.absolute_expires_at(),
                expires_at: lifetime.expires_at(),
            };
            Event::of(&session, now, kind)
        });
        Ok(self.started(session, token, claims, now))
    }

    /// Where the store is full, what has ended makes way, and it is tried once more.
    async fn create(&self, session: &Session, now: Timestamp) -> Result<(), StartError> {
        let mut created = self.store.create(session).await;
        if let Err(StoreError::Full { .. }) = created
            && self.remove_expired(now, MAKES_WAY).await? > 0
        {
            created = self.store.create(session).await;
        }
        match created {
            Ok(()) => Ok(()),
            Err(error @ (StoreError::Conflict | StoreError::Full { .. })) => Err(error.into()),
            // Perhaps it was created, and nobody has its token.
            Err(error) => Err(self.withdraw(session, error.into()).await),
        }
    }

    /// Takes back a session whose token nobody has. If that fails, too, it expires
    /// unused.
    async fn withdraw(&self, session: &Session, why: StartError) -> StartError {
        let _ = self.store.remove(&session.id()).await;
        why
    }

    /// Another secret for the same row, where it still has that of `session`. `issue`
    /// makes the client's token, given an opaque one.
    pub(crate) async fn rotate<A: Send + Sync>(
        &self,
        session: &Session,
        claims: A,
        generation: u64,
        issue: impl Fn(&Session, &A, SessionToken, Timestamp) -> Result<SessionToken, IssueError>
        + Send
        + Sync,
    ) -> Result<Started<A>, RotateError> {
        let (opaque, secret) = SessionToken::generate(session.id()).map_err(RotateError::random)?;
        let mut row = session.clone();
        let mut failed = None;
        for _ in 0..ROTATIONS {
            let now = self.context.now();
            let update = self.rotation(&row, secret, generation, now)?;
            let rotated = update.apply(&row).ok_or(RotateError::Unknown)?;
            let token = issue(&rotated, &claims, opaque.clone(), now)?;
            let answer = self.store.update(&update).await;
            if let Ok(true) = answer {
                return Ok(self.rotated(rotated, token, claims, now));
            }
            // Another write was first, or it is not known whether this one was made.
            failed = answer.err();
            let reloaded = match self.store.load(&session.id()).await {
                Ok(reloaded) => reloaded.ok_or(RotateError::Unknown)?,
                Err(error) => return Err(failed.unwrap_or(error).into()),
            };
            if *reloaded.secret() == secret {
                let token = issue(&reloaded, &claims, opaque, now)?;
                return Ok(self.rotated(reloaded, token, claims, now));
            }
            if reloaded.secret() != session.secret() {
                return Err(RotateError::Unknown);
            }
            row = reloaded;
        }
        Err(failed.map_or(RotateError::Raced, RotateError::Store))
    }

    fn rotation(
        &self,
        row: &Session,
        secret: SecretHash,
        generation: u64,
        now: Timestamp,
    ) -> Result<Update, RotateError> {
        let lifetime = match self.policy_of(row).evaluate(row.lifetime(), now) {
            Decision::Keep { .. } => *row.lifetime(),
            Decision::Reject { reason, since } => {
                return Err(RotateError::Rejected { reason, since });
            }
            Decision::Renew { lifetime } => lifetime,
        };
        // The family of a hybrid session's tokens starts with one that is taken for
        // presented.
        Ok(Update::new(row, now, &lifetime)
            .with_secret(secret)
            .with_generation(generation, Some(now)))
    }

    fn rotated<A>(
        &self,
        row: Session,
        token: SessionToken,
        claims: A,
        now: Timestamp,
    ) -> Started<A> {
        let kind = EventKind::Rotated { generation: row.generation() };
        self.context.tell(|| Event::of(&row, now, kind));
        self.started(row, token, claims, now)
    }

    pub(crate) async fn end(&self, id: &SessionId) -> Result<bool, StoreError> {
        let ended = self.store.remove(id).await?;
        if ended {
            self.context.tell(|| {
                Event::anonymous(self.context.now(), EventKind::Ended { cause: "end" })
                    .with_session(*id)
            });
        }
        Ok(ended)
    }

    pub(crate) async fn end_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<u64, StoreError> {
        let ended = self.store.remove_all(subject, except).await?;
        let cause = if except.is_some() { "end_others" } else { "end_all" };
        for id in &ended {
            self.context.tell(|| {
                Event::anonymous(self.context.now(), EventKind::Ended { cause })
                    .with_session(*id)
                    .with_subject(subject)
            });
        }
        Ok(ended.len() as u64)
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
        self.remove_expired(self.swept_before(), limit).await
    }

    async fn remove_expired(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let removed = self.store.remove_expired(before, limit).await?;
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
            let page = self.store.scan(cursor.as_ref(), batch).await?;
            let before = self.swept_before();
            for session in &page.sessions {
                let lifetime = session.lifetime();
                let status = self.policy_of(session).status(lifetime, lifetime.renewed_at());
                let end = status.idle_expires_at;
                if end <= before && self.store.remove(&session.id()).await? {
                    self.context.tell(|| Event::of(session, end, EventKind::Expired));
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

/// The lifetime of a new session, whose ceiling must lie ahead.
pub(crate) fn start_until(
    policy: &SessionPolicy,
    now: Timestamp,
    ceiling: Timestamp,
) -> Result<Lifetime, StartError> {
    if ceiling <= now {
        return Err(StartError::CeilingReached { ceiling, now });
    }
    Ok(policy.start_until(now, ceiling))
}

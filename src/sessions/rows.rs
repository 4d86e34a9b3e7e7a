use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use chrono::TimeDelta;

use super::admission::{Admission, SEEN_AT_ONCE, pause_after, remove};
use super::bounds::Bound;
use super::context::Context;
use super::error::{AuthenticateError, StartError};
use super::event::{Event, EventKind};
use super::outcome::Started;
use super::token_error::IssueError;
use crate::record::{Session, SessionId, SessionToken, SignIn, random_id};
use crate::rule::{Decision, Lifetime, SessionPolicy, Status};
use crate::store::{SessionStore, StoreError};
use crate::time::Timestamp;

/// How long what has ended is kept, so that "why was I signed out?" has an answer, and
/// a clock that is ahead by less deletes no live session.
const RETENTION: TimeDelta = TimeDelta::days(1);
/// How many ended sessions make way in a store that is full.
const MAKES_WAY: u32 = 128;

/// Sessions whose truth is a row of a store: what opaque and hybrid ones share.
pub(crate) struct Rows<S> {
    store: Arc<S>,
    pub(crate) context: Context,
    pub(super) retention: TimeDelta,
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
}

impl<S: SessionStore> Rows<S> {
    /// Whether to judge a request waits for nothing.
    pub(crate) fn never_waits(&self) -> bool {
        S::NEVER_WAITS && !self.context.is_bounded()
    }

    /// A new row, under the limit of its profile. `issue` makes the client's token
    /// of it, given an opaque one.
    pub(crate) async fn start<A: Send + Sync>(
        &self,
        sign_in: SignIn<A>,
        generation: u64,
        issue: impl FnOnce(&Session, &A, SessionToken, Timestamp) -> Result<SessionToken, IssueError>
        + Send,
    ) -> Result<Started<A>, StartError> {
        // Before the bound is asked: what is there by then and of another epoch is of a
        // former one. What comes later may be of a later one.
        self.context.check(&sign_in)?;
        let limit = self.context.policies().limit(&sign_in.profile).copied();
        let listed = match limit {
            Some(_) => self.store.list(&sign_in.subject).await?,
            None => Vec::new(),
        };
        let (policy, bound) = self.context.admit(&sign_in).await?;
        let SignIn { subject, profile, ceiling, about, epoch, replacing, claims } = sign_in;
        let (store, context) = (self.store(), &self.context);
        let admission = limit.map(|limit| Admission {
            store,
            context,
            limit,
            listed,
            bound: &bound,
            subject: &subject,
            profile: &profile,
            replacing: replacing.as_ref().map(Session::id),
        });
        let ordinal = match &admission {
            Some(admission) => admission.make_room().await?,
            None => 0,
        };
        let now = context.now();
        let lifetime = start_until(&policy, now, ceiling)?;
        let id = random_id().map_err(StartError::random)?;
        let (token, secret) = SessionToken::generate(id).map_err(StartError::random)?;
        let session =
            Session::new(id, Arc::clone(&subject), Arc::clone(&profile), secret, lifetime)?;
        let session = session.with(|fields, more| {
            more.epoch = epoch;
            more.ordinal = ordinal;
            fields.generation = generation;
            more.set_about(about);
        });
        let token = issue(&session, &claims, token, now)?;
        self.create(&session, now).await?;
        if let Some(admission) = admission
            && let Err(error) = admission.settle(&session).await
        {
            return Err(self.withdraw(&session, error).await);
        }
        if let Some(replaced) = replacing {
            match remove(store, &replaced.id()).await {
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
        context.tell(|| Event::of(&session, now, EventKind::started(&lifetime)));
        Ok(Started { token, status: policy.status(&lifetime, now), session, claims })
    }

    /// Where the store is full, what has ended makes way, and it is tried once more.
    async fn create(&self, session: &Session, now: Timestamp) -> Result<(), StartError> {
        let mut created = self.store.create(session).await;
        if let Err(StoreError::Full { .. }) = created {
            self.remove_expired(now, MAKES_WAY).await?;
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
        let _ = remove(self.store(), &session.id()).await;
        why
    }

    /// How long a session has, whatever became of its token since it was served. A
    /// rotation ends what it was served for.
    pub(crate) async fn status_of(&self, session: &Session) -> Result<Status, AuthenticateError> {
        let row = self.store.load(&session.id()).await?.ok_or(AuthenticateError::Unknown)?;
        if row.secret() != session.secret() {
            return Err(AuthenticateError::WrongSecret);
        }
        let policy = self.context.judging(&row).await?;
        // The answer may have taken its time.
        let now = self.context.now();
        match policy.peek(row.lifetime(), now) {
            Decision::Reject { reason, since } => {
                Err(AuthenticateError::Rejected { reason, since })
            }
            Decision::Keep { .. } | Decision::Renew { .. } => {
                Ok(policy.status(row.lifetime(), now))
            }
        }
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
        let mut sessions = BTreeMap::new();
        let mut bounds: Vec<(Arc<str>, Option<Bound>)> = Vec::new();
        for (at, session) in self.store.list(subject).await?.into_iter().enumerate() {
            let profile = session.profile();
            let known = bounds.iter().find(|(known, _)| **known == *profile);
            let bound = if let Some((_, bound)) = known {
                *bound
            } else {
                let bound = self.context.bound(subject, profile).await?;
                bounds.push((profile.into(), bound));
                bound
            };
            let policy = self.context.policy_under(bound.as_ref(), &session);
            let now = self.context.now();
            if policy.is_some_and(|policy| policy.peek(session.lifetime(), now).is_served()) {
                sessions.insert((session.lifetime().created_at(), session.id()), session);
            }
            pause_after(at, SEEN_AT_ONCE).await;
        }
        Ok(sessions.into_values().collect())
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

use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::turn::Turn;
use super::{FIRST_GENERATION, HybridSessions};
use crate::admission::Admission;
use crate::jwt::{Authenticated, Claims, IssueError, Issued, JwtError, Started, TokenRenewal};
use crate::session::check_names;
use crate::{
    Clock, Decision, Event, EventKind, Observer, Policies, Session, SessionId, SessionParts,
    SessionStore, SessionToken, StoreError, SubjectStore, Timestamp,
};

impl<S, A, C, O> HybridSessions<S, A, C, O>
where
    S: SubjectStore,
    A: DeserializeOwned + Serialize + Send + Sync,
    C: Clock,
    O: Observer,
{
    /// Starts a session of `subject` under the default policy.
    ///
    /// To be called after each sign-in and re-authentication: only a new session
    /// has a new cap (NIST SP 800-63B-4 section 5.2).
    ///
    /// # Errors
    ///
    /// [`IssueError`] if `subject` is not 1 to 1024 bytes without NUL, the
    /// application's claims are no object or have a reserved name, the token
    /// would be longer than 8 KiB, there is no randomness, the ring only
    /// verifies, the store does not take the session, or the subject has as many
    /// sessions as it may.
    pub async fn start(&self, subject: &str, application: A) -> Result<Started<A>, IssueError> {
        self.start_with(subject, Policies::DEFAULT, application).await
    }

    /// Starts a session under a named profile, such as "remember-me" or "admin".
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start), and if no policy has the name `profile`.
    pub async fn start_with(
        &self,
        subject: &str,
        profile: &str,
        application: A,
    ) -> Result<Started<A>, IssueError> {
        self.start_until(subject, profile, application, Timestamp::MAX).await
    }

    /// Starts a session whose cap is at most `ceiling`, such as the end of an
    /// upstream provider's session.
    ///
    /// # Errors
    ///
    /// As for [`start_with`](Self::start_with).
    pub async fn start_until(
        &self,
        subject: &str,
        profile: &str,
        application: A,
        ceiling: impl Into<Timestamp> + Send,
    ) -> Result<Started<A>, IssueError> {
        let policy = self
            .policies
            .get(profile)
            .ok_or_else(|| IssueError::UnknownProfile { profile: profile.into() })?;
        check_names(subject, profile)?;
        let admission = Admission {
            store: &self.store,
            policies: &self.policies,
            observer: &self.observer,
            subject,
            profile,
        };
        let before = admission.look(self.clock.now()).await?;
        let now = self.clock.now();
        // Its secret is forgotten here, so no opaque token opens the row.
        let token = SessionToken::generate()?;
        let id = before.follow(token.id(), now);
        let lifetime = policy.start_until(now, ceiling);
        let row = Session::restore(SessionParts {
            id,
            subject: subject.into(),
            profile: profile.into(),
            version: 0,
            secret: token.secret_hash(),
            lifetime,
            generation: FIRST_GENERATION,
            confirmed_at: Some(lifetime.created_at()),
        })?;
        let started = self.started(&row, application, now)?;
        admission.admit(before, &row, now).await?;
        let kind = EventKind::Started {
            absolute_expires_at: lifetime.absolute_expires_at(),
            expires_at: lifetime.expires_at(),
        };
        self.observer.observe(&Event::of(&row, now, kind));
        Ok(started)
    }
}

impl<S, A, C, O> HybridSessions<S, A, C, O>
where
    S: SessionStore,
    A: DeserializeOwned + Serialize + Send + Sync,
    C: Clock,
    O: Observer,
{
    /// Judges a request by its token and the row, and extends, rotates, confirms
    /// or ends the session as that calls for.
    ///
    /// # Errors
    ///
    /// [`JwtError`] if the token is not ours, there is no such session, a limit is
    /// reached, the token was superseded, or the store cannot tell. An error of
    /// the *renewal* is not one: see [`TokenRenewal::Deferred`].
    pub async fn authenticate(&self, token: &str) -> Result<Authenticated<A>, JwtError> {
        let claims = self.verify(token)?;
        let turn = self.turn(&claims).await;
        let turn = turn.inspect_err(|error| self.refused(&claims, error))?;
        let Turn { row, answer, renewal, event } = turn;
        // The store may have taken its time, and an error most of all.
        let now = self.clock.now();
        if let Some(kind) = event {
            self.observer.observe(&Event::of(&row, now, kind));
        }
        if let Decision::Reject { reason, since } = self.policy_of(&row).peek(row.lifetime(), now) {
            let error = JwtError::Rejected { reason, since };
            self.refused(&claims, &error);
            return Err(error);
        }
        let mut served = self.served(claims, &row, now, renewal);
        if let Some(generation) = answer {
            served.claims.generation = generation;
            match self.issue(&mut served.claims, now) {
                Ok(issued) => served.issued = Some(issued),
                Err(error) => served.renewal = TokenRenewal::Deferred(error),
            }
        }
        Ok(served)
    }

    /// [`authenticate`](Self::authenticate) for traffic that is not the user's,
    /// such as polling and "how long have I left?": the same answer, but it
    /// neither extends nor confirms, and issues no token. It does end a session
    /// whose superseded token comes back.
    ///
    /// # Errors
    ///
    /// As for [`authenticate`](Self::authenticate).
    pub async fn peek(&self, token: &str) -> Result<Authenticated<A>, JwtError> {
        let claims = self.verify(token)?;
        let seen = self.look(&claims).await;
        let (row, now, _) = seen.inspect_err(|error| self.refused(&claims, error))?;
        Ok(self.served(claims, &row, now, TokenRenewal::NotDue))
    }

    /// Replaces a session's id: the same session with the same cap under a new
    /// token, and all tokens of the old id end.
    ///
    /// To be called on any change of privilege (OWASP Session Management Cheat
    /// Sheet, "Renew the Session ID After Any Privilege Level Change"), which may
    /// come with other claims of the application.
    ///
    /// # Errors
    ///
    /// [`IssueError`] if the session has ended, a limit is reached, no token can
    /// be issued as for [`start`](Self::start), or the store cannot write. The
    /// old token is then as it was, unless the store removed the session and its
    /// answer was lost.
    pub async fn rotate(
        &self,
        claims: &Claims<A>,
        application: A,
    ) -> Result<Started<A>, IssueError> {
        let row = self.store.load(&claims.id).await?.ok_or(IssueError::Unknown)?;
        let now = self.clock.now();
        let lifetime = match self.policy_of(&row).evaluate(row.lifetime(), now) {
            Decision::Keep { .. } => *row.lifetime(),
            Decision::Reject { reason, since } => {
                return Err(IssueError::Rejected { reason, since });
            }
            Decision::Renew { lifetime } => lifetime,
        };
        let successor = row.succeeded_by(&SessionToken::generate()?, lifetime);
        let started = self.started(&successor, application, now)?;
        self.store.create(&successor).await?;
        match self.store.remove(&row.id()).await {
            Ok(true) => {}
            Ok(false) => {
                self.store.remove(&successor.id()).await?;
                return Err(IssueError::Unknown);
            }
            Err(error) => {
                // If this fails too, the successor expires unused: nobody has
                // its token.
                let _ = self.store.remove(&successor.id()).await;
                return Err(error.into());
            }
        }
        let (generation, predecessor) = (successor.generation(), row.id());
        let kind = EventKind::Rotated { generation, predecessor };
        self.observer.observe(&Event::of(&successor, now, kind));
        Ok(started)
    }

    /// Ends a session at once; whether there was one. Idempotent.
    ///
    /// Send the client a cookie that clears. The id is public, so make sure that
    /// whoever asks may end it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot write: the session lives on, and the
    /// user must be told.
    pub async fn end(&self, id: &SessionId) -> Result<bool, StoreError> {
        let ended = self.store.remove(id).await?;
        if ended {
            let event = Event::anonymous(self.clock.now(), EventKind::Ended).with_session(*id);
            self.observer.observe(&event);
        }
        Ok(ended)
    }

    /// Removes at most `limit` expired sessions; how many it removed. Fewer than
    /// `limit` means that none is left but those that are being written just then.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot write.
    pub async fn sweep(&self, limit: u32) -> Result<u64, StoreError> {
        self.store.remove_expired(self.clock.now(), limit).await
    }

    fn started(
        &self,
        row: &Session,
        application: A,
        now: Timestamp,
    ) -> Result<Started<A>, IssueError> {
        let mut claims = Claims {
            id: row.id(),
            subject: row.subject().into(),
            profile: row.profile().into(),
            lifetime: *row.lifetime(),
            generation: row.generation(),
            token_id: Arc::default(),
            application,
        };
        let issued = self.issue(&mut claims, now)?;
        let status = self.policy_of(row).status(row.lifetime(), now);
        Ok(Started { issued, claims, status })
    }

    fn issue(&self, claims: &mut Claims<A>, now: Timestamp) -> Result<Issued, IssueError> {
        let signed = self.codec.issue(&claims.draft(), now)?;
        claims.token_id = signed.token_id;
        let (lifetime, policy) = (&claims.lifetime, self.policies.judge(&claims.profile));
        // A row's own end may lie after that of a tightened policy.
        let left = policy.status(lifetime, now).idle_expires_at.since(now);
        Ok(Issued { token: signed.token, max_age: lifetime.cookie_max_age(now).min(left) })
    }

    fn served(
        &self,
        mut claims: Claims<A>,
        row: &Session,
        now: Timestamp,
        renewal: TokenRenewal,
    ) -> Authenticated<A> {
        claims.lifetime = *row.lifetime();
        let status = self.policy_of(row).status(row.lifetime(), now);
        Authenticated { claims, status, issued: None, renewal }
    }
}

impl<S, A, C, O> HybridSessions<S, A, C, O>
where
    S: SubjectStore,
    A: Send + Sync,
    C: Clock,
    O: Observer,
{
    /// The live sessions of a subject, the oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot tell.
    pub async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        let mut sessions = self.store.list(subject).await?;
        let now = self.clock.now();
        sessions
            .retain(|session| self.policy_of(session).peek(session.lifetime(), now).is_served());
        sessions.sort_by_key(|session| (session.lifetime().created_at(), session.id()));
        Ok(sessions)
    }

    /// Ends all sessions of a subject; how many there were.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot write.
    pub async fn end_all(&self, subject: &str) -> Result<u64, StoreError> {
        self.end_many(subject, None).await
    }

    /// Ends the subject's other sessions, as after a password change (OWASP ASVS
    /// 5.0 7.4.3); how many there were. Of a sign-in under way, see
    /// [`Sessions::end_others`](crate::Sessions::end_others).
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot write.
    pub async fn end_others(&self, claims: &Claims<A>) -> Result<u64, StoreError> {
        self.end_many(claims.subject(), Some(&claims.id)).await
    }

    async fn end_many(&self, subject: &str, except: Option<&SessionId>) -> Result<u64, StoreError> {
        let count = self.store.remove_all(subject, except).await?;
        if count > 0 {
            let event = Event::anonymous(self.clock.now(), EventKind::EndedMany { count });
            self.observer.observe(&event.with_subject(subject));
        }
        Ok(count)
    }
}

use alloc::vec::Vec;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::step::{Serve, Step};
use super::turn::{Answer, Turn};
use super::{FIRST_GENERATION, HybridSessions};
use crate::record::{Session, SessionId, SessionToken, SignIn};
use crate::rule::{Decision, SessionPolicy, Status};
use crate::sessions::{
    AuthenticateError, Authenticated, Event, EventKind, IssueError, RenewalOutcome, RotateError,
    StartError, Started,
};
use crate::store::{ScanStore, SessionStore, StoreError};
use crate::time::Timestamp;

impl<S, A> HybridSessions<S, A>
where
    S: SessionStore,
    A: DeserializeOwned + Serialize + Send + Sync,
{
    /// Starts a session: of a subject under the default policy, or as a [`SignIn`]
    /// says.
    ///
    /// To be called after each sign-in and re-authentication: only a new session
    /// has a new cap (NIST SP 800-63B-4 section 5.2). Of a limit on concurrent
    /// sessions, see [`Sessions::start`](crate::Sessions::start).
    ///
    /// # Errors
    ///
    /// [`StartError`] if the subject is not 1 to 1024 bytes without NUL, no policy
    /// has the name of the profile, the application's claims are no object or have a
    /// reserved name, the token would be longer than 8 KiB, there is no randomness,
    /// the ring only verifies, the ceiling is reached, the store does not take the
    /// session, the subject has as many sessions as it may, or the session to be
    /// replaced cannot be ended.
    pub async fn start(
        &self,
        sign_in: impl Into<SignIn<A>> + Send,
    ) -> Result<Started<A>, StartError> {
        // The opaque token's secret is forgotten here, so no such token opens the row.
        self.rows
            .start(sign_in.into(), FIRST_GENERATION, |row, claims, _, now| {
                self.issue(row, claims, now)
            })
            .await
    }

    /// Judges a request by its token and the row, and extends, re-issues, confirms
    /// or ends the session as that calls for.
    ///
    /// # Errors
    ///
    /// [`AuthenticateError`] if the token is not ours, there is no such session, a limit of
    /// time is reached, the session is revoked, the token was superseded, or the store or
    /// the bound cannot be told. An error of the *renewal* is not one: see
    /// [`RenewalOutcome::Deferred`].
    pub async fn authenticate(&self, token: &str) -> Result<Authenticated<A>, AuthenticateError> {
        let mut buffer = Vec::new();
        let claims = self.verify(token, &mut buffer)?;
        let found = self.found(&claims).await.inspect_err(|error| self.refused(&claims, error));
        let (row, policy) = found?;
        let now = self.rows.context.now();
        let step = self.step(&claims, &row, now, &policy);
        if let Step::Serve(Serve { write: None, answer: None }) = step {
            return Ok(served(row, claims.application, &policy, now, RenewalOutcome::NotDue));
        }
        let turn = self.turn(&claims, row, &policy).await.inspect_err(|error| {
            // Reuse has been told of already.
            if !matches!(error, AuthenticateError::Reused) {
                self.refused(&claims, error);
            }
        })?;
        let Turn { row, answer, renewal, event, judged_at } = turn;
        // Only the current token is sent again: whoever has another may be a thief.
        let is_current = claims.generation == row.generation();
        let now = judged_at.unwrap_or_else(|| self.rows.context.now());
        if let Some(kind) = event {
            self.rows.context.tell(|| Event::of(&row, now, kind));
        }
        // The write may have taken its time.
        if judged_at.is_none()
            && let Decision::Reject { reason, since } = policy.peek(row.lifetime(), now)
        {
            let error = AuthenticateError::Rejected { reason, since };
            self.refused(&claims, &error);
            return Err(error);
        }
        let is_renewed = matches!(renewal, RenewalOutcome::Renewed);
        let mut served = served(row, claims.application, &policy, now, renewal);
        let session = &served.session;
        let (generation, expires_at) = (session.generation(), session.lifetime().expires_at());
        let lapses = served.status.outlives_cookies(session.lifetime());
        let told = match answer {
            Answer::Again => Some(EventKind::Forgiven { generation }),
            Answer::Next => Some(EventKind::Reissued { expires_at }),
            Answer::Nothing if is_renewed && is_current && lapses => None,
            Answer::Nothing => return Ok(served),
        };
        let told = match self.issue(session, &served.claims, now) {
            Ok(token) => {
                served.token = Some(token);
                told
            }
            Err(error) => {
                served.renewal = RenewalOutcome::deferred(error);
                Some(EventKind::RenewalDeferred)
            }
        };
        if let Some(kind) = told {
            self.rows.context.tell(|| Event::of(&served.session, now, kind));
        }
        Ok(served)
    }

    /// [`authenticate`](Self::authenticate) for traffic that is not the user's,
    /// such as polling and "how long have I left?": the same answer, but it
    /// neither extends nor confirms, issues no token and ends no session: a superseded
    /// token is [`AuthenticateError::Reused`], and told of as refused.
    ///
    /// # Errors
    ///
    /// As for [`authenticate`](Self::authenticate).
    pub async fn peek(&self, token: &str) -> Result<Authenticated<A>, AuthenticateError> {
        let mut buffer = Vec::new();
        let claims = self.verify(token, &mut buffer)?;
        let seen = self.look(&claims).await.inspect_err(|error| self.refused(&claims, error));
        let (row, policy, now) = seen?;
        Ok(served(row, claims.application, &policy, now, RenewalOutcome::NotDue))
    }

    /// Gives a session another secret, and so its tokens another family: the same
    /// session, under the same id and cap, with these claims of the application, and
    /// all its former tokens open nothing any more.
    ///
    /// To be called on any change of privilege (OWASP Session Management Cheat
    /// Sheet, "Renew the Session ID After Any Privilege Level Change": what must change
    /// is the token), which may come with other claims of the application. Of the
    /// guard, and of a lost answer, see [`Sessions::rotate`](crate::Sessions::rotate).
    ///
    /// # Errors
    ///
    /// [`RotateError`] if the session has ended, was rotated by another request, is of
    /// another kind, is revoked or has reached a limit of time, no token can be issued as for
    /// [`start`](Self::start), other writes came first each time, or the store cannot
    /// write.
    pub async fn rotate(&self, session: &Session, claims: A) -> Result<Started<A>, RotateError> {
        self.rows
            .rotate(session, claims, FIRST_GENERATION, |row, claims, _, now| {
                self.issue(row, claims, now)
            })
            .await
    }

    /// The session whose token it is, of any generation and whether or not it is served.
    pub(crate) async fn proven(&self, token: &str) -> Result<Session, AuthenticateError> {
        let mut buffer = Vec::new();
        let claims = self.verify(token, &mut buffer)?;
        self.load(&claims).await.inspect_err(|error| self.refused(&claims, error))
    }

    fn issue(
        &self,
        session: &Session,
        claims: &A,
        now: Timestamp,
    ) -> Result<SessionToken, IssueError> {
        self.codec.issue(session, claims, now)
    }
}

/// As of [`Sessions`](crate::Sessions): the row is the truth.
impl<S: SessionStore, A> HybridSessions<S, A> {
    pub(crate) async fn status_of(&self, session: &Session) -> Result<Status, AuthenticateError> {
        self.rows.status_of(session).await
    }

    /// Ends a session at once. Returns whether there was one. Idempotent.
    ///
    /// Send the client a cookie that clears. The id is public, so make sure that
    /// whoever asks may end it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot write: the session lives on, and the
    /// user must be told.
    pub async fn end(&self, id: &SessionId) -> Result<bool, StoreError> {
        self.rows.end(id).await
    }

    /// Ends all sessions of a subject. Returns the number ended.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot write.
    pub async fn end_all(&self, subject: &str) -> Result<u64, StoreError> {
        self.rows.end_all(subject, None).await
    }

    /// Ends the subject's other sessions, as after a password change (OWASP ASVS
    /// 5.0 7.4.3). Returns the number ended. Of a sign-in under way, see
    /// [`Sessions::end_others`](crate::Sessions::end_others).
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot write.
    pub async fn end_others(&self, session: &Session) -> Result<u64, StoreError> {
        self.rows.end_all(session.subject(), Some(&session.id())).await
    }

    /// The live sessions of a subject, the oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot tell.
    pub async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        self.rows.list(subject).await
    }

    /// Removes at most `limit` (from 1) sessions that expired at least the retention ago.
    /// Returns the number removed; see [`Sessions::sweep`](crate::Sessions::sweep).
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot write.
    pub async fn sweep(&self, limit: u32) -> Result<u64, StoreError> {
        self.rows.sweep(limit).await
    }
}

impl<S: ScanStore, A> HybridSessions<S, A> {
    /// Goes through the store, some `batch` (from 1) sessions at a time, and removes those
    /// that today's policy ended. Returns the number removed; see
    /// [`Sessions::sweep_by_policy`](crate::Sessions::sweep_by_policy).
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot tell or write.
    pub async fn sweep_by_policy(&self, batch: u32) -> Result<u64, StoreError> {
        self.rows.sweep_by_policy(batch).await
    }
}

fn served<A>(
    session: Session,
    claims: A,
    policy: &SessionPolicy,
    now: Timestamp,
    renewal: RenewalOutcome,
) -> Authenticated<A> {
    let status = policy.status(session.lifetime(), now);
    Authenticated { session, claims, status, token: None, renewal }
}

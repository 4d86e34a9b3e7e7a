use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::admission::Admission;
use crate::session::check_names;
use crate::{
    AuthenticateError, Authenticated, Clock, Cookie, Decision, Event, EventKind, Observer,
    Policies, Renewal, RenewalOutcome, RotateError, Session, SessionId, SessionPolicy,
    SessionStore, SessionToken, StartError, Started, StoreError, SubjectStore, SystemClock,
    Timestamp,
};

/// Sessions over a store: the front door for opaque tokens.
///
/// It asks the clock, loads the record, has [`SessionPolicy::evaluate`] decide,
/// writes the renewal if one is due, and says what to send to the client. It does
/// no I/O but the store's.
///
/// A request costs one [`load`](SessionStore::load), and one
/// [`renew`](SessionStore::renew) when a renewal is due and gains time. A request
/// that loses a race loads once more.
///
/// # Example
///
/// ```
/// # #[cfg(feature = "memory")] {
/// use session_policy::{Cookie, MemoryStore, SessionPolicy, Sessions};
///
/// # pollster::block_on(async {
/// let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::SLIDING_MONTH);
///
/// // Signed in: send the token as a cookie.
/// let started = sessions.start("user-42").await?;
/// let cookie = format!(
///     "__Host-session={}; Max-Age={}; Path=/; Secure; HttpOnly; SameSite=Lax",
///     started.token.expose(),
///     started.max_age.num_seconds(),
/// );
/// # assert!(cookie.contains("Max-Age=2592000"));
///
/// // A request: the token comes back.
/// let token = started.token.expose().parse()?;
/// let authenticated = sessions.authenticate(&token).await?;
/// assert_eq!(authenticated.session.subject(), "user-42");
/// assert_eq!(authenticated.cookie, Cookie::Keep); // No renewal is due yet.
///
/// // Signed out: send a cookie that clears it.
/// sessions.end(&authenticated.session.id()).await?;
/// assert!(sessions.authenticate(&token).await.is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Sessions<S, C = SystemClock, O = ()> {
    store: S,
    policies: Policies,
    clock: C,
    observer: O,
}

impl<S> Sessions<S> {
    /// Sessions in `store` under one policy or a set of [`Policies`], by the
    /// system's clock.
    #[must_use]
    pub fn new(store: S, policies: impl Into<Policies>) -> Self {
        Self { store, policies: policies.into(), clock: SystemClock, observer: () }
    }
}

impl<S, C, O> Sessions<S, C, O> {
    /// The same sessions by another clock.
    #[must_use]
    pub fn with_clock<D>(self, clock: D) -> Sessions<S, D, O> {
        let Self { store, policies, observer, .. } = self;
        Sessions { store, policies, clock, observer }
    }

    /// The same sessions, with every step of their lives told to `observer`.
    #[must_use]
    pub fn with_observer<P>(self, observer: P) -> Sessions<S, C, P> {
        let Self { store, policies, clock, .. } = self;
        Sessions { store, policies, clock, observer }
    }

    /// The policies in force.
    #[must_use]
    pub const fn policies(&self) -> &Policies {
        &self.policies
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &S {
        &self.store
    }

    fn policy_of(&self, session: &Session) -> &SessionPolicy {
        self.policies.judge(session.profile())
    }
}

impl<S: SubjectStore, C: Clock, O: Observer> Sessions<S, C, O> {
    /// Starts a session of `subject` under the default policy.
    ///
    /// To be called after each sign-in and re-authentication: only a new session
    /// has a new cap (NIST SP 800-63B-4 section 5.2), and a fresh token stops
    /// session fixation (OWASP ASVS 5.0 7.2.4).
    ///
    /// If the policy has a [limit](crate::SessionLimit), the subject's sessions
    /// are listed before and after the creation. Of sign-ins that race, as many
    /// stay as the limit allows under [`WhenFull::EndOldest`], the latest (perhaps
    /// fewer, where three or more race and their servers' clocks differ); under
    /// [`WhenFull::Refuse`] never more, and if they race closely for the last place
    /// perhaps none, so that one has to be tried again.
    ///
    /// # Errors
    ///
    /// [`StartError`] if `subject` is not 1 to 1024 bytes without NUL, there is
    /// no randomness, the store does not take the session, or the subject has
    /// as many sessions as it may.
    ///
    /// [`WhenFull::EndOldest`]: crate::WhenFull::EndOldest
    /// [`WhenFull::Refuse`]: crate::WhenFull::Refuse
    pub async fn start(&self, subject: impl Into<Arc<str>> + Send) -> Result<Started, StartError> {
        self.start_with(subject, Policies::DEFAULT).await
    }

    /// Starts a session under a named profile, such as "remember-me" or "admin".
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start), and if no policy has the name `profile`.
    pub async fn start_with(
        &self,
        subject: impl Into<Arc<str>> + Send,
        profile: &str,
    ) -> Result<Started, StartError> {
        self.start_until(subject, profile, Timestamp::MAX).await
    }

    /// Starts a session whose cap is at most `ceiling`, such as the end of an
    /// upstream provider's session (OpenID Connect's `exp` or
    /// `SessionNotOnOrAfter` of SAML).
    ///
    /// # Errors
    ///
    /// As for [`start_with`](Self::start_with).
    pub async fn start_until(
        &self,
        subject: impl Into<Arc<str>> + Send,
        profile: &str,
        ceiling: impl Into<Timestamp> + Send,
    ) -> Result<Started, StartError> {
        let policy = self
            .policies
            .get(profile)
            .ok_or_else(|| StartError::UnknownProfile { profile: profile.into() })?;
        let subject = subject.into();
        check_names(&subject, profile)?;
        let admission = Admission {
            store: &self.store,
            policies: &self.policies,
            observer: &self.observer,
            subject: &subject,
            profile,
        };
        let before = admission.look(self.clock.now()).await?;
        let now = self.clock.now();
        let token = SessionToken::generate()?;
        let id = before.follow(token.id(), now);
        let token = token.named(id);
        let lifetime = policy.start_until(now, ceiling);
        let session =
            Session::new(id, Arc::clone(&subject), profile, token.secret_hash(), lifetime)?;
        admission.admit(before, &session, now).await?;
        self.observer.observe(&Event::of(
            &session,
            now,
            EventKind::Started {
                absolute_expires_at: lifetime.absolute_expires_at(),
                expires_at: lifetime.expires_at(),
            },
        ));
        Ok(started(policy, token, session, now))
    }
}

impl<S: SessionStore, C: Clock, O: Observer> Sessions<S, C, O> {
    /// Judges a request by its token, and renews the session if that is due.
    ///
    /// # Errors
    ///
    /// [`AuthenticateError`] if there is no such session, the secret is wrong, a
    /// limit is reached, or the store cannot tell. An error of the *renewal* is
    /// not one: see [`RenewalOutcome::Deferred`].
    pub async fn authenticate(
        &self,
        token: &SessionToken,
    ) -> Result<Authenticated, AuthenticateError> {
        let judged = self.judge(token).await;
        self.observe(token, &judged);
        judged
    }

    async fn judge(&self, token: &SessionToken) -> Result<Authenticated, AuthenticateError> {
        let session = self.load(token).await?;
        let now = self.clock.now();
        let policy = self.policy_of(&session);
        let lifetime = match policy.evaluate(session.lifetime(), now) {
            Decision::Keep { .. } => return self.served(session, now, RenewalOutcome::NotDue),
            Decision::Reject { reason, since } => {
                return Err(AuthenticateError::Rejected { reason, since });
            }
            Decision::Renew { lifetime } => lifetime,
        };
        if lifetime.expires_at() <= policy.status(session.lifetime(), now).idle_expires_at {
            return self.served(session, now, RenewalOutcome::NoGain);
        }
        let renewal = Renewal::new(&session, now, &lifetime);
        let answer = self.store.renew(&renewal).await;
        // The store may have taken its time, and an error most of all.
        let now = self.clock.now();
        match answer {
            Ok(true) => {
                let renewed = session.renewed(&renewal).ok_or(AuthenticateError::Unknown)?;
                self.served(renewed, now, RenewalOutcome::Renewed)
            }
            Ok(false) => {
                let reloaded = self.load(token).await?;
                self.served(reloaded, self.clock.now(), RenewalOutcome::Superseded)
            }
            Err(error) => self.served(session, now, RenewalOutcome::Deferred(error)),
        }
    }

    /// [`authenticate`](Self::authenticate) for traffic that is not the user's,
    /// such as polling and "how long have I left?": the same answer, but it never
    /// renews.
    ///
    /// # Errors
    ///
    /// As for [`authenticate`](Self::authenticate).
    pub async fn peek(&self, token: &SessionToken) -> Result<Authenticated, AuthenticateError> {
        let served = match self.load(token).await {
            Ok(session) => self.served(session, self.clock.now(), RenewalOutcome::NotDue),
            Err(error) => Err(error),
        };
        self.observe(token, &served);
        served
    }

    /// Replaces a session's id and secret: the same session with the same cap
    /// under a new token, and the old token ends.
    ///
    /// To be called on any change of privilege (OWASP Session Management Cheat
    /// Sheet, "Renew the Session ID After Any Privilege Level Change"). The new
    /// record is created before the old one is removed, and is taken back if the
    /// old one was ended meanwhile, so that rotation never undoes a logout.
    ///
    /// # Errors
    ///
    /// [`RotateError`] if the session has ended, a limit is reached, there is no
    /// randomness, or the store cannot write, which includes a bounded store that
    /// is full: it holds both records for a moment. The old token is then as it
    /// was, unless the store removed the session and its answer was lost.
    pub async fn rotate(&self, session: &Session) -> Result<Started, RotateError> {
        let now = self.clock.now();
        let policy = self.policy_of(session);
        let lifetime = match policy.evaluate(session.lifetime(), now) {
            Decision::Keep { .. } => *session.lifetime(),
            Decision::Reject { reason, since } => {
                return Err(RotateError::Rejected { reason, since });
            }
            Decision::Renew { lifetime } => lifetime,
        };
        let token = SessionToken::generate()?;
        let successor = session.succeeded_by(&token, lifetime);
        self.store.create(&successor).await?;
        match self.store.remove(&session.id()).await {
            Ok(true) => {
                let kind = EventKind::Rotated { generation: 0, predecessor: session.id() };
                self.observer.observe(&Event::of(&successor, now, kind));
                Ok(started(policy, token, successor, now))
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

    /// Ends a session; whether there was one. Idempotent.
    ///
    /// `false` also where the session was [rotated](Self::rotate) just before: it
    /// lives on under its new id, and [`end_all`](Self::end_all) ends it.
    ///
    /// Send the client a cookie that clears ([`Cookie::Clear`]). The id is
    /// public, so make sure that whoever asks may end it: authenticate first, and
    /// for another device of the same user look it up in [`list`](Self::list).
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
    /// Sweeping only frees space: an expired session is refused whether or not it
    /// has been swept. A loop around it should go on after an error.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot write.
    pub async fn sweep(&self, limit: u32) -> Result<u64, StoreError> {
        self.store.remove_expired(self.clock.now(), limit).await
    }

    /// Tells the observer what became of a request.
    fn observe(&self, token: &SessionToken, judged: &Result<Authenticated, AuthenticateError>) {
        match judged {
            Ok(Authenticated { session, status, renewal, .. }) => {
                let kind = match renewal {
                    RenewalOutcome::Deferred(_) => EventKind::RenewalDeferred,
                    RenewalOutcome::Renewed => {
                        EventKind::Renewed { expires_at: session.lifetime().expires_at() }
                    }
                    RenewalOutcome::NoGain
                    | RenewalOutcome::NotDue
                    | RenewalOutcome::Superseded => return,
                };
                self.observer.observe(&Event::of(session, status.now, kind));
            }
            Err(error) => {
                let kind = EventKind::Rejected { reason: error.as_str() };
                let event = Event::anonymous(self.clock.now(), kind);
                self.observer.observe(&event.with_session(token.id()));
            }
        }
    }

    async fn load(&self, token: &SessionToken) -> Result<Session, AuthenticateError> {
        let session = self.store.load(&token.id()).await?.ok_or(AuthenticateError::Unknown)?;
        if session.secret().matches(token) {
            Ok(session)
        } else {
            Err(AuthenticateError::WrongSecret)
        }
    }

    fn served(
        &self,
        session: Session,
        now: Timestamp,
        renewal: RenewalOutcome,
    ) -> Result<Authenticated, AuthenticateError> {
        let policy = self.policy_of(&session);
        if let Decision::Reject { reason, since } = policy.peek(session.lifetime(), now) {
            return Err(AuthenticateError::Rejected { reason, since });
        }
        let cookie = match renewal {
            RenewalOutcome::Renewed => {
                Cookie::Set { max_age: session.lifetime().cookie_max_age(now) }
            }
            _ => Cookie::Keep,
        };
        Ok(Authenticated {
            status: policy.status(session.lifetime(), now),
            session,
            cookie,
            renewal,
        })
    }
}

impl<S: SubjectStore, C: Clock, O: Observer> Sessions<S, C, O> {
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
    /// 5.0 7.4.3); how many there were. After a [rotation](Self::rotate), pass the
    /// session that it returned: the old one spares nothing.
    ///
    /// A sign-in under way, which has checked the old password and not yet started its
    /// session, is not among them. So store the new password before this, and let a
    /// sign-in look again, once its session is started, whether the password that it
    /// checked is still the one, and end the session if it is not.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot write.
    pub async fn end_others(&self, session: &Session) -> Result<u64, StoreError> {
        self.end_many(session.subject(), Some(&session.id())).await
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

fn started(
    policy: &SessionPolicy,
    token: SessionToken,
    session: Session,
    now: Timestamp,
) -> Started {
    let lifetime = session.lifetime();
    let status = policy.status(lifetime, now);
    Started {
        // A rotated session's own end may lie after that of a tightened policy.
        max_age: lifetime.cookie_max_age(now).min(status.idle_expires_at.since(now)),
        status,
        token,
        session,
    }
}

use alloc::sync::Arc;

use super::bounds::{Bound, Bounds, Erased};
use super::error::{AuthenticateError, StartError};
use super::event::{Event, Observer};
use crate::config::Policies;
use crate::record::{Session, SignIn, check_names};
use crate::rule::{Decision, SessionPolicy};
use crate::store::StoreError;
use crate::time::{Clock, SystemClock, Timestamp};

/// What all kinds of sessions go by: policies, a clock, perhaps an observer and bounds.
#[derive(Clone)]
pub(crate) struct Context {
    policies: Arc<Policies>,
    clock: Arc<dyn Clock>,
    observer: Option<Arc<dyn Observer>>,
    bounds: Option<Arc<dyn Erased>>,
}

impl Context {
    pub(crate) fn new(policies: Policies) -> Self {
        Self {
            policies: Arc::new(policies),
            clock: Arc::new(SystemClock),
            observer: None,
            bounds: None,
        }
    }

    pub(crate) fn with_clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    pub(crate) fn with_observer(self, observer: impl Observer + 'static) -> Self {
        Self { observer: Some(Arc::new(observer)), ..self }
    }

    pub(crate) fn with_bounds(self, bounds: impl Bounds + 'static) -> Self {
        Self { bounds: Some(Arc::new(bounds)), ..self }
    }

    #[inline]
    pub(crate) fn policies(&self) -> &Policies {
        &self.policies
    }

    #[inline]
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What holds for the subject of a session right now: one answer for a request.
    /// `None` if there is to be no session.
    #[inline]
    pub(crate) async fn bound(
        &self,
        subject: &str,
        profile: &str,
    ) -> Result<Option<Bound>, StoreError> {
        match &self.bounds {
            Some(bounds) => bounds.bound(subject, profile).await,
            None => Ok(Some(Bound::default())),
        }
    }

    /// The policy that judges a session under what holds for its subject; `None` if it is
    /// revoked.
    #[inline]
    pub(crate) fn policy_under(
        &self,
        bound: Option<&Bound>,
        session: &Session,
    ) -> Option<SessionPolicy> {
        let bound = bound.filter(|bound| !bound.revokes(session.epoch()))?;
        Some(bound.tighten(self.policies.policy_for(session.profile())))
    }

    /// Whether bounds are given, which are awaited.
    pub(crate) fn is_bounded(&self) -> bool {
        self.bounds.is_some()
    }

    /// The policy that judges a session where no bounds are given: nothing is awaited.
    #[inline]
    pub(crate) fn unbounded(&self, session: &Session) -> Option<&SessionPolicy> {
        self.bounds.is_none().then(|| self.policies.policy_for(session.profile()))
    }

    /// The policy that judges a session in this request; `None` if it is revoked.
    #[inline]
    pub(crate) async fn policy_of(
        &self,
        session: &Session,
    ) -> Result<Option<SessionPolicy>, StoreError> {
        let bound = self.bound(session.subject(), session.profile()).await?;
        Ok(self.policy_under(bound.as_ref(), session))
    }

    /// The policy that judges a session in a request. Of one whose time is over by the
    /// profile's, which a bound only tightens, no bound is asked.
    /// Whether it is over, the caller finds by the policy.
    pub(crate) async fn judging(
        &self,
        session: &Session,
    ) -> Result<SessionPolicy, AuthenticateError> {
        if let Some(policy) = self.unbounded(session) {
            return Ok(*policy);
        }
        let profile = self.policies.policy_for(session.profile());
        if let Decision::Reject { reason, since } = profile.peek(session.lifetime(), self.now()) {
            return Err(AuthenticateError::Rejected { reason, since });
        }
        self.policy_of(session).await?.ok_or(AuthenticateError::Revoked)
    }

    /// The policy of a sign-in whose profile and names are good.
    pub(crate) fn check<A>(&self, sign_in: &SignIn<A>) -> Result<&SessionPolicy, StartError> {
        let SignIn { subject, profile, .. } = sign_in;
        let policy = self.policies.get(profile);
        let policy =
            policy.ok_or_else(|| StartError::UnknownProfile { profile: (&**profile).into() })?;
        check_names(subject, profile)?;
        Ok(policy)
    }

    /// What a new session is started under.
    pub(crate) async fn admit<A: Sync>(
        &self,
        sign_in: &SignIn<A>,
    ) -> Result<(SessionPolicy, Bound), StartError> {
        let policy = self.check(sign_in)?;
        let SignIn { subject, profile, epoch, .. } = sign_in;
        let bound = self.bound(subject, profile).await?.ok_or(StartError::Revoked)?;
        match epoch {
            None if bound.revokes(None) => Err(StartError::EpochMissing),
            epoch if bound.revokes(*epoch) => Err(StartError::Revoked),
            _ => Ok((bound.tighten(policy), bound)),
        }
    }

    /// Without an observer no event is built.
    #[inline]
    pub(crate) fn tell<'a>(&self, event: impl FnOnce() -> Event<'a>) {
        if let Some(observer) = &self.observer {
            observer.observe(&event());
        }
    }
}

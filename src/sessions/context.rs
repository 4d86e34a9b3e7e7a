use alloc::sync::Arc;
use core::fmt;

use super::error::StartError;
use super::event::{Event, Observer};
use crate::config::Policies;
use crate::record::{SignIn, check_names};
use crate::rule::SessionPolicy;
use crate::time::{Clock, SystemClock, Timestamp};

/// What all kinds of sessions go by: policies, a clock and perhaps an observer.
#[derive(Clone)]
pub(crate) struct Context {
    policies: Arc<Policies>,
    clock: Arc<dyn Clock>,
    observer: Option<Arc<dyn Observer>>,
}

impl Context {
    pub(crate) fn new(policies: Policies) -> Self {
        Self { policies: Arc::new(policies), clock: Arc::new(SystemClock), observer: None }
    }

    pub(crate) fn with_clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    pub(crate) fn with_observer(self, observer: impl Observer + 'static) -> Self {
        Self { observer: Some(Arc::new(observer)), ..self }
    }

    #[inline]
    pub(crate) fn policies(&self) -> &Policies {
        &self.policies
    }

    #[inline]
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The policy that a new session is started under.
    pub(crate) fn policy_of<A>(&self, sign_in: &SignIn<A>) -> Result<&SessionPolicy, StartError> {
        let SignIn { subject, profile, .. } = sign_in;
        let policy = self.policies.get(profile);
        let policy =
            policy.ok_or_else(|| StartError::UnknownProfile { profile: (&**profile).into() })?;
        check_names(subject, profile)?;
        Ok(policy)
    }

    /// Without an observer no event is built.
    #[inline]
    pub(crate) fn tell<'a>(&self, event: impl FnOnce() -> Event<'a>) {
        if let Some(observer) = &self.observer {
            observer.observe(&event());
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("policies", &self.policies).finish_non_exhaustive()
    }
}

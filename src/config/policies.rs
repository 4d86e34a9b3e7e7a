use alloc::collections::{BTreeMap, btree_map::Entry};
use alloc::sync::Arc;

use super::limit::SessionLimit;
use crate::rule::SessionPolicy;

/// A default policy and named profiles: lifetimes per sign-in ("remember-me",
/// "admin").
///
/// A record names its profile; a record of a profile that is not in the set (any
/// more) is judged by the default policy. A *new* session under an unknown
/// profile is refused (`StartError::UnknownProfile`), since a misspelt name must not inherit
/// another lifetime. The name of a named profile is 1 to 64 bytes without control characters,
/// and not `default`.
///
/// # Example
///
/// From configuration (feature `serde`); every setting of every policy is written down,
/// since there is nothing to inherit, and a [limit](SessionLimit) on concurrent sessions
/// takes both of its settings or neither:
///
/// ```
/// # #[cfg(all(feature = "serde", feature = "std"))] {
/// use session_policy::{Policies, SessionPolicy};
///
/// let policies: Policies = toml::from_str(
///     r#"
///     [default]
///     max_age = "30d"
///     update_age = "5m"
///     absolute_cap = "45d"
///
///     [profiles.admin]
///     max_age = "8h"
///     update_age = "15m"
///     absolute_cap = "8h"
///     max_sessions = 1
///     when_full = "refuse"
///     "#,
/// )?;
/// assert_eq!(policies.policy_for("admin"), &SessionPolicy::WORKING_DAY);
/// assert_eq!(policies.policy_for("retired"), &SessionPolicy::SLIDING_MONTH);
/// assert_eq!(policies.get("retired"), None);
/// assert_eq!(policies.limit("admin").unwrap().max_sessions().get(), 1);
/// assert_eq!(policies.limit("default"), None);
/// # }
/// # Ok::<(), toml::de::Error>(())
/// ```
///
/// Or in the program:
///
/// ```
/// use session_policy::{Policies, SessionPolicy};
///
/// let policies = Policies::new(SessionPolicy::SLIDING_MONTH)
///     .with_profile("admin", SessionPolicy::WORKING_DAY)?;
/// assert_eq!(policies.default_policy(), &SessionPolicy::SLIDING_MONTH);
/// assert_eq!(policies.get(Policies::DEFAULT), Some(policies.default_policy()));
/// let named: Vec<_> = policies.profiles().map(|(name, _)| name).collect();
/// assert_eq!(named, ["admin"]);
/// # Ok::<(), session_policy::ProfileError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Policies {
    default: SessionPolicy,
    profiles: BTreeMap<Arc<str>, SessionPolicy>,
    limits: BTreeMap<Arc<str>, SessionLimit>,
}

impl Policies {
    /// The name of the default policy, as a session's profile.
    pub const DEFAULT: &'static str = "default";

    /// A set of one policy, without named profiles.
    #[must_use]
    pub const fn new(default: SessionPolicy) -> Self {
        Self { default, profiles: BTreeMap::new(), limits: BTreeMap::new() }
    }

    /// Adds a named profile.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] if `name` is "default", is in the set already, or is not
    /// 1 to 64 bytes without control characters.
    ///
    /// ```
    /// use session_policy::{Policies, SessionPolicy};
    ///
    /// let policies = Policies::new(SessionPolicy::SLIDING_MONTH)
    ///     .with_profile("admin", SessionPolicy::WORKING_DAY)?;
    /// assert_eq!(policies.policy_for("admin"), &SessionPolicy::WORKING_DAY);
    /// # Ok::<(), session_policy::ProfileError>(())
    /// ```
    pub fn with_profile(
        mut self,
        name: impl Into<Arc<str>>,
        policy: SessionPolicy,
    ) -> Result<Self, ProfileError> {
        let name = name.into();
        check_profile_name(&name)?;
        if &*name == Self::DEFAULT {
            return Err(ProfileError::Reserved);
        }
        match self.profiles.entry(name) {
            Entry::Occupied(entry) => Err(ProfileError::Duplicate { name: entry.key().clone() }),
            Entry::Vacant(entry) => {
                entry.insert(policy);
                Ok(self)
            }
        }
    }

    /// Limits how many sessions a subject may have at once under a profile of
    /// the set, or under the default policy ([`DEFAULT`](Self::DEFAULT)).
    ///
    /// Each profile counts its own sessions; those of a profile that is not in
    /// the set (any more) count under the default policy. Without a limit there
    /// may be any number.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] if `profile` is not in the set, or has a limit already.
    ///
    /// ```
    /// use std::num::NonZeroU32;
    ///
    /// use session_policy::{Policies, SessionLimit, SessionPolicy, WhenFull};
    ///
    /// let three = SessionLimit::new(NonZeroU32::new(3).unwrap(), WhenFull::EndOldest);
    /// let policies =
    ///     Policies::new(SessionPolicy::SLIDING_MONTH).with_limit(Policies::DEFAULT, three)?;
    /// assert_eq!(policies.limit("default"), Some(&three));
    ///
    /// let error = policies.with_limit("amdin", three).unwrap_err();
    /// assert_eq!(error.to_string(), "there is no profile `amdin` to limit");
    /// # Ok::<(), session_policy::ProfileError>(())
    /// ```
    pub fn with_limit(
        mut self,
        profile: impl Into<Arc<str>>,
        limit: SessionLimit,
    ) -> Result<Self, ProfileError> {
        let profile = profile.into();
        if self.get(&profile).is_none() {
            return Err(ProfileError::Unknown { name: profile });
        }
        match self.limits.entry(profile) {
            Entry::Occupied(entry) => Err(ProfileError::LimitedTwice { name: entry.key().clone() }),
            Entry::Vacant(entry) => {
                entry.insert(limit);
                Ok(self)
            }
        }
    }

    /// The default policy.
    #[must_use]
    pub const fn default_policy(&self) -> &SessionPolicy {
        &self.default
    }

    /// The policy of exactly this profile; `None` if there is none. "default"
    /// names the default policy.
    #[must_use]
    pub fn get(&self, profile: &str) -> Option<&SessionPolicy> {
        if profile == Self::DEFAULT { Some(&self.default) } else { self.profiles.get(profile) }
    }

    /// The policy that judges a record of this profile: its own or, for an
    /// unknown profile, the default one.
    #[must_use]
    pub fn policy_for(&self, profile: &str) -> &SessionPolicy {
        // No profile has the default's name, and where there is none the text is
        // not read.
        self.profiles.get(profile).unwrap_or(&self.default)
    }

    /// The limit on concurrent sessions under this profile or, for an unknown
    /// one, under the default policy; `None` if there is none.
    #[must_use]
    pub fn limit(&self, profile: &str) -> Option<&SessionLimit> {
        self.limits.get(self.known(profile))
    }

    /// The named profiles by name, without the default policy.
    pub fn profiles(&self) -> impl Iterator<Item = (&str, &SessionPolicy)> {
        self.profiles.iter().map(|(name, policy)| (&**name, policy))
    }

    /// The name of the policy that judges this profile.
    pub(crate) fn known<'a>(&self, profile: &'a str) -> &'a str {
        if self.profiles.contains_key(profile) { profile } else { Self::DEFAULT }
    }
}

impl From<SessionPolicy> for Policies {
    fn from(policy: SessionPolicy) -> Self {
        Self::new(policy)
    }
}

/// Why a name is not a profile's, or a profile cannot be limited.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// The name has control characters, which a log would not show.
    #[error("profile name `{}` has control characters", name.escape_debug())]
    ControlCharacter {
        /// The refused name.
        name: Arc<str>,
    },
    /// Two policies under one name.
    #[error("profile `{name}` is there twice")]
    Duplicate {
        /// The name.
        name: Arc<str>,
    },
    /// No name.
    #[error("profile name is empty")]
    Empty,
    /// Two limits for one profile.
    #[error("profile `{name}` is limited twice")]
    LimitedTwice {
        /// The name.
        name: Arc<str>,
    },
    /// The name "default" is the default policy's own.
    #[error("profile name `default` is reserved for the default policy")]
    Reserved,
    /// The name is longer than 64 bytes.
    #[error("profile name of {bytes} bytes is longer than 64 bytes")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// A limit for a profile that is not in the set.
    #[error("there is no profile `{}` to limit", name.escape_debug())]
    Unknown {
        /// The refused name.
        name: Arc<str>,
    },
}

pub(crate) fn check_profile_name(name: &str) -> Result<(), ProfileError> {
    if name.is_empty() {
        Err(ProfileError::Empty)
    } else if name.len() > 64 {
        Err(ProfileError::TooLong { bytes: name.len() })
    } else if name.contains(char::is_control) {
        Err(ProfileError::ControlCharacter { name: name.into() })
    } else {
        Ok(())
    }
}

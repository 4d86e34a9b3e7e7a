use core::num::NonZeroU32;

/// How many sessions a subject may have at once under one profile, and what a
/// sign-in does that would exceed it (OWASP ASVS 5.0 7.1.2).
///
/// | setting | unit | bound |
/// | --- | --- | --- |
/// | `max_sessions` | live sessions of one subject | 1 to 4 294 967 295 |
/// | `when_full` | – | `end_oldest`, `end_least_recent` or `refuse` |
///
/// It belongs to a profile of [`Policies`], beside the [`SessionPolicy`], which
/// is about time alone. Each profile counts its own sessions. Those that have ended
/// make way first, swept or not.
///
/// [`Policies`]: crate::Policies
/// [`SessionPolicy`]: crate::SessionPolicy
///
/// # Example
///
/// ```
/// # #[cfg(feature = "memory")] {
/// use std::num::NonZeroU32;
///
/// use session_policy::{MemoryStore, Policies, SessionLimit, SessionPolicy, Sessions, WhenFull};
///
/// # pollster::block_on(async {
/// let one_at_a_time = SessionLimit::new(NonZeroU32::MIN, WhenFull::EndOldest);
/// let policies = Policies::new(SessionPolicy::WORKING_DAY)
///     .with_limit(Policies::DEFAULT, one_at_a_time)?;
/// let sessions = Sessions::new(MemoryStore::new(), policies);
///
/// let laptop = sessions.start("user-42").await?;
/// let phone = sessions.start("user-42").await?;
/// assert!(sessions.authenticate(laptop.token.expose()).await.is_err());
/// assert!(sessions.authenticate(phone.token.expose()).await.is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// # }
/// ```
///
/// ```
/// use std::num::NonZeroU32;
///
/// use session_policy::{SessionLimit, WhenFull};
///
/// let three = SessionLimit::new(NonZeroU32::new(3).unwrap(), WhenFull::Refuse);
/// assert_eq!(three.max_sessions().get(), 3);
/// assert_eq!(three.when_full(), WhenFull::Refuse);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct SessionLimit {
    max_sessions: NonZeroU32,
    when_full: WhenFull,
}

impl SessionLimit {
    /// At most `max_sessions` at once; a sign-in beyond it does as `when_full`
    /// says.
    #[must_use]
    pub const fn new(max_sessions: NonZeroU32, when_full: WhenFull) -> Self {
        Self { max_sessions, when_full }
    }

    /// How many live sessions a subject may have at once.
    #[must_use]
    pub const fn max_sessions(&self) -> NonZeroU32 {
        self.max_sessions
    }

    /// What a sign-in does that would exceed it.
    #[must_use]
    pub const fn when_full(&self) -> WhenFull {
        self.when_full
    }
}

/// What a sign-in does when the subject has as many sessions as it may.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum WhenFull {
    /// As [`EndOldest`](Self::EndOldest), but in the order of their last renewal: the one
    /// unused for the longest ends first. That is known to within `update_age`.
    EndLeastRecent,
    /// End the oldest sessions until there is room: all that exceed the limit,
    /// not one per sign-in, so that a limit that was lowered holds at once.
    EndOldest,
    /// Refuse the sign-in and leave the sessions that are there alone.
    Refuse,
}

use core::fmt;

use chrono::TimeDelta;

use super::lifetime::Lifetime;
use crate::time::Timestamp;

/// RFC 6265bis section 5.6.2: user agents limit a cookie to 400 days.
pub(crate) const MAX_COOKIE_AGE: TimeDelta = TimeDelta::days(400);

/// What to do with a request, from [`SessionPolicy::evaluate`].
///
/// Exhaustive on purpose: a caller that forgets a case does not compile. Every
/// variant says until when it holds.
///
/// # Example
///
/// ```
/// use session_policy::{Decision, SessionPolicy, Timestamp};
///
/// let login = Timestamp::from_unix_secs(1_800_000_000);
/// let policy = SessionPolicy::WORKING_DAY;
/// let lifetime = policy.start(login);
///
/// let due = policy.evaluate(&lifetime, login.saturating_add(policy.update_age()));
/// assert!(matches!(due, Decision::Renew { .. }) && due.is_served());
/// let over = policy.evaluate(&lifetime, lifetime.expires_at());
/// assert!(!over.is_served());
/// ```
///
/// [`SessionPolicy::evaluate`]: crate::SessionPolicy::evaluate
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[must_use = "a decision does nothing until it is carried out"]
pub enum Decision {
    /// Serve; write nothing.
    Keep {
        /// The first instant at which the session is refused unless renewed.
        until: Timestamp,
    },
    /// Refuse, for this reason, since this instant.
    Reject {
        /// Which limit refuses the session.
        reason: RejectReason,
        /// The first refused instant. For [`RejectReason::NotYetValid`], whose
        /// limit lies ahead: the first instant that is not refused for it.
        since: Timestamp,
    },
    /// Serve, then store `lifetime` or re-issue the token.
    Renew {
        /// The session's lifetime after the renewal; `expires_at` is the first
        /// instant at which it is refused unless renewed again.
        lifetime: Lifetime,
    },
}

impl Decision {
    /// Whether the request is to be served.
    #[must_use]
    pub const fn is_served(&self) -> bool {
        !matches!(self, Self::Reject { .. })
    }
}

/// Why a session is refused.
///
/// # Example
///
/// ```
/// use session_policy::RejectReason;
///
/// assert_eq!(RejectReason::Idle.as_str(), "idle"); // For programs.
/// assert_eq!(RejectReason::Idle.to_string(), "idle for too long"); // For people.
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum RejectReason {
    /// The absolute cap is reached; only a new sign-in starts another session
    /// (NIST SP 800-63B-4 section 5.2, OWASP ASVS 5.0 7.3.2).
    AbsoluteCap,
    /// No counted activity for `max_age` (OWASP ASVS 5.0 7.3.1).
    Idle,
    /// Created further in the future than the clock skew tolerates (RFC 7519
    /// section 4.1.5).
    NotYetValid,
}

impl RejectReason {
    /// The reason as its stable, machine-readable word, as serialised.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AbsoluteCap => "absolute_cap",
            Self::Idle => "idle",
            Self::NotYetValid => "not_yet_valid",
        }
    }

    /// On which side of the limit the session is refused, for messages.
    #[cfg(any(feature = "review", feature = "std"))]
    pub(crate) const fn bound(self) -> &'static str {
        match self {
            Self::AbsoluteCap | Self::Idle => "since",
            Self::NotYetValid => "until",
        }
    }
}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AbsoluteCap => "the absolute cap is reached",
            Self::Idle => "idle for too long",
            Self::NotYetValid => "not yet valid",
        })
    }
}

/// How long a session has left, for a countdown on a page.
///
/// Computed by [`SessionPolicy::status`] with the server's `now`, so that a
/// client with a wrong clock still counts down correctly. Reading it never
/// extends a session. It carries what a warning needs under WCAG 2.2 success
/// criterion 2.2.1: when the session ends, and whether activity can extend it.
///
/// Serialised as unix seconds and a boolean.
///
/// [`SessionPolicy::status`]: crate::SessionPolicy::status
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub struct Status {
    /// The server's instant at which this was computed.
    pub now: Timestamp,
    /// The first instant at which the session is refused without activity; never after
    /// `absolute_expires_at`.
    pub idle_expires_at: Timestamp,
    /// The first instant at which it is refused whatever the activity.
    pub absolute_expires_at: Timestamp,
    /// Whether the session lives and activity can still move
    /// `idle_expires_at`; `false` once it is pinned at the cap, and where an earlier
    /// policy's end comes before a renewal under this one is due.
    pub extendable: bool,
}

impl Status {
    /// The `Max-Age` attribute of the session's cookie, if it is sent now: the time to
    /// the cap, at least 0 s and at most 400 days.
    ///
    /// 400 days is the limit that user agents apply (RFC 6265bis section 5.6.2). The
    /// record ends the session, never the cookie (NIST SP 800-63B-4 section 5.1.1): one
    /// that ran to `idle_expires_at` would have to be sent again at each renewal, and a
    /// lost answer would cost the cookie of a live session.
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use session_policy::{SessionPolicy, Timestamp};
    ///
    /// let now = Timestamp::from_unix_secs(1_800_000_000);
    /// let policy = SessionPolicy::SLIDING_MONTH;
    /// let status = policy.status(&policy.start(now), now);
    /// assert_eq!(status.cookie_max_age(), TimeDelta::days(45));
    /// ```
    #[must_use]
    pub fn cookie_max_age(&self) -> TimeDelta {
        self.absolute_expires_at.since(self.now).clamp(TimeDelta::zero(), MAX_COOKIE_AGE)
    }

    /// Whether the session may live longer than a cookie: then the cookie is sent again
    /// at every renewal.
    #[cfg(any(feature = "review", feature = "std"))]
    pub(crate) fn outlives_cookies(&self, lifetime: &Lifetime) -> bool {
        self.absolute_expires_at.since(lifetime.created_at()) > MAX_COOKIE_AGE
    }
}

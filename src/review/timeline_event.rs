use core::fmt;

use chrono::TimeDelta;

use crate::rule::RejectReason;
use crate::time::{Human, Timestamp};

/// Something that happened on a [`Timeline`](super::Timeline).
///
/// # Example
///
/// ```
/// use session_policy::review::{Happening, Timeline};
/// use session_policy::{SessionPolicy, Timestamp};
///
/// let login = Timestamp::from_unix_secs(1_800_000_000);
/// let timeline = Timeline::play(&SessionPolicy::WORKING_DAY, login, [login]);
/// let [sign_in, request, end] = timeline.events() else { panic!("{timeline}") };
/// assert!(!sign_in.is_request() && request.is_request() && !end.is_request());
/// assert_eq!(request.happening, Happening::Kept);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct TimelineEvent {
    /// When.
    pub at: Timestamp,
    /// What.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub happening: Happening,
    /// When the session ends without further activity, as of this event.
    pub until: Timestamp,
    /// The `Max-Age` of the cookie that the browser is sent, if any.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::time::opt_secs"))]
    pub cookie: Option<TimeDelta>,
    /// The `exp` of the token that is issued, where the session is in tokens.
    pub token: Option<Timestamp>,
}

impl TimelineEvent {
    /// Whether it is a request that was judged.
    #[must_use]
    pub const fn is_request(&self) -> bool {
        use Happening::{Kept, Refused, Renewed, WithoutCookie};
        matches!(self.happening, Kept | Refused { .. } | Renewed | WithoutCookie)
    }

    /// Whether a store is asked to write.
    pub(super) const fn is_write(&self) -> bool {
        matches!(self.happening, Happening::Renewed | Happening::SignedIn)
    }
}

impl fmt::Display for TimelineEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, until, .. } = self;
        write!(f, "{at}  ")?;
        match self.happening {
            Happening::CookieLapsed => {
                write!(f, "the browser drops the cookie; the session lives until {until}")?;
            }
            Happening::Ended { reason } => write!(f, "ended: {reason}")?,
            Happening::Kept => write!(f, "kept, until {until}")?,
            Happening::Refused { reason, since } => {
                write!(f, "refused {} {since}: {reason}", reason.bound())?;
            }
            Happening::Renewed => write!(f, "renewed, until {until}")?,
            Happening::SignedIn => write!(f, "signed in, until {until}")?,
            Happening::Warned => write!(f, "warned, {} before the end", Human(until.since(*at)))?,
            Happening::WithoutCookie => f.write_str("came without a cookie")?,
        }
        match self.happening {
            Happening::SignedIn => f.write_str("; record created")?,
            Happening::Renewed => f.write_str("; record written")?,
            _ => {}
        }
        if let Some(max_age) = self.cookie {
            write!(f, "; cookie for {}", Human(max_age))?;
        }
        match self.token {
            Some(expires_at) => write!(f, "; token until {expires_at}"),
            None => Ok(()),
        }
    }
}

/// What happened in a [`TimelineEvent`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case", tag = "happening"))]
pub enum Happening {
    /// The browser dropped the cookie of a session that lived on: none is kept for longer
    /// than 400 days (RFC 6265bis section 5.6.2). Only a `max_age` over 400 days lets it
    /// come to that.
    CookieLapsed,
    /// The session ended.
    Ended {
        /// At which limit.
        reason: RejectReason,
    },
    /// A request was served; no renewal was due.
    Kept,
    /// A request was refused.
    Refused {
        /// For which limit.
        reason: RejectReason,
        /// As of [`Decision::Reject`](crate::Decision::Reject).
        since: Timestamp,
    },
    /// A request was served, and the session renewed.
    Renewed,
    /// The session started.
    SignedIn,
    /// The end is near, and nobody was active.
    Warned,
    /// A request came after its cookie had lapsed, so it opened no session.
    WithoutCookie,
}

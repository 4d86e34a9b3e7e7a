use std::fmt;

use session_policy::RejectReason;

/// Why a session ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Cause {
    /// The application ended it, as this word of `Ended` says.
    Ended(String),
    /// A superseded token came back.
    Reuse,
    /// Its time was over.
    Time(RejectReason),
}

impl Cause {
    /// The stable word, for programs.
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Ended(cause) => cause,
            Self::Reuse => "reuse",
            Self::Time(reason) => reason.as_str(),
        }
    }
}

/// In plain words.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Time(RejectReason::Idle) => "idle limit: the last renewal was max_age ago",
            Self::Time(_) => "absolute cap: the session was as old as absolute_cap allows",
            Self::Reuse => "reuse: a superseded token came back, so it may have been stolen",
            Self::Ended(cause) => match cause.as_str() {
                "end" => {
                    "signed out: this session alone was ended, as by a sign-out or from a list of \
                     devices"
                }
                "end_all" => "ended with all sessions of the user",
                "end_others" => "ended from another device, with all sessions but that one",
                "limit" => "limit on sessions: a later sign-in exceeded it",
                "replaced" => "replaced by a new sign-in in its place",
                "revoked" => {
                    "revoked: the user's password changed, or the user may have no session"
                }
                other => {
                    let other = other.escape_debug();
                    return write!(f, "ended as `{other}`, a cause this program does not know");
                }
            },
        })
    }
}

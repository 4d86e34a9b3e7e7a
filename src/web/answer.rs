//! What an answer is to say, until it is made.

use alloc::string::String;

use super::carrier::Built;
use super::cookie::pair;
use super::reply::Reply;
use super::shared::Unsent;
use crate::record::{SessionId, SessionToken};

/// What the answer is to say.
pub(super) enum Answer<A: Send + Sync + 'static> {
    /// A session began, or goes on under another secret.
    Begun {
        unsent: Unsent<A>,
        set_cookie: Option<String>,
    },
    Clear {
        set_cookie: Option<String>,
    },
    /// A renewal issued another token.
    Reissued {
        token: SessionToken,
        /// The session's when it was issued.
        version: u64,
        set_cookie: Option<String>,
    },
}

impl<A: Send + Sync + 'static> Answer<A> {
    /// The session that it hands over.
    pub(super) fn begun(&self) -> Option<SessionId> {
        match self {
            Self::Begun { unsent, .. } => Some(unsent.id()),
            Self::Clear { .. } | Self::Reissued { .. } => None,
        }
    }

    /// What to put on it, given what the handler has set itself. Few requests leave anything.
    #[cold]
    pub(super) fn into_reply<'a>(
        self,
        carrier: &Built,
        own: impl IntoIterator<Item = &'a [u8]>,
    ) -> Reply {
        let (set_cookie, reissued, unsent) = match self {
            Self::Begun { unsent, set_cookie } => (set_cookie, None, Some(unsent)),
            Self::Reissued { token, set_cookie: None, .. } => {
                let header = carrier.reissued_in();
                (None, header.map(|name| (name.into(), token.expose().into())), None)
            }
            Self::Clear { set_cookie } | Self::Reissued { set_cookie, .. } => {
                (set_cookie, None, None)
            }
        };
        // The handler's own cookie wins, of several the last as in a browser; a session
        // whose token is not in it is ended.
        let is_own = |header: &&[u8]| carrier.is_set_by(header);
        let own = set_cookie.as_ref().and_then(|_| own.into_iter().filter(is_own).last());
        let ours = set_cookie.as_ref().map(|ours| pair(ours.as_bytes()));
        if let Some(unsent) = unsent.filter(|_| own.is_none_or(|own| Some(pair(own)) == ours)) {
            unsent.was_sent();
        }
        Reply { set_cookie: set_cookie.filter(|_| own.is_none()), reissued }
    }
}

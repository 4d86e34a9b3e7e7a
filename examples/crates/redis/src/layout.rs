use std::fmt::{self, Display};
use std::hash::{BuildHasher, RandomState};
use std::str::FromStr;
use std::sync::Arc;

use redis::Script;
use session_policy::SessionId;
use session_policy::store::StoreError;

/// Over how many sorted sets the index by expiry is spread, so that it is not one
/// hot key of a cluster. Fixed: sessions of another number would not be swept.
pub(crate) const SHARDS: u8 = 16;

/// The names of keys under a prefix.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    prefix: Arc<str>,
}

impl Keys {
    pub(crate) fn new(prefix: &str) -> Result<Self, PrefixError> {
        if prefix.is_empty() {
            Err(PrefixError::Empty)
        } else if prefix.contains(['{', '}']) {
            Err(PrefixError::HashTag { prefix: prefix.into() })
        } else if prefix.contains(':') {
            Err(PrefixError::Colon { prefix: prefix.into() })
        } else {
            Ok(Self { prefix: prefix.into() })
        }
    }

    /// A hash: a session.
    pub(crate) fn session(&self, id: impl Display) -> String {
        format!("{}:session:{id}", self.prefix)
    }

    /// A sorted set: notes of a subject's sessions by when to forget them.
    ///
    /// A subject may have braces, which a cluster would take for a hash tag; that
    /// moves its key to another slot and nothing else.
    pub(crate) fn subject(&self, subject: &[u8]) -> Vec<u8> {
        [self.prefix.as_bytes(), b":subject:", subject].concat()
    }

    /// A sorted set: notes by `expires_at` or earlier, in one of [`SHARDS`] parts.
    pub(crate) fn expiry(&self, shard: u8) -> String {
        format!("{}:expiry:{shard}", self.prefix)
    }
}

pub(crate) fn shard_of(id: &SessionId) -> u8 {
    id.as_bytes()[SessionId::BYTES - 1] % SHARDS
}

/// What the indices hold of a session: its id and a number of this one creation.
///
/// Without the number, a removal under way would drop the notes of a session that was
/// created under the freed id meanwhile.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Note {
    pub(crate) id: SessionId,
    nonce: u64,
}

impl Note {
    /// Of a session that is about to be created.
    pub(crate) fn new(id: SessionId) -> Self {
        Self { id, nonce: RandomState::new().hash_one(id) }
    }

    /// Of a session that is there.
    pub(crate) fn of(id: SessionId, nonce: &[u8]) -> Result<Self, StoreError> {
        let text = str::from_utf8(nonce).map_err(StoreError::corrupt)?;
        let nonce = u64::from_str_radix(text, 16).map_err(StoreError::corrupt)?;
        Ok(Self { id, nonce })
    }

    pub(crate) fn nonce(&self) -> String {
        format!("{:016x}", self.nonce)
    }
}

impl Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:016x}", self.id, self.nonce)
    }
}

impl FromStr for Note {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let (id, nonce) =
            text.split_once('.').ok_or_else(|| StoreError::corrupt("a note has no nonce"))?;
        Self::of(id.parse().map_err(StoreError::corrupt)?, nonce.as_bytes())
    }
}

/// Why a text is no prefix for keys.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PrefixError {
    /// A key of one prefix could be another's: a subject of `a` may be named so that its
    /// key begins with `a:subject:b`. Without colons, the first one ends the prefix.
    #[error("the key prefix `{prefix}` has a colon, which ends a prefix: use `-`")]
    Colon {
        /// The refused text.
        prefix: String,
    },
    /// No prefix: the keys could be anyone's.
    #[error("the key prefix is empty")]
    Empty,
    /// Braces would put every key into one slot of a cluster.
    #[error("the key prefix `{prefix}` has braces, which are a hash tag to a cluster")]
    HashTag {
        /// The refused text.
        prefix: String,
    },
}

/// The scripts; each touches one key.
#[derive(Debug)]
pub(crate) struct Scripts {
    pub(crate) create: Script,
    pub(crate) hint: Script,
    pub(crate) remove: Script,
    pub(crate) sweep: Script,
    pub(crate) update: Script,
}

impl Scripts {
    pub(crate) fn new() -> Self {
        Self {
            create: Script::new(include_str!("lua/create.lua")),
            hint: Script::new(include_str!("lua/hint.lua")),
            remove: Script::new(include_str!("lua/remove.lua")),
            sweep: Script::new(include_str!("lua/sweep.lua")),
            update: Script::new(include_str!("lua/update.lua")),
        }
    }
}

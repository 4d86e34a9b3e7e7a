use std::fmt::Display;
use std::sync::Arc;

use redis::Script;
use session_policy::{Session, SessionId};

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
        } else {
            Ok(Self { prefix: prefix.into() })
        }
    }

    /// A hash: a session.
    pub(crate) fn session(&self, id: impl Display) -> String {
        format!("{}:session:{id}", self.prefix)
    }

    /// A sorted set: ids of a subject's sessions by when to forget them.
    ///
    /// A subject may have braces, which a cluster would take for a hash tag; that
    /// moves its key to another slot and nothing else.
    pub(crate) fn subject(&self, subject: &[u8]) -> Vec<u8> {
        [self.prefix.as_bytes(), b":subject:", subject].concat()
    }

    /// A sorted set: ids by `expires_at` or earlier, in one of [`SHARDS`] parts.
    pub(crate) fn expiry(&self, shard: u8) -> String {
        format!("{}:expiry:{shard}", self.prefix)
    }
}

pub(crate) fn shard_of(id: &SessionId) -> u8 {
    id.as_bytes()[SessionId::BYTES - 1] % SHARDS
}

/// Why a text is no prefix for keys.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PrefixError {
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

/// The fields of a session's hash, in the order in which they are read.
pub(crate) const FIELDS: [&str; 9] = [
    "subject",
    "profile",
    "version",
    "secret",
    "created_at",
    "renewed_at",
    "expires_at",
    "absolute_expires_at",
    "generation",
];
/// Empty if there is none.
pub(crate) const CONFIRMED_AT: &str = "confirmed_at";

/// Fields and values, alternating.
pub(crate) fn fields_of(session: &Session) -> Vec<Vec<u8>> {
    let lifetime = session.lifetime();
    let values: [Vec<u8>; FIELDS.len()] = [
        session.subject().into(),
        session.profile().into(),
        text(session.version()),
        session.secret().as_bytes().into(),
        text(lifetime.created_at().as_unix_secs()),
        text(lifetime.renewed_at().as_unix_secs()),
        text(lifetime.expires_at().as_unix_secs()),
        text(lifetime.absolute_expires_at().as_unix_secs()),
        text(session.generation()),
    ];
    let confirmed_at = (CONFIRMED_AT, confirmation(session.confirmed_at()));
    FIELDS
        .into_iter()
        .zip(values)
        .chain([confirmed_at])
        .flat_map(|(field, value)| [field.into(), value])
        .collect()
}

pub(crate) fn confirmation(at: Option<session_policy::Timestamp>) -> Vec<u8> {
    at.map_or_else(Vec::new, |at| text(at.as_unix_secs()))
}

pub(crate) fn text(number: impl Display) -> Vec<u8> {
    number.to_string().into_bytes()
}

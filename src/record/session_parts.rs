use alloc::sync::Arc;
use core::fmt;

use super::id::SessionId;
use super::token::SecretHash;
use crate::rule::Lifetime;
use crate::time::Timestamp;

/// The fields of a [`Session`](crate::Session), for stores to write and read.
///
/// Serialised as one flat object, whose instants are unix seconds. `Debug` does not
/// show `about`, which is a user's text.
#[derive(Clone, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct SessionParts {
    /// The public name of the session.
    pub id: SessionId,
    /// Whose session it is: 1 to 1024 bytes without NUL.
    pub subject: Arc<str>,
    /// Which policy of the set it was started under: 1 to 64 bytes without
    /// control characters.
    pub profile: Arc<str>,
    /// Under which epoch of its subject it was started, if under any.
    #[cfg_attr(feature = "serde", serde(default))]
    pub epoch: Option<u64>,
    /// Its place among its subject's sessions, where a limit counts them; else 0.
    #[cfg_attr(feature = "serde", serde(default))]
    pub ordinal: u64,
    /// What its user knows it by, such as "Firefox on Linux"; at most 1 KiB. It
    /// never decides.
    #[cfg_attr(feature = "serde", serde(default))]
    pub about: Option<Arc<str>>,
    /// Counts the guarded writes; what an update compares. Starts at 0.
    pub version: u64,
    /// The hash of the token's secret.
    pub secret: SecretHash,
    /// The four instants.
    pub lifetime: Lifetime,
    /// Counts the tokens of a hybrid session; 0 for others.
    pub generation: u64,
    /// When a hybrid session's current token was first presented; `None` until
    /// then. At the start, the start.
    pub confirmed_at: Option<Timestamp>,
}

impl fmt::Debug for SessionParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionParts")
            .field("id", &self.id)
            .field("subject", &self.subject)
            .field("profile", &self.profile)
            .field("epoch", &self.epoch)
            .field("ordinal", &self.ordinal)
            .field("version", &self.version)
            .field("secret", &self.secret)
            .field("lifetime", &self.lifetime)
            .field("generation", &self.generation)
            .field("confirmed_at", &self.confirmed_at)
            .finish_non_exhaustive()
    }
}

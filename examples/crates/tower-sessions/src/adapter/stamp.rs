use serde::{Deserialize, Serialize};
use session_policy::Lifetime;
use sha2::{Digest, Sha256};

use super::tower_sessions::session::{Id, Record};
use super::tower_sessions::session_store;

/// The key of a record's data that is reserved for the instants.
pub const KEY: &str = "session_policy";

/// What stands under [`KEY`].
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Stamp {
    /// Names the session without opening it, for a record that changes its id.
    #[serde(with = "text")]
    pub(crate) handle: Id,
    pub(crate) lifetime: Lifetime,
    /// Set by the layer, so that tower-sessions saves the record. Never read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) touched: bool,
}

impl Stamp {
    pub(crate) fn new(id: &Id, lifetime: Lifetime) -> Self {
        Self { handle: tombstone_id(id), lifetime, touched: false }
    }

    /// The stamp in a record; `None` if the key is not there.
    pub(crate) fn of(record: &Record) -> session_store::Result<Option<Self>> {
        record.data.get(KEY).map(Self::deserialize).transpose().map_err(|error| {
            session_store::Error::Decode(format!("`{KEY}` in the record's data: {error}"))
        })
    }

    pub(crate) fn put(self, record: &mut Record) -> session_store::Result<()> {
        let value = serde_json::to_value(self);
        let value = value.map_err(|error| session_store::Error::Encode(error.to_string()))?;
        record.data.insert(KEY.into(), value);
        Ok(())
    }
}

/// Where the tombstone of a session stands. Not invertible: an id opens its
/// session, and the tombstone's must not.
pub(crate) fn tombstone_id(id: &Id) -> Id {
    let digest = Sha256::new()
        .chain_update(b"session-policy tombstone")
        .chain_update(id.0.to_le_bytes())
        .finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Id(i128::from_le_bytes(bytes))
}

/// An id as its text: JSON has no number of 128 bits.
mod text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::Id;

    pub(super) fn serialize<S: Serializer>(id: &Id, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Id, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

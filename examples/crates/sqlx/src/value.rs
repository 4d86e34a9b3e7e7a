//! What the statements are given.

use session_policy::store::{StoreError, Update};
use session_policy::{Session, SessionId, Timestamp};

/// How many columns a session has.
pub(crate) const COLUMNS: i64 = 14;

/// A parameter of a statement.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    Bytes(&'a [u8]),
    Id(SessionId),
    Null,
    Number(i64),
    Text(&'a str),
}

/// The parameters of `create`.
pub(crate) fn created(session: &Session) -> Result<[Value<'_>; 14], StoreError> {
    let lifetime = session.lifetime();
    Ok([
        session.id().into(),
        session.subject().into(),
        session.profile().into(),
        session.epoch().map(u64::cast_signed).into(),
        session.ordinal().cast_signed().into(),
        session.about().into(),
        count(session.version())?,
        Value::Bytes(session.secret().as_bytes()),
        lifetime.created_at().into(),
        lifetime.renewed_at().into(),
        lifetime.expires_at().into(),
        lifetime.absolute_expires_at().into(),
        count(session.generation())?,
        session.confirmed_at().into(),
    ])
}

/// The parameters of `update`.
pub(crate) fn updated(update: &Update) -> Result<[Value<'_>; 8], StoreError> {
    Ok([
        update.id().into(),
        count(update.expected_version())?,
        update.at().into(),
        update.renewed_at().into(),
        update.expires_at().into(),
        Value::Bytes(update.secret().as_bytes()),
        count(update.generation())?,
        update.confirmed_at().into(),
    ])
}

/// A count as the engines' signed 64 bits.
fn count<'a>(count: u64) -> Result<Value<'a>, StoreError> {
    i64::try_from(count).map(Value::Number).map_err(StoreError::corrupt)
}

impl From<SessionId> for Value<'_> {
    fn from(id: SessionId) -> Self {
        Self::Id(id)
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(instant: Timestamp) -> Self {
        Self::Number(instant.as_unix_secs())
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

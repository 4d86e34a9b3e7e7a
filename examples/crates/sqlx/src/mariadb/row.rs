use session_policy::store::{Removed, SecretHash, SessionParts, StoreError};
use session_policy::{Lifetime, Session, SessionId, Timestamp};
use sqlx::Row;
use sqlx::mysql::MySqlRow;

/// A row as a session; what is no session is refused, never repaired.
pub(super) fn session(row: &MySqlRow) -> Result<Session, StoreError> {
    let bytes = |column| row.try_get::<&[u8], _>(column).map_err(StoreError::corrupt);
    let text = |column| str::from_utf8(bytes(column)?).map_err(StoreError::corrupt);
    let number = |column| row.try_get::<i64, _>(column).map_err(StoreError::corrupt);
    let count = |column| u64::try_from(number(column)?).map_err(StoreError::corrupt);
    let instant = |column| Timestamp::try_from(number(column)?).map_err(StoreError::corrupt);
    let confirmed_at: Option<i64> = row.try_get("confirmed_at").map_err(StoreError::corrupt)?;
    let epoch: Option<i64> = row.try_get("epoch").map_err(StoreError::corrupt)?;
    let about: Option<&[u8]> = row.try_get("about").map_err(StoreError::corrupt)?;
    let about = about.map(str::from_utf8).transpose().map_err(StoreError::corrupt)?;
    Session::restore(SessionParts {
        id: SessionId::from_bytes(bytes("id")?.try_into().map_err(StoreError::corrupt)?),
        subject: text("subject")?.into(),
        profile: text("profile")?.into(),
        epoch: epoch.map(i64::cast_unsigned),
        ordinal: number("ordinal")?.cast_unsigned(),
        about: about.map(Into::into),
        version: count("version")?,
        secret: SecretHash::from_bytes(bytes("secret")?.try_into().map_err(StoreError::corrupt)?),
        lifetime: Lifetime::restore(
            instant("created_at")?,
            instant("renewed_at")?,
            instant("expires_at")?,
            instant("absolute_expires_at")?,
        )
        .map_err(StoreError::corrupt)?,
        generation: count("generation")?,
        confirmed_at: confirmed_at
            .map(Timestamp::try_from)
            .transpose()
            .map_err(StoreError::corrupt)?,
    })
    .map_err(StoreError::corrupt)
}

/// Whether a statement returned the row that it was about.
pub(super) fn is_of(rows: &[MySqlRow], meant: SessionId) -> Result<bool, StoreError> {
    match rows.first().map(id).transpose()? {
        Some(id) if id != meant => Err(StoreError::corrupt("another statement was answered")),
        id => Ok(id.is_some()),
    }
}

pub(super) fn id(row: &MySqlRow) -> Result<SessionId, StoreError> {
    let bytes: &[u8] = row.try_get("id").map_err(StoreError::corrupt)?;
    Ok(SessionId::from_bytes(bytes.try_into().map_err(StoreError::corrupt)?))
}

/// What a sweep says of a row.
pub(super) fn removed(row: &MySqlRow) -> Result<Removed, StoreError> {
    let text = |column| {
        let bytes: &[u8] = row.try_get(column).map_err(StoreError::corrupt)?;
        str::from_utf8(bytes).map_err(StoreError::corrupt)
    };
    let instant = |column| {
        let secs: i64 = row.try_get(column).map_err(StoreError::corrupt)?;
        Timestamp::try_from(secs).map_err(StoreError::corrupt)
    };
    Ok(Removed::from_parts(
        id(row)?,
        text("subject")?,
        text("profile")?,
        instant("expires_at")?,
        instant("absolute_expires_at")?,
    ))
}

/// A count as the engine's signed 64 bits.
pub(super) fn count(count: u64) -> Result<i64, StoreError> {
    i64::try_from(count).map_err(StoreError::corrupt)
}

use session_policy::store::{Removed, SecretHash, SessionParts, StoreError};
use session_policy::{Lifetime, Session, SessionId, Timestamp};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// A row as a session; what is no session is refused, never repaired.
pub(super) fn session(row: &PgRow) -> Result<Session, StoreError> {
    let text = |column| row.try_get::<&str, _>(column).map_err(StoreError::corrupt);
    let number = |column| row.try_get::<i64, _>(column).map_err(StoreError::corrupt);
    let count = |column| u64::try_from(number(column)?).map_err(StoreError::corrupt);
    let instant = |column| Timestamp::try_from(number(column)?).map_err(StoreError::corrupt);
    let secret: Vec<u8> = row.try_get("secret").map_err(StoreError::corrupt)?;
    let secret = secret.try_into().map_err(|_| StoreError::corrupt("a secret is 32 bytes"))?;
    let confirmed_at: Option<i64> = row.try_get("confirmed_at").map_err(StoreError::corrupt)?;
    let epoch: Option<i64> = row.try_get("epoch").map_err(StoreError::corrupt)?;
    let about: Option<&str> = row.try_get("about").map_err(StoreError::corrupt)?;
    Session::restore(SessionParts {
        id: id(row)?,
        subject: text("subject")?.into(),
        profile: text("profile")?.into(),
        epoch: epoch.map(i64::cast_unsigned),
        ordinal: number("ordinal")?.cast_unsigned(),
        about: about.map(Into::into),
        version: count("version")?,
        secret: SecretHash::from_bytes(secret),
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
pub(super) fn is_of(rows: &[PgRow], meant: SessionId) -> Result<bool, StoreError> {
    match rows.first().map(id).transpose()? {
        Some(id) if id != meant => Err(StoreError::corrupt("another statement was answered")),
        id => Ok(id.is_some()),
    }
}

pub(super) fn id(row: &PgRow) -> Result<SessionId, StoreError> {
    let bytes: Vec<u8> = row.try_get("id").map_err(StoreError::corrupt)?;
    let bytes = bytes.try_into().map_err(|_| StoreError::corrupt("an id is 16 bytes"))?;
    Ok(SessionId::from_bytes(bytes))
}

/// What a sweep says of a row.
pub(super) fn removed(row: &PgRow) -> Result<Removed, StoreError> {
    let text = |column| row.try_get::<&str, _>(column).map_err(StoreError::corrupt);
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

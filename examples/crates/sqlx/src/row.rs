//! What an engine answers as what a store returns.

use session_policy::store::{Cursor, Page, Removed, SecretHash, SessionParts, StoreError};
use session_policy::{Lifetime, Session, SessionId, Timestamp};
use sqlx::{ColumnIndex, Decode, Row, Type};

/// Reads a column of an engine's row by its name; `None` is `NULL`.
pub(crate) trait Columns {
    fn bytes(&self, column: &str) -> Result<Option<Vec<u8>>, StoreError>;
    fn number(&self, column: &str) -> Result<Option<i64>, StoreError>;
    fn text(&self, column: &str) -> Result<Option<&str>, StoreError>;
}

/// A row as a session; what is no session is refused, never repaired.
pub(crate) fn session(row: &impl Columns) -> Result<Session, StoreError> {
    let count = |column| u64::try_from(number(row, column)?).map_err(StoreError::corrupt);
    let confirmed_at = row.number("confirmed_at")?.map(Timestamp::try_from);
    Session::restore(SessionParts {
        id: id(row)?,
        subject: text(row, "subject")?.into(),
        profile: text(row, "profile")?.into(),
        epoch: row.number("epoch")?.map(i64::cast_unsigned),
        ordinal: number(row, "ordinal")?.cast_unsigned(),
        about: row.text("about")?.map(Into::into),
        version: count("version")?,
        secret: SecretHash::from_bytes(bytes(row, "secret")?),
        lifetime: Lifetime::restore(
            instant(row, "created_at")?,
            instant(row, "renewed_at")?,
            instant(row, "expires_at")?,
            instant(row, "absolute_expires_at")?,
        )
        .map_err(StoreError::corrupt)?,
        generation: count("generation")?,
        confirmed_at: confirmed_at.transpose().map_err(StoreError::corrupt)?,
    })
    .map_err(StoreError::corrupt)
}

pub(crate) fn id(row: &impl Columns) -> Result<SessionId, StoreError> {
    Ok(SessionId::from_bytes(bytes(row, "id")?))
}

/// Whether a statement returned the row that it was about.
pub(crate) fn is_of(rows: &[impl Columns], meant: SessionId) -> Result<bool, StoreError> {
    match rows.first().map(id).transpose()? {
        Some(id) if id != meant => Err(StoreError::corrupt("another statement was answered")),
        id => Ok(id.is_some()),
    }
}

/// What a scan returned that asked for at most `limit` sessions.
pub(crate) fn page(rows: &[impl Columns], limit: u32) -> Result<Page, StoreError> {
    let sessions: Vec<_> = rows.iter().map(session).collect::<Result<_, _>>()?;
    let last = sessions.last().filter(|_| sessions.len() == limit as usize);
    let next = last.map(|last| Cursor::from_bytes(*last.id().as_bytes()));
    Ok(Page { sessions, next })
}

/// What a sweep tells of the rows that it removed: of as many as can be read, since the
/// others are gone as well; the first error, if of none. So a sweep of as many as it may be
/// can tell of fewer.
pub(crate) fn told(
    rows: impl IntoIterator<Item = Result<Removed, StoreError>>,
) -> Result<Vec<Removed>, StoreError> {
    let (mut told, mut unreadable) = (Vec::new(), None);
    for row in rows {
        match row {
            Ok(row) => told.push(row),
            Err(error) => _ = unreadable.get_or_insert(error),
        }
    }
    unreadable.filter(|_| told.is_empty()).map_or(Ok(told), Err)
}

/// What a sweep says of a row.
pub(crate) fn removed(row: &impl Columns) -> Result<Removed, StoreError> {
    Ok(Removed::from_parts(
        id(row)?,
        text(row, "subject")?,
        text(row, "profile")?,
        instant(row, "expires_at")?,
        instant(row, "absolute_expires_at")?,
    ))
}

/// Refuses a table that is not the store's: each row is a problem that the check found.
pub(crate) fn usable<R: Row>(table: &str, rows: &[R]) -> Result<(), StoreError>
where
    for<'r> String: Decode<'r, R::Database> + Type<R::Database>,
    usize: ColumnIndex<R>,
{
    if rows.is_empty() {
        return Ok(());
    }
    let found: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get(0)).collect();
    let found = found.map_err(StoreError::corrupt)?.join(", ");
    Err(StoreError::unavailable(format!("the table {table} cannot be used: it has {found}")))
}

/// Why a session was not created: a taken id is a conflict.
pub(crate) fn not_created(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(error) if error.is_unique_violation() => StoreError::Conflict,
        error => StoreError::unavailable(error),
    }
}

fn bytes<const N: usize>(row: &impl Columns, column: &str) -> Result<[u8; N], StoreError> {
    required(row.bytes(column)?, column)?
        .try_into()
        .map_err(|_| StoreError::corrupt(format!("{column} is not of {N} bytes")))
}

fn instant(row: &impl Columns, column: &str) -> Result<Timestamp, StoreError> {
    Timestamp::try_from(number(row, column)?).map_err(StoreError::corrupt)
}

fn number(row: &impl Columns, column: &str) -> Result<i64, StoreError> {
    required(row.number(column)?, column)
}

fn text<'a>(row: &'a impl Columns, column: &str) -> Result<&'a str, StoreError> {
    required(row.text(column)?, column)
}

fn required<T>(value: Option<T>, column: &str) -> Result<T, StoreError> {
    value.ok_or_else(|| StoreError::corrupt(format!("{column} is NULL")))
}

use std::str::{FromStr, from_utf8};

use session_policy::store::{SecretHash, SessionParts, StoreError};
use session_policy::{Lifetime, Session, SessionId, Timestamp};

/// A session from the values of its fields, in the order of [`FIELDS`] and then
/// the confirmation; `None` if there are none, as of a key that is not there.
///
/// [`FIELDS`]: crate::layout::FIELDS
pub(crate) fn read(
    id: SessionId,
    values: Vec<Option<Vec<u8>>>,
) -> Result<Option<Session>, StoreError> {
    if values.iter().all(Option::is_none) {
        return Ok(None);
    }
    let values: Option<Vec<Vec<u8>>> = values.into_iter().collect();
    let values = values.ok_or_else(|| StoreError::corrupt("a field of the session is missing"))?;
    let [
        subject,
        profile,
        version,
        secret,
        created_at,
        renewed_at,
        expires_at,
        absolute_expires_at,
        generation,
        confirmed_at,
    ] = &values[..]
    else {
        return Err(StoreError::corrupt("the session has another number of fields"));
    };
    let lifetime = Lifetime::restore(
        instant(created_at)?,
        instant(renewed_at)?,
        instant(expires_at)?,
        instant(absolute_expires_at)?,
    );
    let secret: [u8; SecretHash::BYTES] = secret
        .as_slice()
        .try_into()
        .map_err(|_| StoreError::corrupt("the session's secret is not 32 bytes"))?;
    let session = Session::restore(SessionParts {
        id,
        subject: utf8(subject)?.into(),
        profile: utf8(profile)?.into(),
        version: number(version)?,
        secret: SecretHash::from_bytes(secret),
        lifetime: lifetime.map_err(StoreError::corrupt)?,
        generation: number(generation)?,
        confirmed_at: match &confirmed_at[..] {
            [] => None,
            at => Some(instant(at)?),
        },
    });
    session.map(Some).map_err(StoreError::corrupt)
}

fn instant(value: &[u8]) -> Result<Timestamp, StoreError> {
    Timestamp::try_from(number::<i64>(value)?).map_err(StoreError::corrupt)
}

fn number<N: FromStr<Err = std::num::ParseIntError>>(value: &[u8]) -> Result<N, StoreError> {
    utf8(value)?.parse().map_err(StoreError::corrupt)
}

fn utf8(value: &[u8]) -> Result<&str, StoreError> {
    from_utf8(value).map_err(StoreError::corrupt)
}

//! A session as the fields of a hash, and back.

use std::fmt::Display;
use std::str::{FromStr, from_utf8};

use session_policy::store::{SecretHash, SessionParts, StoreError, Update};
use session_policy::{Lifetime, Session, SessionId, Timestamp};

/// The fields of a session's hash, in the order in which they are read. `epoch`,
/// `about` and `confirmed_at` are empty if there is none.
pub(crate) const FIELDS: [&str; 13] = [
    "subject",
    "profile",
    "epoch",
    "ordinal",
    "about",
    "version",
    "secret",
    "created_at",
    "renewed_at",
    "expires_at",
    "absolute_expires_at",
    "generation",
    "confirmed_at",
];

/// The values of a session's fields, in the order of [`FIELDS`].
pub(crate) fn values(session: &Session) -> [Vec<u8>; FIELDS.len()] {
    let lifetime = session.lifetime();
    [
        session.subject().into(),
        session.profile().into(),
        or_empty(session.epoch()),
        text(session.ordinal()),
        session.about().unwrap_or_default().into(),
        text(session.version()),
        session.secret().as_bytes().into(),
        seconds(lifetime.created_at()),
        seconds(lifetime.renewed_at()),
        seconds(lifetime.expires_at()),
        seconds(lifetime.absolute_expires_at()),
        text(session.generation()),
        session.confirmed_at().map_or_else(Vec::new, seconds),
    ]
}

/// The fields that an update sets, which makes this version of the session.
pub(crate) fn changed(update: &Update, version: u64) -> [(&'static str, Vec<u8>); 6] {
    [
        ("version", text(version)),
        ("secret", update.secret().as_bytes().into()),
        ("renewed_at", seconds(update.renewed_at())),
        ("expires_at", seconds(update.expires_at())),
        ("generation", text(update.generation())),
        ("confirmed_at", update.confirmed_at().map_or_else(Vec::new, seconds)),
    ]
}

/// A session from the values of its fields, in the order of [`FIELDS`]; `None` if there
/// are none, as of a key that is not there.
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
        epoch,
        ordinal,
        about,
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
        epoch: unless_empty(epoch).map(number).transpose()?,
        ordinal: number(ordinal)?,
        about: unless_empty(about).map(utf8).transpose()?.map(Into::into),
        version: number(version)?,
        secret: SecretHash::from_bytes(secret),
        lifetime: lifetime.map_err(StoreError::corrupt)?,
        generation: number(generation)?,
        confirmed_at: unless_empty(confirmed_at).map(instant).transpose()?,
    });
    session.map(Some).map_err(StoreError::corrupt)
}

pub(crate) fn instant(value: &[u8]) -> Result<Timestamp, StoreError> {
    Timestamp::try_from(number::<i64>(value)?).map_err(StoreError::corrupt)
}

pub(crate) fn utf8(value: &[u8]) -> Result<&str, StoreError> {
    from_utf8(value).map_err(StoreError::corrupt)
}

fn number<N: FromStr<Err = std::num::ParseIntError>>(value: &[u8]) -> Result<N, StoreError> {
    utf8(value)?.parse().map_err(StoreError::corrupt)
}

fn text(number: impl Display) -> Vec<u8> {
    number.to_string().into_bytes()
}

fn seconds(at: Timestamp) -> Vec<u8> {
    text(at.as_unix_secs())
}

fn or_empty(number: Option<u64>) -> Vec<u8> {
    number.map_or_else(Vec::new, text)
}

fn unless_empty(value: &[u8]) -> Option<&[u8]> {
    (!value.is_empty()).then_some(value)
}

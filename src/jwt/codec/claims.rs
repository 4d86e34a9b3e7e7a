use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use serde::Serialize;
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::private;
use crate::record::{SecretHash, Session, SessionId};
use crate::rule::Lifetime;
use crate::sessions::{Event, EventKind, IssueError};
use crate::time::Timestamp;

/// The names that an application's claims may not have: ours, and `nbf`.
pub(super) const RESERVED: [&str; 14] = [
    "aud",
    "auth_time",
    "cap",
    "epoch",
    "exp",
    "fam",
    "gen",
    "iat",
    "iss",
    "jti",
    "nbf",
    "profile",
    "sid",
    "sub",
];

/// How deeply `serde_json` reads, the claims' own object included.
const DEEPEST: usize = 127;

/// What a verified token says.
pub(in crate::jwt) struct Claims<'b, A> {
    pub(in crate::jwt) id: SessionId,
    pub(in crate::jwt) subject: Cow<'b, str>,
    pub(super) profile: Cow<'b, str>,
    pub(super) epoch: Option<u64>,
    pub(in crate::jwt) lifetime: Lifetime,
    pub(in crate::jwt) generation: u64,
    /// Of a hybrid token.
    pub(in crate::jwt) family: Option<Family>,
    pub(in crate::jwt) application: A,
}

impl<A> Claims<'_, A> {
    /// Something that happened to the session.
    pub(in crate::jwt) fn event(&self, at: Timestamp, kind: EventKind) -> Event<'_> {
        let event = Event::anonymous(at, kind).with_session(self.id).with_subject(&self.subject);
        Event { profile: Some(&self.profile), ..event }
    }

    /// The session, whose secret is not known, and which has no version; and the claims of the
    /// application's own.
    pub(in crate::jwt) fn into_session(self) -> (Session, A) {
        let Self { id, subject, profile, epoch, lifetime, generation, .. } = self;
        let (subject, profile) = (SmolStr::new(subject), SmolStr::new(profile));
        let session = Session::named(id, subject, profile, no_secret(id), lifetime);
        let session = session.with(|fields, more| {
            more.epoch = epoch;
            fields.generation = generation;
        });
        (session, self.application)
    }
}

/// Which secret of its row a hybrid token was issued under: a rotation writes another,
/// and so starts another family.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::jwt) struct Family([u8; 8]);

impl Family {
    pub(in crate::jwt) fn of(row: &Session) -> Self {
        let (family, _) = row.secret().as_bytes().split_first_chunk().unwrap_or((&[0; 8], &[]));
        Self(*family)
    }

    /// 11 base64url characters.
    pub(super) fn to_text(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        // Base64's own estimate of what 11 characters may hold.
        let mut bytes = [0; 9];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        bytes[..length].try_into().ok().map(Self)
    }
}

/// In the place of the secret that a session in a signed token does not have. It
/// tells sessions apart, and opens none.
pub(in crate::jwt) fn no_secret(id: SessionId) -> SecretHash {
    let mut bytes = [0; SecretHash::BYTES];
    bytes[..SessionId::BYTES].copy_from_slice(id.as_bytes());
    SecretHash::from_bytes(bytes)
}

/// The application's claims by name, none of which is one of ours.
pub(super) fn application_claims<A: Serialize>(
    application: &A,
) -> Result<Map<String, Value>, IssueError> {
    let value = serde_json::to_value(application)
        .map_err(|error| IssueError::Application(Box::new(error)))?;
    if depth(&value) > DEEPEST {
        return Err(IssueError::Application("they are nested too deeply to be read again".into()));
    }
    let Value::Object(claims) = value else {
        return Err(IssueError::ApplicationNotObject);
    };
    if claims.iter().any(|(name, value)| private::is_named(name) || private::is_in(value)) {
        return Err(IssueError::Private);
    }
    match RESERVED.into_iter().find(|claim| claims.contains_key(*claim)) {
        Some(claim) => Err(IssueError::Reserved { claim }),
        None => Ok(claims),
    }
}

/// How many arrays and objects lie within each other.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => 0,
    }
}

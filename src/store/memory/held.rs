//! A session as the embedded store holds it: in less space.

use std::boxed::Box;
use std::sync::{Arc, OnceLock};

use smol_str::SmolStr;

use super::super::update::Update;
use crate::record::{SecretHash, Session, SessionId};
use crate::rule::Lifetime;
use crate::time::Timestamp;

/// So many profiles have a number.
const NUMBERED: usize = 16;

/// A [`Session`] without its id, which is its key.
pub(super) struct Held {
    secret: SecretHash,
    subject: SmolStr,
    lifetime: Lifetime,
    version: u64,
    generation: u64,
    /// In unix seconds; `None` is out of their range.
    confirmed_at: i64,
    profile: Profile,
    /// What few sessions have.
    more: Option<Box<More>>,
    /// Its place in the index of expiries.
    pub(super) look_at: Timestamp,
}

#[derive(Clone, Default, Eq, PartialEq)]
struct More {
    epoch: Option<u64>,
    ordinal: u64,
    about: Option<Arc<str>>,
}

enum Profile {
    Numbered(u8),
    Other(Box<SmolStr>),
}

impl Held {
    /// To be looked at for its expiry when it expires as it is now.
    pub(super) fn new(session: &Session, profiles: &Profiles) -> Self {
        let Session {
            id: _,
            subject,
            profile,
            epoch,
            ordinal,
            about,
            version,
            secret,
            lifetime,
            generation,
            confirmed_at,
        } = session;
        let more = More { epoch: *epoch, ordinal: *ordinal, about: about.clone() };
        Self {
            secret: *secret,
            subject: subject.clone(),
            lifetime: *lifetime,
            version: *version,
            generation: *generation,
            confirmed_at: seconds(*confirmed_at),
            profile: profiles.shorten(profile),
            more: (more != More::default()).then(|| Box::new(more)),
            look_at: lifetime.expires_at(),
        }
    }

    /// The session that it holds under `id`.
    #[inline]
    pub(super) fn session(&self, id: SessionId, profiles: &Profiles) -> Session {
        let (epoch, ordinal, about) = match &self.more {
            Some(more) => (more.epoch, more.ordinal, more.about.clone()),
            None => (None, 0, None),
        };
        Session {
            id,
            subject: self.subject.clone(),
            profile: profiles.text(&self.profile),
            epoch,
            ordinal,
            about,
            secret: self.secret,
            version: self.version,
            lifetime: self.lifetime,
            generation: self.generation,
            confirmed_at: Timestamp::try_from(self.confirmed_at).ok(),
        }
    }

    pub(super) const fn subject(&self) -> &SmolStr {
        &self.subject
    }

    pub(super) const fn expires_at(&self) -> Timestamp {
        self.lifetime.expires_at()
    }

    /// Whether the write [applies](Update::apply), and if so, applies it.
    pub(super) fn update(&mut self, update: &Update, profiles: &Profiles) -> bool {
        let Some(updated) = update.apply(&self.session(update.id(), profiles)) else {
            return false;
        };
        self.secret = updated.secret;
        self.lifetime = updated.lifetime;
        self.version = updated.version;
        self.generation = updated.generation;
        self.confirmed_at = seconds(updated.confirmed_at);
        true
    }
}

fn seconds(instant: Option<Timestamp>) -> i64 {
    instant.map_or(i64::MIN, Timestamp::as_unix_secs)
}

/// The profiles of all sessions by number, in the order of their first session.
/// Read without a lock, and none is forgotten.
#[derive(Debug, Default)]
pub(super) struct Profiles([OnceLock<SmolStr>; NUMBERED]);

impl Profiles {
    /// By its number, or the first that is free.
    fn shorten(&self, profile: &SmolStr) -> Profile {
        let is_meant = |number: &OnceLock<_>| number.get_or_init(|| profile.clone()) == profile;
        match self.0.iter().position(is_meant).map(u8::try_from) {
            Some(Ok(number)) => Profile::Numbered(number),
            _ => Profile::Other(Box::new(profile.clone())),
        }
    }

    #[inline]
    fn text(&self, profile: &Profile) -> SmolStr {
        match profile {
            // There is no number without its text.
            Profile::Numbered(number) => {
                self.0[usize::from(*number)].get().cloned().unwrap_or_default()
            }
            Profile::Other(text) => SmolStr::clone(text),
        }
    }
}

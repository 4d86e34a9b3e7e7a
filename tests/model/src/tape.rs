//! The store and the clock that answer from a script, and the names that stand for
//! random ids and secrets.

use std::future::poll_fn;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use base64ct::{Base64UrlUnpadded, Encoding};
use chrono::TimeDelta;

use super::subject::store::{Removed, SecretHash, SessionParts, SessionStore, StoreError, Update};
use super::subject::{
    Bound, Bounds, Clock, Lifetime, Policies, Session, SessionId, SessionPolicy, SessionToken,
    Started, Timestamp,
};
use crate::script::{Answer, Call, Id, Row, Script, Sec, Secret, Token, Write};

/// True time 0.
const START: i64 = 1_800_000_000;
pub(super) const SUBJECT: &str = "ada";

pub(super) fn at(sec: Sec) -> Timestamp {
    Timestamp::from_unix_secs(START + i64::from(sec))
}

/// Instants that do not fit would be a defect: they lie within seconds of 0.
pub(super) fn sec(at: Timestamp) -> Sec {
    small(at.as_unix_secs() - START)
}

pub(super) fn small<T: TryInto<S>, S>(number: T) -> S {
    number.try_into().unwrap_or_else(|_| panic!("the number is beyond the model's bounds"))
}

pub(super) fn seconds(duration: TimeDelta) -> Sec {
    small(duration.num_seconds())
}

// Names.

/// The id of a session that was there before; lower or higher than the random id of one
/// that is `made`, as their names are.
pub(super) fn name(id: Id, made: Option<Id>) -> SessionId {
    let is_higher = made.is_some_and(|made| made < id);
    let mut bytes = [if is_higher { u8::MAX } else { 0 }; 16];
    bytes[15] = id;
    SessionId::from_bytes(bytes)
}

fn bytes(secret: Secret) -> [u8; 32] {
    [secret; 32]
}

static HASHES: LazyLock<Vec<SecretHash>> =
    LazyLock::new(|| (0..64).map(|secret| SecretHash::of_secret(&bytes(secret))).collect());

/// The text of an opaque token.
pub(super) fn text(token: Token) -> String {
    SessionToken::from_parts(name(token.id(), None), bytes(token.secret())).expose().to_owned()
}

/// How a request knows sessions and secrets.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Names {
    /// The name of what it makes.
    makes: Option<u8>,
    /// The random id under that name, once it is known.
    id: Option<SessionId>,
    /// And the random secret.
    secret: Option<SecretHash>,
}

impl Names {
    pub(super) fn id(&self, id: Id) -> SessionId {
        self.id.filter(|_| self.makes == Some(id)).unwrap_or_else(|| name(id, self.makes))
    }

    pub(super) fn secret(&self, secret: Secret) -> SecretHash {
        let made = self.secret.filter(|_| self.makes == Some(secret));
        made.unwrap_or_else(|| HASHES[usize::from(secret)])
    }

    pub(super) fn id_name(&mut self, id: SessionId) -> Id {
        let known = id.as_bytes()[15];
        if self.id != Some(id) && id == name(known, self.makes) {
            return known;
        }
        assert_eq!(*self.id.get_or_insert(id), id, "a request makes one session");
        self.makes.expect("only a sign-in makes a session")
    }

    pub(super) fn secret_name(&mut self, secret: SecretHash) -> Secret {
        if self.secret != Some(secret)
            && let Some(known) = HASHES.iter().position(|known| *known == secret)
        {
            return small(known);
        }
        assert_eq!(*self.secret.get_or_insert(secret), secret, "a request makes one secret");
        self.makes.expect("only a sign-in and a rotation make a secret")
    }

    /// By the family of a signed token.
    pub(super) fn family_name(&self, family: &[u8]) -> Secret {
        let is_meant = |secret: &SecretHash| secret.as_bytes().starts_with(family);
        match (self.makes, self.secret) {
            (Some(made), Some(secret)) if is_meant(&secret) => made,
            _ => small(HASHES.iter().position(is_meant).expect("the family of a known secret")),
        }
    }

    pub(super) fn session(&self, row: &Row) -> Session {
        let lifetime =
            Lifetime::restore(at(row.created), at(row.renewed), at(row.expires), at(row.cap));
        Session::restore(SessionParts {
            id: self.id(row.id),
            subject: SUBJECT.into(),
            profile: Policies::DEFAULT.into(),
            epoch: row.epoch.map(u64::from),
            ordinal: row.ordinal.into(),
            about: None,
            version: row.version.into(),
            secret: self.secret(row.secret),
            lifetime: lifetime.expect("the store keeps the order of instants"),
            generation: row.generation.into(),
            confirmed_at: row.confirmed.map(at),
        })
        .expect("the names are names")
    }

    pub(super) fn row(&mut self, session: &Session) -> Row {
        let lifetime = session.lifetime();
        Row {
            id: self.id_name(session.id()),
            version: small(session.version()),
            created: sec(lifetime.created_at()),
            renewed: sec(lifetime.renewed_at()),
            expires: sec(lifetime.expires_at()),
            cap: sec(lifetime.absolute_expires_at()),
            secret: self.secret_name(*session.secret()),
            epoch: session.epoch().map(small),
            ordinal: small(session.ordinal()),
            generation: small(session.generation()),
            confirmed: session.confirmed_at().map(sec),
        }
    }
}

// The store and the clock.

#[derive(Debug)]
pub(super) struct Tape {
    script: Script,
    /// How many answers it has heard.
    pub(super) heard: usize,
    /// The call that the script has no answer to.
    pub(super) asked: Option<Call>,
    pub(super) names: Names,
    /// That of a bound.
    tight: SessionPolicy,
}

impl Tape {
    fn now(&self) -> Sec {
        match self.heard.checked_sub(1) {
            None => self.script.began,
            Some(last) => self.script.heard[last].0,
        }
    }
}

/// The store and the clock.
#[derive(Clone)]
pub(super) struct Scripted(Arc<Mutex<Tape>>);

impl Scripted {
    pub(super) fn new(script: &Script, tight: SessionPolicy) -> Self {
        let names = Names { makes: script.verb.makes(), ..Names::default() };
        let (script, asked) = (script.clone(), None);
        Self(Arc::new(Mutex::new(Tape { script, heard: 0, asked, names, tight })))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Tape> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The opaque token of a session that was started or rotated just now.
    pub(super) fn opened(&self, started: &Started) -> Token {
        let session = &started.session;
        let (id, secret) = started.token.expose().split_once('.').expect("it has two parts");
        assert_eq!(id, session.id().to_string(), "the token names its session");
        let secret = Base64UrlUnpadded::decode_vec(secret).expect("a secret is base64url");
        let hash = SecretHash::of_secret(&secret.try_into().expect("a secret has 32 bytes"));
        let names = &mut self.lock().names;
        Token::Opaque(names.id_name(session.id()), names.secret_name(hash))
    }

    async fn ask(&self, call: impl Fn(&mut Names) -> Call) -> Result<Answer, StoreError> {
        poll_fn(|_| {
            let mut tape = self.lock();
            // Also where the answer is known: it names what is made.
            let call = call(&mut tape.names);
            let Some((_, answer)) = tape.script.heard.get(tape.heard).cloned() else {
                tape.asked = Some(call);
                return Poll::Pending;
            };
            tape.heard += 1;
            Poll::Ready(match answer {
                Answer::Failed | Answer::NotTold => Err(StoreError::unavailable("cut")),
                answer => Ok(answer),
            })
        })
        .await
    }
}

impl Clock for Scripted {
    fn now(&self) -> Timestamp {
        at(self.lock().now())
    }
}

impl Bounds for Scripted {
    async fn bound(&self, _: &str, _: &str) -> Result<Option<Bound>, StoreError> {
        match self.ask(|_| Call::Bound).await? {
            Answer::Bound(bound) => Ok(bound.map(|bound| {
                let made = Bound::default().with_epoch(bound.epoch.into());
                if bound.tight { made.with_policy(self.lock().tight) } else { made }
            })),
            _ => panic!("an answer to another call"),
        }
    }
}

impl SessionStore for Scripted {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        match self.ask(|names| Call::Create(names.row(session))).await? {
            Answer::Created => Ok(()),
            _ => panic!("an answer to another call"),
        }
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        match self.ask(|names| Call::Load(names.id_name(*id))).await? {
            Answer::Loaded(row) => Ok(row.map(|row| self.lock().names.session(&row))),
            _ => panic!("an answer to another call"),
        }
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        let write = |names: &mut Names| {
            Call::Update(Write {
                id: names.id_name(update.id()),
                version: small(update.expected_version()),
                at: sec(update.at()),
                renewed: sec(update.renewed_at()),
                expires: sec(update.expires_at()),
                secret: names.secret_name(*update.secret()),
                generation: small(update.generation()),
                confirmed: update.confirmed_at().map(sec),
            })
        };
        match self.ask(write).await? {
            Answer::Written(written) => Ok(written),
            _ => panic!("an answer to another call"),
        }
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        match self.ask(|names| Call::Remove(names.id_name(*id))).await? {
            Answer::Removed(removed) => Ok(removed),
            _ => panic!("an answer to another call"),
        }
    }

    async fn remove_expired(&self, before: Timestamp, _: u32) -> Result<Vec<Removed>, StoreError> {
        let rows = self.many(Call::RemoveExpired(sec(before))).await?;
        Ok(rows.iter().map(Removed::of).collect())
    }

    async fn list(&self, _: &str) -> Result<Vec<Session>, StoreError> {
        self.many(Call::List).await
    }

    async fn remove_all(
        &self,
        _: &str,
        _: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        let rows = self.many(Call::RemoveAll).await?;
        Ok(rows.iter().map(Session::id).collect())
    }
}

impl Scripted {
    async fn many(&self, call: Call) -> Result<Vec<Session>, StoreError> {
        match self.ask(|_| call).await? {
            Answer::Listed(rows) | Answer::RemovedMany(rows) => {
                let names = self.lock().names;
                Ok(rows.iter().map(|row| names.session(row)).collect())
            }
            _ => panic!("an answer to another call"),
        }
    }
}

//! The store and the clock that answer from a script, and the names that stand
//! for random ids.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use base64ct::{Base64UrlUnpadded, Encoding};
use chrono::TimeDelta;

use super::subject::store::{SecretHash, SessionParts, SessionStore, StoreError, Update};
use super::subject::{
    Clock, Lifetime, Policies, Session, SessionId, SessionToken, Started, Timestamp,
};
use crate::script::{Answer, Call, FRESH, Id, Row, Script, Sec, Token, Write};

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

pub(super) fn name(id: Id) -> SessionId {
    SessionId::from_bytes([id; 16])
}

fn secret(id: Id) -> [u8; 32] {
    [id; 32]
}

/// The text of an opaque token.
pub(super) fn text(token: Token) -> String {
    let id = token.id();
    SessionToken::from_parts(name(id), secret(id)).expose().to_owned()
}

pub(super) fn session(row: &Row) -> Session {
    let lifetime =
        Lifetime::restore(at(row.created), at(row.renewed), at(row.expires), at(row.cap));
    Session::restore(SessionParts {
        id: name(row.id),
        subject: SUBJECT.into(),
        profile: Policies::DEFAULT.into(),
        version: row.version.into(),
        secret: SecretHash::of_secret(&secret(row.id)),
        lifetime: lifetime.expect("the store keeps the order of instants"),
        generation: row.generation.into(),
        confirmed_at: row.confirmed.map(at),
    })
    .expect("the names are names")
}

pub(super) fn facts(session: &Session, id: Id) -> Row {
    let lifetime = session.lifetime();
    Row {
        id,
        version: small(session.version()),
        created: sec(lifetime.created_at()),
        renewed: sec(lifetime.renewed_at()),
        expires: sec(lifetime.expires_at()),
        cap: sec(lifetime.absolute_expires_at()),
        generation: small(session.generation()),
        confirmed: session.confirmed_at().map(sec),
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
    /// The session that it has created, under its random id.
    born: Option<(Session, Id)>,
}

impl Tape {
    /// The model's name of a session.
    pub(super) fn renamed(&self, id: SessionId) -> Id {
        match &self.born {
            Some((session, known)) if session.id() == id => *known,
            _ => {
                let known = id.as_bytes()[0];
                assert_eq!(id, name(known), "an id is the model's or of a created session");
                known
            }
        }
    }

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
    pub(super) fn new(script: &Script) -> Self {
        let script = script.clone();
        Self(Arc::new(Mutex::new(Tape { script, heard: 0, asked: None, born: None })))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Tape> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The opaque token of a session that was created just now.
    pub(super) fn opened(&self, started: &Started) -> Token {
        let tape = self.lock();
        let (session, id) = tape.born.as_ref().expect("a token is of a created session");
        let (named, secret) = started.token.expose().split_once('.').expect("it has two parts");
        assert_eq!(named, session.id().to_string(), "the token names its session");
        let secret = Base64UrlUnpadded::decode_vec(secret).expect("a secret is base64url");
        let hash = SecretHash::of_secret(&secret.try_into().expect("a secret has 32 bytes"));
        assert_eq!(*session.secret(), hash, "the token opens its session");
        Token::Opaque(*id)
    }

    async fn ask(&self, call: impl Fn(&Tape) -> Call) -> Result<Answer, StoreError> {
        poll_fn(|_| {
            let mut tape = self.lock();
            let Some((_, answer)) = tape.script.heard.get(tape.heard).copied() else {
                tape.asked = Some(call(&tape));
                return Poll::Pending;
            };
            tape.heard += 1;
            Poll::Ready(match answer {
                Answer::Failed => Err(StoreError::unavailable("cut")),
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

impl SessionStore for Scripted {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        let answer = self.ask(|_| Call::Create(facts(session, FRESH))).await;
        // Where the answer is lost, nobody learns what became of it.
        let Answer::Created(id) = answer? else { panic!("an answer to another call") };
        self.lock().born = Some((session.clone(), id));
        Ok(())
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        match self.ask(|tape| Call::Load(tape.renamed(*id))).await? {
            Answer::Loaded(row) => Ok(row.as_ref().map(session)),
            _ => panic!("an answer to another call"),
        }
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        let write = |tape: &Tape| {
            Call::Update(Write {
                id: tape.renamed(update.id()),
                version: small(update.expected_version()),
                at: sec(update.at()),
                renewed: sec(update.renewed_at()),
                expires: sec(update.expires_at()),
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
        match self.ask(|tape| Call::Remove(tape.renamed(*id))).await? {
            Answer::Removed(removed) => Ok(removed),
            _ => panic!("an answer to another call"),
        }
    }

    async fn remove_expired(&self, now: Timestamp, _: u32) -> Result<u64, StoreError> {
        match self.ask(|_| Call::RemoveExpired(sec(now))).await? {
            Answer::Count(count) => Ok(count.into()),
            _ => panic!("an answer to another call"),
        }
    }

    async fn list(&self, _: &str) -> Result<Vec<Session>, StoreError> {
        panic!("without a limit, nothing is listed")
    }

    async fn remove_all(&self, _: &str, _: Option<&SessionId>) -> Result<u64, StoreError> {
        match self.ask(|_| Call::RemoveAll).await? {
            Answer::Count(count) => Ok(count.into()),
            _ => panic!("an answer to another call"),
        }
    }
}

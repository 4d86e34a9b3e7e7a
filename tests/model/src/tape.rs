//! The store and the clock that answer from a script, and the names that stand
//! for random ids.

use std::future::poll_fn;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use chrono::TimeDelta;

use super::subject::{
    Clock, Lifetime, Policies, Session, SessionId, SessionParts, SessionStore, SessionToken,
    Started, StoreError, Timestamp, Update,
};
use crate::script::{
    Answer, Call, FRESH, Id, Outcome, Row, Script, Sec, Token, Update as Renewed, Write,
};

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

pub(super) fn secret(token: Token) -> SessionToken {
    let id = token.id();
    SessionToken::from_parts(name(id), [id; 32])
}

pub(super) fn session(row: &Row) -> Session {
    let lifetime =
        Lifetime::restore(at(row.created), at(row.renewed), at(row.expires), at(row.cap));
    Session::restore(SessionParts {
        id: name(row.id),
        subject: SUBJECT.into(),
        profile: Policies::DEFAULT.into(),
        version: row.version.into(),
        secret: secret(Token::Opaque(row.id)).secret_hash(),
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
pub(super) struct Tape<'a> {
    script: &'a Script,
    /// How many answers it has heard.
    pub(super) heard: usize,
    /// The call that the script has no answer to.
    pub(super) asked: Option<Call>,
    /// The session that it has created, under its random id.
    born: Option<(Session, Id)>,
}

pub(super) struct Scripted<'a>(pub(super) &'a Mutex<Tape<'a>>);

pub(super) struct ScriptClock<'a>(pub(super) &'a Mutex<Tape<'a>>);

pub(super) trait Naming {
    fn renamed(&self, id: SessionId) -> Id;
    fn started(&self, started: &Started) -> Outcome;
}

impl Naming for Mutex<Tape<'_>> {
    /// The model's name of a session.
    fn renamed(&self, id: SessionId) -> Id {
        let tape = self.lock().unwrap_or_else(PoisonError::into_inner);
        tape.renamed(id)
    }

    /// The token of a session that was created just now.
    fn started(&self, started: &Started) -> Outcome {
        let Started { token, max_age, status, .. } = started;
        let tape = self.lock().unwrap_or_else(PoisonError::into_inner);
        let (session, id) = tape.born.as_ref().expect("a token is of a created session");
        assert_eq!(token.id(), session.id(), "the token names its session");
        assert!(session.secret().matches(token), "the token opens its session");
        let at = sec(status.now);
        let cookie = Some(at + seconds(*max_age));
        Outcome::Served { at, cookie, renewal: Renewed::Renewed, token: Some(Token::Opaque(*id)) }
    }
}

impl<'a> Tape<'a> {
    pub(super) const fn new(script: &'a Script) -> Self {
        Self { script, heard: 0, asked: None, born: None }
    }

    fn renamed(&self, id: SessionId) -> Id {
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

impl Scripted<'_> {
    async fn ask(&self, call: impl Fn(&Tape<'_>) -> Call) -> Result<Answer, StoreError> {
        poll_fn(|_| {
            let mut tape = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let Some((_, answer)) = tape.script.heard.get(tape.heard) else {
                let call = call(&tape);
                tape.asked = Some(call);
                return Poll::Pending;
            };
            tape.heard += 1;
            Poll::Ready(match answer {
                Answer::Failed => Err(StoreError::unavailable("cut")),
                answer => Ok(*answer),
            })
        })
        .await
    }

    fn born(&self, session: &Session, id: Id) {
        let mut tape = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tape.born = Some((session.clone(), id));
    }
}

impl Clock for ScriptClock<'_> {
    fn now(&self) -> Timestamp {
        at(self.0.lock().unwrap_or_else(PoisonError::into_inner).now())
    }
}

impl SessionStore for Scripted<'_> {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        let answer = self.ask(|_| Call::Create(facts(session, FRESH))).await;
        // Where the answer is lost, nobody learns what became of it.
        let Answer::Created(id) = answer? else { panic!("an answer to another call") };
        self.born(session, id);
        Ok(())
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        match self.ask(|tape| Call::Load(tape.renamed(*id))).await? {
            Answer::Loaded(row) => Ok(row.as_ref().map(session)),
            _ => panic!("an answer to another call"),
        }
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        let write = |tape: &Tape<'_>| {
            Call::Renew(Write {
                id: tape.renamed(renewal.id()),
                version: small(renewal.expected_version()),
                at: sec(renewal.at()),
                renewed: sec(renewal.renewed_at()),
                expires: sec(renewal.expires_at()),
                generation: small(renewal.generation()),
                confirmed: renewal.confirmed_at().map(sec),
            })
        };
        match self.ask(write).await? {
            Answer::Renewed(renewed) => Ok(renewed),
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
}

impl SessionStore for Scripted<'_> {
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

//! The front doors over a store and a clock that answer from a script.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use chrono::TimeDelta;

use super::jwt::{mint, read, ring};
use super::subject::jwt::{HybridSessions, IssueError, JwtError, NoClaims, TokenRenewal};
use super::subject::{
    AuthenticateError, Authenticated, Clock, Cookie, Lifetime, Policies, RejectReason, Renewal,
    RenewalOutcome, RotateError, Session, SessionId, SessionParts, SessionPolicy, SessionStore,
    SessionToken, Sessions, Started, StoreError, SubjectStore, Timestamp,
};
use crate::script::{
    Answer, Call, FRESH, Id, Next, Outcome, Refusal, Renewal as Renewed, Row, Rules, Script, Sec,
    Token, Verb, Write,
};

/// True time 0.
const START: i64 = 1_800_000_000;
const SUBJECT: &str = "ada";

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

pub(super) fn play(rules: &Rules, script: &Script) -> Next {
    let tape = Mutex::new(Tape { script, heard: 0, asked: None, born: None });
    let store = Scripted(&tape);
    let clock = ScriptClock(&tape);
    let [max_age, update_age, cap] =
        rules.of(script.tight).map(|secs| TimeDelta::seconds(i64::from(secs)));
    let policy = SessionPolicy::new(max_age, update_age, cap).expect("the rules make a policy");
    let verb = script.verb;
    let polled = if let Some(grace) = rules.grace {
        let grace = TimeDelta::seconds(i64::from(grace));
        let sessions = HybridSessions::with_grace(store, ring(), policy, grace);
        let sessions = sessions.expect("the grace fits").with_clock(clock);
        poll(hybrid(&sessions, verb))
    } else {
        let sessions = Sessions::new(store, policy).with_clock(clock);
        poll(opaque(&sessions, verb))
    };
    let tape = tape.lock().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(tape.heard, script.heard.len(), "a script is heard to its end");
    match (polled, tape.asked) {
        (Poll::Ready(outcome), None) => Next::Done(outcome),
        (Poll::Pending, Some(call)) => Next::Call(call),
        strange => panic!("a request waits for its store or is done: {strange:?}"),
    }
}

fn poll<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

pub(super) fn renewed(row: &Row, write: &Write) -> Option<Row> {
    let lifetime =
        Lifetime::restore(at(row.created), at(write.renewed), at(write.expires), at(row.cap));
    let loaded = session(&Row { version: write.version, id: write.id, ..*row });
    let renewal = Renewal::new(&loaded, at(write.at), &lifetime.ok()?)
        .with_generation(write.generation.into(), write.confirmed.map(at));
    Some(facts(&session(row).renewed(&renewal)?, row.id))
}

// The verbs.

type Opaque<'a> = Sessions<Scripted<'a>, ScriptClock<'a>>;
type Hybrid<'a> = HybridSessions<Scripted<'a>, NoClaims, ScriptClock<'a>>;

async fn opaque(sessions: &Opaque<'_>, verb: Verb) -> Outcome {
    match verb {
        Verb::Authenticate(token) => opaque_outcome(sessions.authenticate(&secret(token)).await),
        Verb::End(id) => ended(sessions.end(&name(id)).await.map(u64::from)),
        Verb::EndAll => ended(sessions.end_all(SUBJECT).await),
        Verb::Peek(token) => opaque_outcome(sessions.peek(&secret(token)).await),
        Verb::Rotate(token) => {
            let session = match sessions.authenticate(&secret(token)).await {
                Ok(authenticated) => authenticated.session,
                refused => return opaque_outcome(refused),
            };
            match sessions.rotate(&session).await {
                Ok(started) => sessions.store().0.started(&started),
                Err(RotateError::Rejected { reason, .. }) => rejected(reason),
                Err(RotateError::Store(_)) => Outcome::Refused(Refusal::Store),
                Err(RotateError::Unknown) => Outcome::Refused(Refusal::Unknown),
                Err(_) => Outcome::Refused(Refusal::Other),
            }
        }
        Verb::Start => {
            let started = sessions.start(SUBJECT).await.expect("the sign-in succeeds");
            sessions.store().0.started(&started)
        }
        Verb::Sweep => ended(sessions.sweep(9).await),
    }
}

async fn hybrid(sessions: &Hybrid<'_>, verb: Verb) -> Outcome {
    match verb {
        Verb::Authenticate(token) => {
            hybrid_outcome(sessions, sessions.authenticate(&mint(token)).await)
        }
        Verb::End(id) => ended(sessions.end(&name(id)).await.map(u64::from)),
        Verb::EndAll => ended(sessions.end_all(SUBJECT).await),
        Verb::Peek(token) => hybrid_outcome(sessions, sessions.peek(&mint(token)).await),
        Verb::Rotate(token) => {
            let claims = match sessions.authenticate(&mint(token)).await {
                Ok(authenticated) => authenticated.claims,
                refused => return hybrid_outcome(sessions, refused),
            };
            let rotated = sessions.rotate(&claims, NoClaims {}).await;
            let started = match rotated {
                Ok(started) => started,
                Err(IssueError::Rejected { reason, .. }) => return rejected(reason),
                Err(IssueError::Store(_)) => return Outcome::Refused(Refusal::Store),
                Err(IssueError::Unknown) => return Outcome::Refused(Refusal::Unknown),
                Err(_) => return Outcome::Refused(Refusal::Other),
            };
            let now = sec(started.status.now);
            served(now, Some(now + seconds(started.issued.max_age)), Renewed::Renewed, || {
                read(started.issued.token.expose(), |id| sessions.store().0.renamed(id))
            })
        }
        Verb::Start => {
            let started = sessions.start(SUBJECT, NoClaims {}).await.expect("the sign-in succeeds");
            served(sec(started.status.now), None, Renewed::None, || {
                read(started.issued.token.expose(), |id| sessions.store().0.renamed(id))
            })
        }
        Verb::Sweep => ended(sessions.sweep(9).await),
    }
}

fn ended(ended: Result<u64, StoreError>) -> Outcome {
    match ended {
        Ok(count) => Outcome::Ended(count > 0),
        Err(_) => Outcome::Refused(Refusal::Store),
    }
}

fn rejected(reason: RejectReason) -> Outcome {
    Outcome::Refused(match reason {
        RejectReason::AbsoluteCap => Refusal::Cap,
        RejectReason::Idle => Refusal::Idle,
        RejectReason::NotYetValid => Refusal::Other,
    })
}

fn served(at: Sec, cookie: Option<Sec>, renewal: Renewed, token: impl Fn() -> Token) -> Outcome {
    Outcome::Served { at, cookie, renewal, token: Some(token()) }
}

fn seconds(duration: TimeDelta) -> Sec {
    small(duration.num_seconds())
}

fn opaque_outcome(authenticated: Result<Authenticated, AuthenticateError>) -> Outcome {
    let (Authenticated { status, cookie, renewal, .. }, at) = match authenticated {
        Ok(authenticated) => {
            let at = sec(authenticated.status.now);
            (authenticated, at)
        }
        Err(AuthenticateError::Rejected { reason, .. }) => return rejected(reason),
        Err(AuthenticateError::Store(_)) => return Outcome::Refused(Refusal::Store),
        Err(AuthenticateError::Unknown) => return Outcome::Refused(Refusal::Unknown),
        Err(AuthenticateError::WrongSecret) => return Outcome::Refused(Refusal::Other),
    };
    debug_assert_eq!(sec(status.now), at);
    let cookie = match cookie {
        Cookie::Set { max_age } => Some(at + seconds(max_age)),
        Cookie::Clear | Cookie::Keep => None,
    };
    let renewal = match renewal {
        RenewalOutcome::Deferred(_) => Renewed::Deferred,
        RenewalOutcome::NoGain | RenewalOutcome::NotDue => Renewed::None,
        RenewalOutcome::Renewed => Renewed::Renewed,
        RenewalOutcome::Superseded => Renewed::Superseded,
    };
    Outcome::Served { at, cookie, renewal, token: None }
}

fn hybrid_outcome(
    sessions: &Hybrid<'_>,
    authenticated: Result<super::subject::jwt::Authenticated, JwtError>,
) -> Outcome {
    let served = match authenticated {
        Ok(served) => served,
        Err(JwtError::Rejected { reason, .. }) => return rejected(reason),
        Err(JwtError::Reused) => return Outcome::Refused(Refusal::Reused),
        Err(JwtError::Store(_)) => return Outcome::Refused(Refusal::Store),
        Err(JwtError::Unknown) => return Outcome::Refused(Refusal::Unknown),
        Err(_) => return Outcome::Refused(Refusal::Other),
    };
    let at = sec(served.status.now);
    let renewal = match served.renewal {
        TokenRenewal::Deferred(_) => Renewed::Deferred,
        TokenRenewal::NotDue => Renewed::None,
        TokenRenewal::Renewed => Renewed::Renewed,
        TokenRenewal::Superseded => Renewed::Superseded,
    };
    let renamed = |id| sessions.store().0.renamed(id);
    let token = served.issued.as_ref().map(|issued| read(issued.token.expose(), renamed));
    let cookie = served.issued.as_ref().map(|issued| at + seconds(issued.max_age));
    Outcome::Served { at, cookie, renewal, token }
}

// Names.

fn name(id: Id) -> SessionId {
    SessionId::from_bytes([id; 16])
}

fn secret(token: Token) -> SessionToken {
    let id = token.id();
    SessionToken::from_parts(name(id), [id; 32])
}

fn session(row: &Row) -> Session {
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

fn facts(session: &Session, id: Id) -> Row {
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
struct Tape<'a> {
    script: &'a Script,
    /// How many answers it has heard.
    heard: usize,
    /// The call that the script has no answer to.
    asked: Option<Call>,
    /// The session that it has created, under its random id.
    born: Option<(Session, Id)>,
}

struct Scripted<'a>(&'a Mutex<Tape<'a>>);

struct ScriptClock<'a>(&'a Mutex<Tape<'a>>);

trait TapeExt {
    fn renamed(&self, id: SessionId) -> Id;
    fn started(&self, started: &Started) -> Outcome;
}

impl TapeExt for Mutex<Tape<'_>> {
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

impl Tape<'_> {
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

    async fn renew(&self, renewal: &Renewal) -> Result<bool, StoreError> {
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

impl SubjectStore for Scripted<'_> {
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

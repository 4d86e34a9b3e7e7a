//! A byte string as what clients send to an application behind a carrier: any headers, and
//! sequences of verbs.

use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use chrono::TimeDelta;
use pollster::block_on;
use session_policy::store::SessionStore;
use session_policy::web::{
    Active, Auth, Bearer, Carrier, Exchange, Refused, SessionCookie, WebSessions,
};
use session_policy::{
    ManualClock, MemoryStore, SessionId, SessionPolicy, SessionToken, Sessions, SignIn, Timestamp,
};

use crate::input::Input;

const NAME: &str = "__Host-session";
const SUBJECTS: [&str; 3] = ["ada", "Ada", "grace"];
const LONGEST_LIFE: usize = 64;
/// How many cookies of the name are looked at.
const MOST: usize = 4;
const MAX_AGE: i64 = 1_800;
const UPDATE_AGE: i64 = 60;
const CAP: i64 = 28_800;

/// Whatever a client sends, it is served, refused, signed in and out as a model says that
/// splits headers in its own way; and the store holds the model's sessions and no other.
pub fn web(data: &[u8]) {
    let mut input = Input::new(data);
    let mut service = Service::new();
    for _ in 0..LONGEST_LIFE {
        if input.is_empty() {
            break;
        }
        service.request(&mut input);
        service.check();
    }
}

/// What the model knows of a session.
struct Row {
    id: SessionId,
    subject: &'static str,
    token: String,
    created: i64,
    renewed: i64,
}

impl Row {
    fn end(&self) -> i64 {
        (self.renewed + MAX_AGE).min(self.created + CAP)
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Known {
    Ambiguous,
    Expired,
    None,
    Session(SessionId),
}

impl Known {
    fn of(refused: &Refused) -> Self {
        assert_eq!(refused.status(), 401);
        match refused.as_str() {
            "ambiguous" => Self::Ambiguous,
            "idle" | "absolute_cap" => Self::Expired,
            "no_session" => Self::None,
            other => panic!("{other}"),
        }
    }
}

/// A request, as far as the model has followed it.
#[derive(Default)]
struct Request {
    tokens: Vec<String>,
    is_bearer: bool,
    /// And whether it counted as activity.
    known: Option<(Known, bool)>,
    /// A verb started or rotated it.
    begun: Option<SessionId>,
    clears: bool,
}

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Service {
    store: Arc<MemoryStore>,
    web: WebSessions,
    tasks: Arc<Mutex<Vec<Task>>>,
    clock: ManualClock,
    now: i64,
    rows: Vec<Row>,
    /// Every token that was ever given out.
    tokens: Vec<String>,
}

impl Service {
    fn new() -> Self {
        let (store, now) = (Arc::new(MemoryStore::new()), 1_800_000_000);
        let clock = ManualClock::new(Timestamp::from_unix_secs(now));
        let secs = TimeDelta::seconds;
        let policy = SessionPolicy::new(secs(MAX_AGE), secs(UPDATE_AGE), secs(CAP)).expect("good");
        let sessions = Sessions::new(Arc::clone(&store), policy).with_clock(clock.clone());
        let either = Carrier::either(SessionCookie::host("session"), Bearer::new());
        let tasks: Arc<Mutex<Vec<Task>>> = Arc::default();
        let spawned = Arc::clone(&tasks);
        let web = WebSessions::new(sessions, either).expect("a carrier");
        let web = web.spawn_with(move |task| spawned.lock().expect("a lock").push(task));
        Self { store, web, tasks, clock, now, rows: Vec::new(), tokens: Vec::new() }
    }

    fn run(&self) {
        let tasks = core::mem::take(&mut *self.tasks.lock().expect("a lock"));
        tasks.into_iter().for_each(block_on);
    }

    /// A verb, and what it spawns.
    fn drive<T>(&self, verb: impl Future<Output = T>) -> T {
        let mut verb = pin!(verb);
        loop {
            let polled = verb.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            if let Poll::Ready(done) = polled {
                return done;
            }
            self.run();
        }
    }

    fn row(&mut self, id: SessionId) -> &mut Row {
        self.rows.iter_mut().find(|row| row.id == id).expect("a row")
    }

    fn remove(&mut self, ids: &[SessionId]) {
        self.rows.retain(|row| !ids.contains(&row.id));
    }

    /// Some bytes of a header: names, tokens that are live, dead or forged, and junk.
    fn header(&self, input: &mut Input<'_>) -> Vec<u8> {
        let mut header = Vec::new();
        let token = |input: &mut Input<'_>| {
            let back = usize::from(input.byte());
            let last = self.tokens.len().checked_sub(1);
            last.map_or("", |last| &self.tokens[last - back % self.tokens.len()])
        };
        for _ in 0..input.byte() % 8 {
            match input.byte() % 12 {
                0 | 1 => header.extend(format!("{NAME}={}", token(input)).bytes()),
                2 => header.extend(token(input).bytes()),
                3 | 4 => header.extend(b"; "),
                5 => header.extend(format!("{NAME}=").bytes()),
                6 => header.extend(b"Bearer "),
                7 => header.push(b';'),
                8 => header.push(input.byte()),
                9 => {
                    let id = self.rows.last().map_or(SessionId::from_bytes([0; 16]), |row| row.id);
                    let forged = SessionToken::from_parts(id, [input.byte(); 32]);
                    header.extend(format!("{NAME}={}", forged.expose()).bytes());
                }
                10 => header.extend(input.bytes::<4>()),
                _ => header.push(input.one_of(b"\" \t=,_")),
            }
        }
        header
    }

    fn request(&mut self, input: &mut Input<'_>) {
        let gaps = [0, 0, 1, UPDATE_AGE - 1, UPDATE_AGE, MAX_AGE - 1, MAX_AGE, CAP / 4];
        self.now += input.one_of(&gaps);
        self.clock.set(Timestamp::from_unix_secs(self.now));
        let shape = input.byte();
        let cookies: Vec<_> = (0..shape & 3).map(|_| self.header(input)).collect();
        let authorizations = [0, 0, 0, 0, 0, 1, 1, 2][usize::from(shape >> 2 & 7)];
        let scheme: &[u8] = if shape < 128 { b"Bearer " } else { b"" };
        let authorization: Vec<_> =
            (0..authorizations).map(|_| [scheme, &self.header(input)].concat()).collect();
        let (tokens, is_bearer) = presented(&cookies, &authorization);
        let mut request = Request { tokens, is_bearer, ..Request::default() };
        let exchange = self.web.exchange();
        let auth = exchange
            .auth(cookies.iter().map(Vec::as_slice), authorization.iter().map(Vec::as_slice));
        for _ in 0..input.byte() % 5 {
            match input.byte() % 6 {
                0 => self.look(&mut request, &auth, true),
                1 => self.look(&mut request, &auth, false),
                2 => self.sign_in(&mut request, &auth, input.one_of(&SUBJECTS)),
                3 => self.sign_out(&mut request, &auth),
                4 => self.rotate(&mut request, &auth),
                _ => self.list(&mut request, &auth),
            }
        }
        drop(auth);
        self.answer(&request, exchange, input);
        self.run();
    }

    /// The rows that the request's tokens prove, each once.
    fn proven(&self, request: &Request) -> Vec<SessionId> {
        let mut ids = Vec::new();
        for token in &request.tokens {
            let row = self.rows.iter().find(|row| row.token == *token);
            ids.extend(row.map(|row| row.id).filter(|id| !ids.contains(id)));
        }
        ids
    }

    /// What a verb ends.
    fn held(&self, request: &Request) -> Vec<SessionId> {
        match request.known {
            Some((Known::Session(id), _))
                if request.begun.is_some() || request.tokens.len() == 1 =>
            {
                vec![id]
            }
            _ => self.proven(request),
        }
    }

    fn ask(&mut self, request: &mut Request, counts: bool) -> Known {
        if let Some((known, counted)) = request.known
            && (counted || !counts)
        {
            return known;
        }
        let proven = self.proven(request);
        let now = self.now;
        let lives = |id: &SessionId| self.rows.iter().any(|row| row.id == *id && now < row.end());
        let live: Vec<_> = proven.iter().copied().filter(lives).collect();
        let known = match *live {
            [] if proven.is_empty() => Known::None,
            [] => Known::Expired,
            [id] => Known::Session(id),
            _ => Known::Ambiguous,
        };
        if let Known::Session(id) = known
            && counts
            && now >= self.row(id).renewed + UPDATE_AGE
        {
            self.row(id).renewed = now;
        }
        request.known = Some((known, counts));
        known
    }

    fn look(&mut self, request: &mut Request, auth: &Auth, counts: bool) {
        let found = if counts {
            self.drive(auth.active()).map(|active| active.session.id())
        } else {
            self.drive(auth.peeked()).map(|seen| seen.session.id())
        };
        let found = found.map_or_else(|refused| Known::of(&refused), Known::Session);
        assert_eq!(found, self.ask(request, counts));
    }

    fn sign_in(&mut self, request: &mut Request, auth: &Auth, subject: &'static str) {
        let held = self.held(request);
        let started = self.drive(auth.sign_in(SignIn::of(subject))).expect("a memory");
        self.remove(&held);
        let (id, created) = (started.session.id(), self.now);
        self.rows.push(Row { id, subject, token: String::new(), created, renewed: created });
        self.begin(request, &started);
    }

    fn begin(&mut self, request: &mut Request, started: &Active) {
        let id = started.session.id();
        let token = started.token.as_ref().expect("a sign-in has one");
        token.expose().clone_into(&mut self.row(id).token);
        request.known = Some((Known::Session(id), true));
        (request.begun, request.clears) = (Some(id), false);
    }

    fn sign_out(&mut self, request: &mut Request, auth: &Auth) {
        let held = self.held(request);
        self.drive(auth.sign_out()).expect("a memory");
        self.remove(&held);
        request.known = Some((Known::None, true));
        (request.begun, request.clears) = (None, !request.tokens.is_empty());
    }

    fn rotate(&mut self, request: &mut Request, auth: &Auth) {
        let expected = self.ask(request, true);
        match self.drive(auth.rotate()) {
            Ok(rotated) => {
                assert_eq!(Known::Session(rotated.session.id()), expected);
                self.begin(request, &rotated);
            }
            Err(refused) => assert_eq!(Known::of(&refused), expected),
        }
    }

    fn list(&mut self, request: &mut Request, auth: &Auth) {
        let expected = self.ask(request, false);
        match (self.drive(auth.list()), expected) {
            (Ok(list), Known::Session(id)) => {
                let (subject, now) = (self.row(id).subject, self.now);
                let live = |row: &&Row| row.subject == subject && now < row.end();
                assert_eq!(list.len(), self.rows.iter().filter(live).count());
            }
            (Err(refused), expected) => assert_eq!(Known::of(&refused), expected),
            (list, expected) => panic!("{list:?}, not {expected:?}"),
        }
    }

    /// The client may have hung up, and the handler may have a cookie of its own.
    fn answer(&mut self, request: &Request, exchange: Exchange, input: &mut Input<'_>) {
        let begun = request.begun.map(|id| self.row(id).token.clone());
        let end = input.byte() % 4;
        if end == 0 {
            drop(exchange);
            self.remove(request.begun.as_slice());
            return;
        }
        let own = if end == 1 { self.header(input) } else { Vec::new() };
        let reply = block_on(exchange.reply([own.as_slice()]));
        let set = reply.and_then(|reply| reply.set_cookie);
        let ours = match &begun {
            Some(token) => Some(token.clone()),
            None => request.clears.then(String::new),
        };
        let first = own.split(|byte| *byte == b';').next().unwrap_or_default();
        let mut parts = first.splitn(2, |byte| *byte == b'=');
        let name = parts.next().map(<[u8]>::trim_ascii);
        let own_value = parts.next().map(<[u8]>::trim_ascii);
        let wins = own_value.is_some() && name == Some(NAME.as_bytes()) && !request.is_bearer;
        if wins && own_value != begun.as_deref().map(str::as_bytes) {
            self.remove(request.begun.as_slice());
        }
        let pair = set.map(|set| set.split(';').next().unwrap_or_default().to_owned());
        let expected = ours.filter(|_| !wins && !request.is_bearer);
        assert_eq!(pair, expected.map(|value| format!("{NAME}={value}")));
        self.tokens.extend(begun);
    }

    fn check(&self) {
        assert_eq!(self.store.len(), self.rows.len());
        for row in &self.rows {
            let stored = block_on(self.store.load(&row.id)).expect("a memory").expect("a row");
            assert_eq!(stored.subject(), row.subject);
            assert_eq!(stored.lifetime().renewed_at().as_unix_secs(), row.renewed);
        }
    }
}

/// The tokens of a request, read in another way than the carrier does, and whether it is one
/// of a bearer.
fn presented(cookies: &[Vec<u8>], authorization: &[Vec<u8>]) -> (Vec<String>, bool) {
    let mut tokens: Vec<String> = Vec::new();
    if let [first, others @ ..] = authorization {
        let text = String::from_utf8(first.trim_ascii_start().to_vec()).unwrap_or_default();
        let is_bearer = text.get(..7).is_some_and(|it| it.eq_ignore_ascii_case("bearer "));
        let token =
            text.get(7..).unwrap_or_default().trim_matches(|c: char| c.is_ascii_whitespace());
        tokens.extend((is_bearer && others.is_empty() && !token.is_empty()).then(|| token.into()));
        return (tokens, true);
    }
    for pair in cookies.iter().flat_map(|header| header.split(|byte| *byte == b';')) {
        let mut parts = pair.trim_ascii().splitn(2, |byte| *byte == b'=');
        let (Some(name), Some(value)) = (parts.next(), parts.next()) else { continue };
        let Ok(value) = String::from_utf8(value.to_vec()) else { continue };
        let is_new = !value.is_empty() && !tokens.contains(&value) && tokens.len() < MOST;
        if name == NAME.as_bytes() && is_new {
            tokens.push(value);
        }
    }
    (tokens, false)
}

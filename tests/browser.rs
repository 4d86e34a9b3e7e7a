//! Law 12: the cookie never decides. A browser of two tabs signs in with two accounts,
//! and its requests and their answers are lost, late, doubled and reordered; the laws'
//! exceptions each have a trace that shows why they are needed.
#![cfg(all(feature = "jwt", feature = "memory"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use chrono::TimeDelta;
use pollster::block_on;
use proptest::prelude::*;
use session_policy::jwt::{Algorithm, HybridSessions, JwtSessions, KeyRing, SigningKey};
use session_policy::store::SessionStore;
use session_policy::{
    AuthenticateError, Authenticated, Clock, Decision, Lifetime, ManualClock, MemoryStore,
    NoClaims, SessionId, SessionPolicy, Sessions, SignIn, Started, Timestamp,
};

const LOGIN: i64 = 1_800_000_000;
const DAY: i64 = 86_400;
/// What browsers keep (RFC 6265bis section 5.6.2).
const LONGEST_COOKIE: i64 = 400 * DAY;
/// What clocks of servers may differ by.
const SKEW: i64 = 60;
/// What a request takes at most, and its answer: less than the default grace less the skew.
const TRANSIT: i64 = 29;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_unix_secs(LOGIN + secs)
}

fn policy(max_age: i64, update_age: i64, cap: i64) -> SessionPolicy {
    let secs = TimeDelta::seconds;
    let policy = SessionPolicy::new(secs(max_age), secs(update_age), secs(cap)).unwrap();
    policy.with_clock_skew(secs(SKEW)).unwrap()
}

// The servers.

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Opaque,
    Hybrid,
    Stateless,
}

const KINDS: [Kind; 3] = [Kind::Opaque, Kind::Hybrid, Kind::Stateless];

enum Server {
    Opaque(Sessions<MemoryStore>),
    Hybrid(HybridSessions<MemoryStore>),
    Stateless(JwtSessions),
}

macro_rules! each {
    ($server:expr, $sessions:ident => $call:expr) => {
        match $server {
            Server::Opaque($sessions) => $call,
            Server::Hybrid($sessions) => $call,
            Server::Stateless($sessions) => $call,
        }
    };
}

impl Server {
    /// Two servers of the same sessions, by these clocks.
    fn two(kind: Kind, policy: SessionPolicy, clocks: &[ManualClock; 2]) -> [Self; 2] {
        let ring = KeyRing::new(SigningKey::secret("k", Algorithm::Hs256, [7; 32]).unwrap());
        let clocks = clocks.each_ref();
        match kind {
            Kind::Opaque => {
                let sessions = Sessions::new(MemoryStore::new(), policy);
                clocks.map(|clock| Self::Opaque(sessions.clone().with_clock(clock.clone())))
            }
            Kind::Hybrid => {
                let store = MemoryStore::new();
                let sessions = HybridSessions::new(store, ring.unwrap(), policy).unwrap();
                clocks.map(|clock| Self::Hybrid(sessions.clone().with_clock(clock.clone())))
            }
            Kind::Stateless => {
                let sessions = JwtSessions::new(ring.unwrap(), policy);
                clocks.map(|clock| Self::Stateless(sessions.clone().with_clock(clock.clone())))
            }
        }
    }

    fn start(&self, sign_in: SignIn) -> Started {
        each!(self, sessions => block_on(sessions.start(sign_in)).unwrap())
    }

    fn authenticate(&self, token: &str) -> Result<Authenticated, AuthenticateError> {
        each!(self, sessions => block_on(sessions.authenticate(token)))
    }

    fn peek(&self, token: &str) -> Result<Authenticated, AuthenticateError> {
        each!(self, sessions => block_on(sessions.peek(token)))
    }

    /// Another secret; without a store another session up to the same cap.
    fn rotate(&self, token: &str) -> Option<Started> {
        let session = self.authenticate(token).ok()?.session;
        match self {
            Self::Opaque(sessions) => block_on(sessions.rotate(&session)).ok(),
            Self::Hybrid(sessions) => block_on(sessions.rotate(&session, NoClaims {})).ok(),
            Self::Stateless(_) => {
                let cap = session.lifetime().absolute_expires_at();
                Some(self.start(SignIn::of(session.subject()).until(cap)))
            }
        }
    }

    fn end(&self, id: SessionId) {
        match self {
            Self::Opaque(sessions) => _ = block_on(sessions.end(&id)).unwrap(),
            Self::Hybrid(sessions) => _ = block_on(sessions.end(&id)).unwrap(),
            Self::Stateless(_) => {}
        }
    }

    const fn has_rows(&self) -> bool {
        !matches!(self, Self::Stateless(_))
    }

    /// The instants of the session: those of its row or, without one, of the token.
    fn lifetime(&self, id: SessionId, cookie: &Cookie) -> Option<Lifetime> {
        if self.has_rows() { self.row(id) } else { Some(cookie.lifetime) }
    }

    fn row(&self, id: SessionId) -> Option<Lifetime> {
        let row = match self {
            Self::Opaque(sessions) => block_on(sessions.store().load(&id)).unwrap(),
            Self::Hybrid(sessions) => block_on(sessions.store().load(&id)).unwrap(),
            Self::Stateless(_) => None,
        };
        row.map(|row| *row.lifetime())
    }
}

/// What `Set-Cookie` says, and the instants that a token without a row has.
#[derive(Clone)]
struct Cookie {
    token: String,
    max_age: i64,
    lifetime: Lifetime,
}

impl Cookie {
    fn of_started(started: &Started) -> Self {
        let max_age = started.status.cookie_max_age().num_seconds();
        let token = started.token.expose().to_owned();
        Self { token, max_age, lifetime: *started.session.lifetime() }
    }

    /// Of a re-issue.
    fn of_served(served: &Authenticated) -> Option<Self> {
        let max_age = served.status.cookie_max_age().num_seconds();
        let token = served.token.as_ref()?.expose().to_owned();
        Some(Self { token, max_age, lifetime: *served.session.lifetime() })
    }
}

// The browser.

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Act {
    Request,
    Rotate,
    SignIn(&'static str),
    SignOut,
}

/// What becomes of an answer.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Arrives,
    Lost,
    /// And once more, so many seconds after it was sent.
    Twice(i64),
}

/// A request: to which server, and how long it and its answer take.
#[derive(Clone, Copy, Debug)]
struct Sent {
    act: Act,
    server: usize,
    there: i64,
    back: i64,
    fate: Fate,
}

const fn sent(act: Act, there: i64, back: i64, fate: Fate) -> Sent {
    Sent { act, server: 0, there, back, fate }
}

#[derive(Clone)]
enum Event {
    /// A request reaches its server, with the cookie that it was sent with, and how many
    /// answers to verbs had arrived then.
    AtServer(Sent, Option<Cookie>, u32),
    /// An answer reaches the browser: what it sets (`None` clears), and of which verb.
    AtBrowser(Option<Cookie>, Option<Verb>, u32),
}

/// The answer to a sign-in, a sign-out or a rotation: its place among them, and whose
/// cookie it sets.
#[derive(Clone, Copy)]
struct Verb {
    place: u32,
    session: Option<SessionId>,
}

/// What an integration may get wrong, of which the law is to tell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fault {
    /// `Max-Age` runs to the idle end.
    CookieToTheIdleEnd,
    /// A cookie of a session of more than 400 days is sent once.
    NotSentAgain,
    /// A refusal clears the cookie.
    RefusalClears,
}

struct World {
    fault: Option<Fault>,
    policy: SessionPolicy,
    clocks: [ManualClock; 2],
    ahead: i64,
    servers: [Server; 2],
    now: i64,
    under_way: Vec<(i64, Event)>,
    /// The cookie, and when it dies.
    jar: Option<(Cookie, i64)>,
    /// How many verbs servers have carried out, and how often an answer to one arrived.
    verbs: u32,
    arrived: u32,
    /// The session whose cookie the browser holds by the law; `None` where an exception
    /// of the law was the last word.
    expected: Option<SessionId>,
}

impl World {
    fn new(kind: Kind, policy: SessionPolicy, ahead: i64) -> Self {
        let clocks = [0, ahead].map(|ahead| ManualClock::new(at(ahead)));
        let servers = Server::two(kind, policy, &clocks);
        let (now, under_way) = (0, Vec::new());
        let (jar, expected, verbs, arrived) = (None, None, 0, 0);
        let fault = None;
        Self {
            fault,
            policy,
            clocks,
            ahead,
            servers,
            now,
            under_way,
            jar,
            verbs,
            arrived,
            expected,
        }
    }

    fn send(&mut self, sent: Sent) {
        let cookie = self.cookie().cloned();
        let event = Event::AtServer(sent, cookie, self.arrived);
        self.under_way.push((self.now + sent.there, event));
    }

    /// Time passes up to `now`, and what is under way arrives.
    fn pass(&mut self, now: i64) {
        loop {
            let due = |(at, _): &&(i64, Event)| *at <= now;
            let times = self.under_way.iter().filter(due).map(|(at, _)| *at);
            let Some(next) = times.min() else { break };
            let place = self.under_way.iter().position(|(at, _)| *at == next).unwrap();
            let (_, event) = self.under_way.remove(place);
            self.set_clocks(next);
            match event {
                Event::AtServer(sent, cookie, arrived) => self.carry_out(sent, cookie, arrived),
                Event::AtBrowser(set, verb, arrived) => self.receive(set, verb, arrived),
            }
            self.check();
        }
        self.set_clocks(now);
        self.check();
    }

    fn set_clocks(&mut self, now: i64) {
        self.now = now;
        for (clock, ahead) in self.clocks.iter().zip([0, self.ahead]) {
            clock.set(at(now + ahead));
        }
    }

    fn carry_out(&mut self, request: Sent, cookie: Option<Cookie>, arrived: u32) {
        let server = &self.servers[request.server];
        let token = cookie.as_ref().map(|cookie| cookie.token.as_str());
        let started = match request.act {
            Act::Request => {
                let Some(cookie) = cookie else { return };
                match self.judge(request.server, &cookie, arrived) {
                    Ok(Some(_)) if self.fault == Some(Fault::NotSentAgain) => {}
                    Ok(Some(reissued)) => self.answer(request, Some(reissued), None, arrived),
                    Err(_) if self.fault == Some(Fault::RefusalClears) => {
                        self.answer(request, None, None, arrived);
                    }
                    Ok(None) | Err(_) => {}
                }
                return;
            }
            Act::Rotate => {
                // A refusal sets no cookie.
                let Some(started) = token.and_then(|token| server.rotate(token)) else { return };
                Some(started)
            }
            Act::SignIn(subject) => Some(server.start(SignIn::of(subject))),
            Act::SignOut => {
                let opened = token.and_then(|token| server.peek(token).ok());
                if let Some(opened) = opened {
                    server.end(opened.session.id());
                }
                None
            }
        };
        self.verbs += 1;
        self.expected = None;
        let session = started.as_ref().map(|started| started.session.id());
        let verb = Verb { place: self.verbs, session };
        self.answer(request, started.as_ref().map(Cookie::of_started), Some(verb), arrived);
    }

    /// Whoever holds a cookie by the law is served while the session lives, and a lost
    /// re-issue is made good.
    fn judge(
        &self,
        server: usize,
        cookie: &Cookie,
        arrived: u32,
    ) -> Result<Option<Cookie>, AuthenticateError> {
        let (clock, server) = (&self.clocks[server], &self.servers[server]);
        let decided = self.expected.filter(|_| arrived == self.arrived).map(|id| {
            let lifetime = server.lifetime(id, cookie);
            lifetime.map(|lifetime| self.policy.evaluate(&lifetime, clock.now()))
        });
        let opened = server.authenticate(&cookie.token);
        match (decided, &opened) {
            (Some(Some(decision)), Ok(opened)) if decision.is_served() => {
                assert_eq!(Some(opened.session.id()), self.expected);
                let is_due = matches!(decision, Decision::Renew { .. });
                assert!(!is_due || self.makes_good(server, opened), "{:?}", opened.renewal);
            }
            (Some(Some(Decision::Reject { .. })), Err(AuthenticateError::Rejected { .. }))
            | (None, _) => {}
            (decided, opened) => panic!("at {}: {decided:?}, and {opened:?}", self.now),
        }
        opened.map(|opened| Cookie::of_served(&opened))
    }

    /// Whether an answer with a renewal brings what the browser may have lost.
    fn makes_good(&self, server: &Server, opened: &Authenticated) -> bool {
        let outlives = self.policy.absolute_cap().num_seconds() > LONGEST_COOKIE;
        match server {
            Server::Opaque(_) => opened.token.is_some() == outlives,
            Server::Hybrid(_) => opened.token.is_some() || !outlives,
            Server::Stateless(_) => opened.token.is_some(),
        }
    }

    fn answer(&mut self, request: Sent, set: Option<Cookie>, verb: Option<Verb>, arrived: u32) {
        let event = Event::AtBrowser(set, verb, arrived);
        let back = match request.fate {
            Fate::Lost => return,
            Fate::Arrives => vec![request.back],
            Fate::Twice(again) => vec![request.back, again],
        };
        self.under_way.extend(back.into_iter().map(|back| (self.now + back, event.clone())));
    }

    fn receive(&mut self, set: Option<Cookie>, verb: Option<Verb>, arrived: u32) {
        if let Some(Verb { place, session }) = verb {
            // Of verbs that were carried out later, the answer is the last word.
            let is_last = place == self.verbs;
            self.arrived += 1;
            self.expected = session.filter(|_| is_last);
        } else if arrived != self.arrived && set.is_some() {
            // A re-issue that comes after the answer to a verb; the law excepts no refusal.
            self.expected = None;
        }
        let now = self.now;
        let is_short = self.fault == Some(Fault::CookieToTheIdleEnd);
        self.jar = set.map(|set| {
            let idle = set.lifetime.expires_at().since(at(now)).num_seconds();
            let max_age = if is_short { idle } else { set.max_age };
            let dies = now + max_age.min(LONGEST_COOKIE);
            (set, dies)
        });
    }

    /// Without one that has died.
    fn cookie(&self) -> Option<&Cookie> {
        self.jar.as_ref().filter(|(_, dies)| self.now < *dies).map(|(cookie, _)| cookie)
    }

    /// Whose session the browser's cookie opens.
    fn opens(&self) -> Option<SessionId> {
        let served = self.servers[0].peek(&self.cookie()?.token);
        served.ok().map(|served| served.session.id())
    }

    /// The law, of a session that lives by every clock: a server that is ahead gives its
    /// cookie as much less time to the cap.
    fn check(&self) {
        let Some(id) = self.expected else { return };
        assert!(!self.lives(id) || self.opens() == Some(id), "at {}, it lives", self.now);
    }

    fn lives(&self, id: SessionId) -> bool {
        let lifetime = match &self.jar {
            Some((cookie, _)) => self.servers[0].lifetime(id, cookie),
            // Cleared; only a row still tells.
            None => self.servers[0].row(id),
        };
        let is_served =
            |it: &Lifetime, clock: &ManualClock| self.policy.peek(it, clock.now()).is_served();
        lifetime.is_some_and(|it| self.clocks.iter().all(|clock| is_served(&it, clock)))
    }

    /// Sends it and waits for all that is under way.
    fn settle(&mut self, sent: Sent) {
        self.send(sent);
        self.pass(self.now + 2 * TRANSIT);
    }
}

// The law as a property.

/// After how long the next request is sent: mostly while others are under way, or near a
/// limit.
#[derive(Clone, Copy, Debug)]
enum Gap {
    Secs(i64),
    UpdateAge(i64),
    MaxAge(i64),
    /// Of `max_age`.
    Tenths(i64),
    /// To just before or after a browser would drop a cookie of the login.
    CookieEnd(i64),
}

fn gap() -> impl Strategy<Value = Gap> {
    prop_oneof![
        6 => (0..20_i64).prop_map(Gap::Secs),
        2 => (0..200_i64).prop_map(Gap::Secs),
        3 => (-2..3_i64).prop_map(Gap::UpdateAge),
        1 => (-2..3_i64).prop_map(Gap::MaxAge),
        1 => (-2..3_i64).prop_map(Gap::CookieEnd),
        3 => (1..10_i64).prop_map(Gap::Tenths),
    ]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Arrives),
        2 => Just(Fate::Lost),
        1 => (0..=TRANSIT).prop_map(Fate::Twice),
    ]
}

fn request() -> impl Strategy<Value = Sent> {
    let act = prop_oneof![
        12 => Just(Act::Request),
        1 => Just(Act::Rotate),
        1 => Just(Act::SignIn("ada")),
        1 => Just(Act::SignIn("grace")),
        1 => Just(Act::SignOut),
    ];
    (act, 0..2_usize, 0..=TRANSIT, 0..=TRANSIT, fate())
        .prop_map(|(act, server, there, back, fate)| Sent { act, server, there, back, fate })
}

fn policies() -> impl Strategy<Value = SessionPolicy> {
    let cap = prop_oneof![2 => Just(399), 1 => Just(400), 1 => Just(401), 1 => Just(800)];
    let ages = prop_oneof![
        Just((150, 90)),
        Just((150, 149)),
        Just((30 * DAY, 300)),
        Just((30 * DAY, DAY)),
        Just((30 * DAY, 30 * DAY - 1)),
        Just((399 * DAY, DAY)),
    ];
    (ages, cap).prop_map(|((max_age, update_age), cap)| policy(max_age, update_age, cap * DAY))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn a_browser_whose_session_lives_holds_a_cookie_that_opens_it(
        kind in prop::sample::select(&KINDS[..]),
        policy in policies(),
        ahead in prop_oneof![Just(0), Just(SKEW), 0..SKEW],
        steps in prop::collection::vec((gap(), request()), 1..40),
    ) {
        let mut world = World::new(kind, policy, ahead);
        world.settle(sent(Act::SignIn("ada"), 0, 0, Fate::Arrives));
        prop_assert!(world.expected.is_some());
        let outlives = policy.absolute_cap().num_seconds() > LONGEST_COOKIE;
        for (gap, mut sent) in steps {
            let secs = match gap {
                Gap::Secs(secs) => secs,
                Gap::UpdateAge(near) => policy.update_age().num_seconds() + near,
                Gap::MaxAge(near) => policy.max_age().num_seconds() + near,
                Gap::Tenths(tenths) => policy.max_age().num_seconds() * tenths / 10,
                Gap::CookieEnd(near) => LONGEST_COOKIE - world.now + near,
            };
            // A cookie that is sent again must arrive: see the trace below.
            if outlives && sent.act == Act::Request && matches!(sent.fate, Fate::Lost) {
                sent.fate = Fate::Arrives;
            }
            world.pass(world.now + secs.max(0));
            world.send(sent);
        }
        world.pass(world.now + 2 * TRANSIT);
    }
}

// What the law excepts, and why: a trace for each.

/// 30 minutes idle, renewed every minute, 8 hours in all.
fn working_day() -> SessionPolicy {
    policy(1_800, 60, 28_800)
}

/// A browser that has signed in as ada.
fn signed_in(kind: Kind, policy: SessionPolicy) -> (World, SessionId) {
    let mut world = World::new(kind, policy, 0);
    world.send(sent(Act::SignIn("ada"), 0, 0, Fate::Arrives));
    world.pass(0);
    let session = world.opens().unwrap();
    (world, session)
}

#[test]
fn a_lost_answer_to_a_sign_in_leaves_a_session_without_a_cookie() {
    for kind in KINDS {
        let mut world = World::new(kind, working_day(), 0);
        world.settle(sent(Act::SignIn("ada"), 1, 1, Fate::Lost));
        assert!(world.cookie().is_none(), "{kind:?}");
    }
}

#[test]
fn of_two_sign_ins_the_answer_that_comes_last_stays() {
    for kind in KINDS {
        let mut world = World::new(kind, working_day(), 0);
        world.send(sent(Act::SignIn("ada"), 0, 9, Fate::Arrives));
        world.settle(sent(Act::SignIn("grace"), 1, 1, Fate::Arrives));
        let served = world.servers[0].peek(&world.cookie().unwrap().token).unwrap();
        assert_eq!(served.session.subject(), "ada", "{kind:?}");
    }
}

/// Clearing works by name, so a sign-out whose answer is late takes the next cookie.
#[test]
fn a_late_sign_out_clears_the_cookie_of_the_next_sign_in() {
    for kind in KINDS {
        let (mut world, _) = signed_in(kind, working_day());
        world.send(sent(Act::SignOut, 0, 9, Fate::Arrives));
        world.send(sent(Act::SignIn("grace"), 1, 1, Fate::Arrives));
        world.pass(5);
        assert!(world.opens().is_some(), "{kind:?}");
        world.pass(9);
        assert!(world.cookie().is_none(), "{kind:?}");
    }
}

/// Without a store a rotation ends nothing, so the former token is as good.
#[test]
fn a_lost_answer_to_a_rotation_leaves_a_dead_token() {
    for kind in KINDS {
        let (mut world, session) = signed_in(kind, working_day());
        world.settle(sent(Act::Rotate, 1, 1, Fate::Lost));
        let expected = if world.servers[0].has_rows() { None } else { Some(session) };
        assert_eq!(world.opens(), expected, "{kind:?}");
        assert!(world.lives(session), "{kind:?}");
    }
}

#[test]
fn a_reissue_that_overtakes_a_rotation_leaves_a_dead_token() {
    let (mut world, session) = signed_in(Kind::Hybrid, policy(1_800, 90, 28_800));
    world.pass(90);
    world.send(sent(Act::Request, 0, 9, Fate::Arrives));
    world.send(sent(Act::Rotate, 1, 1, Fate::Arrives));
    world.pass(98);
    assert_eq!(world.opens(), Some(session));
    world.pass(99);
    assert_eq!(world.opens(), None);
    assert!(world.servers[0].lifetime(session, world.cookie().unwrap()).is_some());
}

/// Only where a request is answered with a cookie: by a signed token, or beyond 400 days.
#[test]
fn a_late_reissue_ousts_the_next_sign_in_and_comes_back_after_a_sign_out() {
    for kind in KINDS {
        for cap in [400, 401] {
            let is_sent = kind != Kind::Opaque || cap > 400;
            for next in [Act::SignIn("grace"), Act::SignOut] {
                let (mut world, first) = signed_in(kind, policy(30 * DAY, 90, cap * DAY));
                world.pass(90);
                world.send(sent(Act::Request, 0, 9, Fate::Arrives));
                world.send(sent(next, 1, 1, Fate::Arrives));
                world.pass(95);
                let before = world.opens();
                assert_eq!(before.is_some(), next != Act::SignOut, "{kind:?}");
                world.pass(99);
                let after = world.opens();
                match (is_sent, next) {
                    (false, _) => assert_eq!(after, before),
                    (true, Act::SignIn(_)) => assert_eq!(after, Some(first), "{kind:?}"),
                    // The row has ended. Without one nothing has.
                    (true, _) if world.servers[0].has_rows() => {
                        assert!(world.cookie().is_some() && after.is_none(), "{kind:?}");
                    }
                    (true, _) => assert_eq!(after, Some(first), "{kind:?}"),
                }
            }
        }
    }
}

/// Up to 400 days no answer is needed, and beyond them one of 400 days' answers is.
#[test]
fn beyond_400_days_the_cookie_must_be_sent_again() {
    for kind in KINDS {
        for (cap, fate, holds) in [
            (399, Fate::Lost, true),
            (400, Fate::Lost, true),
            (401, Fate::Arrives, true),
            (401, Fate::Lost, false),
            (800, Fate::Arrives, true),
            (800, Fate::Lost, false),
        ] {
            let (mut world, session) = signed_in(kind, policy(30 * DAY, DAY, cap * DAY));
            // Without a row a lost answer costs what the token had left.
            if matches!(fate, Fate::Lost) && !world.servers[0].has_rows() {
                continue;
            }
            // Every 20 days, and in the last second of the cap or of the first cookie.
            let last = if holds { cap * DAY - 1 } else { LONGEST_COOKIE };
            world.expected = world.expected.filter(|_| holds);
            for day in (20..cap).step_by(20).filter(|day| day * DAY < last) {
                world.pass(day * DAY);
                world.send(sent(Act::Request, 0, 0, fate));
            }
            world.pass(last);
            let opened = holds.then_some(session);
            assert_eq!(world.opens(), opened, "{kind:?}, {cap} days, {fate:?}");
            assert!(world.lives(session), "{kind:?}, {cap} days, {fate:?}");
        }
    }
}

#[test]
fn without_a_row_a_lost_answer_is_made_good_by_the_next_request() {
    let (mut world, session) = signed_in(Kind::Stateless, working_day());
    world.pass(1_000);
    world.send(sent(Act::Request, 0, 0, Fate::Lost));
    world.pass(1_799);
    world.send(sent(Act::Request, 0, 0, Fate::Arrives));
    world.pass(3_598);
    assert_eq!(world.opens(), Some(session));
    // And without a next request within the time that its token has left, it is not.
    let (mut world, _) = signed_in(Kind::Stateless, working_day());
    world.pass(1_000);
    world.send(sent(Act::Request, 0, 0, Fate::Lost));
    world.pass(1_800);
    assert_eq!(world.opens(), None);
}

// Planted faults.

type Course = fn(&mut World);

/// Whether the law is broken on the way.
fn breaks(fault: Option<Fault>, kind: Kind, policy: SessionPolicy, course: Course) -> bool {
    let (mut world, _) = signed_in(kind, policy);
    world.fault = fault;
    let course = std::panic::AssertUnwindSafe(|| {
        world.settle(sent(Act::SignIn("ada"), 0, 0, Fate::Arrives));
        course(&mut world);
    });
    std::panic::catch_unwind(course).is_err()
}

#[test]
fn faults_of_an_integration_break_the_law() {
    /// A request in the last minute, whose answer is lost.
    fn lost(world: &mut World) {
        world.pass(1_790);
        world.settle(sent(Act::Request, 0, 0, Fate::Lost));
    }
    /// A request that is sent before the cap and comes after it, and is answered after the
    /// next sign-in.
    fn late(world: &mut World) {
        for minutes in (20..480).step_by(20) {
            world.pass(60 * minutes);
            world.send(sent(Act::Request, 0, 0, Fate::Arrives));
        }
        world.pass(28_795);
        world.send(sent(Act::Request, 10, 20, Fate::Arrives));
        world.pass(28_810);
        world.settle(sent(Act::SignIn("ada"), 0, 1, Fate::Arrives));
    }
    /// A request every 20 days, beyond 400.
    fn years(world: &mut World) {
        for day in (20..450).step_by(20) {
            world.pass(day * DAY);
            world.send(sent(Act::Request, 0, 0, Fate::Arrives));
        }
    }
    let courses: [(Fault, SessionPolicy, Course); 3] = [
        (Fault::CookieToTheIdleEnd, working_day(), lost),
        (Fault::NotSentAgain, policy(30 * DAY, DAY, 800 * DAY), years),
        (Fault::RefusalClears, working_day(), late),
    ];
    for (fault, policy, course) in courses {
        // Without a row, a token ends by itself.
        for kind in [Kind::Opaque, Kind::Hybrid] {
            assert!(!breaks(None, kind, policy, course), "{kind:?} without {fault:?}");
            assert!(breaks(Some(fault), kind, policy, course), "{kind:?}: {fault:?}");
        }
    }
}

// Findings: what once failed, with its right value.

/// A request at 29:50 whose answer is lost, and one at 29:55.
#[test]
fn f1_a_lost_answer_costs_no_cookie() {
    for kind in KINDS {
        let (mut world, session) = signed_in(kind, working_day());
        assert_eq!(world.cookie().unwrap().max_age, 28_800);
        world.pass(1_790);
        world.send(sent(Act::Request, 0, 0, Fate::Lost));
        world.pass(1_795);
        world.send(sent(Act::Request, 0, 0, Fate::Arrives));
        for now in [1_799, 1_800, 1_801, 3_000] {
            world.pass(now);
            assert_eq!(world.opens(), Some(session), "{kind:?}, {now}");
        }
    }
}

/// Two requests of one page at the idle end, at servers that are a second apart: one
/// renews, the other is refused and leaves the cookie alone, whichever is answered last.
#[test]
fn f8_a_refusal_leaves_the_renewed_cookie() {
    for kind in KINDS {
        for (back, other) in [(1, 5), (5, 1)] {
            let mut world = World::new(kind, working_day(), 1);
            world.settle(sent(Act::SignIn("ada"), 0, 0, Fate::Arrives));
            let session = world.opens().unwrap();
            world.pass(1_799);
            let token = world.cookie().unwrap().token.clone();
            let refused = world.servers[1].authenticate(&token).unwrap_err();
            assert_eq!(
                refused.to_string(),
                "the session is refused since 2027-01-15T08:30:00Z: idle for too long"
            );
            world.send(Sent { server: 1, ..sent(Act::Request, 0, back, Fate::Arrives) });
            world.send(sent(Act::Request, 0, other, Fate::Arrives));
            world.pass(1_860);
            assert_eq!(world.opens(), Some(session), "{kind:?}");
        }
    }
}

/// A slow request is refused at the cap, and its answer comes after the next sign-in.
#[test]
fn f9_a_late_refusal_leaves_the_next_cookie() {
    for kind in KINDS {
        let (mut world, first) = signed_in(kind, SessionPolicy::WORKING_DAY);
        let token = world.cookie().unwrap().token.clone();
        world.pass(28_795);
        world.send(sent(Act::Request, 6, 20, Fate::Arrives));
        world.pass(28_802);
        let refused = world.servers[0].authenticate(&token).unwrap_err();
        assert!(matches!(refused, AuthenticateError::Rejected { .. }), "{kind:?}: {refused}");
        world.send(sent(Act::SignIn("ada"), 1, 1, Fate::Arrives));
        world.pass(28_900);
        let second = world.opens().unwrap();
        assert_ne!(second, first, "{kind:?}");
        assert_eq!(world.cookie().unwrap().max_age, 28_800, "{kind:?}");
    }
}

//! What a framework's integration is built on, without a framework.
#![cfg(all(feature = "jwt", feature = "memory"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::future::poll_fn;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use chrono::TimeDelta;
use pollster::block_on;
use session_policy::jwt::{Algorithm, HybridSessions, JwtSessions, KeyRing, SigningKey};
use session_policy::store::{Removed, SessionStore, StoreError, Update};
use session_policy::web::{Active, Bearer, Carrier, Reason, Refused, SessionCookie, WebSessions};
use session_policy::{
    Bound, Bounds, Clock, ManualClock, MemoryStore, Session, SessionId, SessionPolicy, Sessions,
    SystemClock, Timestamp,
};

fn carrier() -> Carrier {
    Carrier::either(SessionCookie::host("session"), Bearer::new())
}

/// Signs in; the header `Cookie` of the next request.
fn cookie(web: &WebSessions) -> String {
    let started = block_on(web.exchange().auth([], []).sign_in("ada")).unwrap();
    format!("__Host-session={}", started.token.as_ref().unwrap().expose())
}

#[test]
fn an_argument_asks_as_the_verbs_do() {
    let clock = ManualClock::new(SystemClock.now());
    let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::SLIDING_MONTH);
    let web = WebSessions::new(sessions.with_clock(clock.clone()), carrier()).unwrap();
    let cookie = cookie(&web);
    let bearer = cookie.replace("__Host-session=", "Bearer ");
    let minute = TimeDelta::minutes(1);

    let exchange = web.exchange();
    let active = block_on(exchange.active([cookie.as_bytes()], [])).unwrap();
    let auth = exchange.auth([cookie.as_bytes()], []);
    assert_eq!(block_on(auth.active()).unwrap().session.id(), active.session.id());
    let peeked = block_on(web.exchange().peeked([], [bearer.as_bytes()])).unwrap();
    assert_eq!(peeked.session.id(), active.session.id());
    assert!(block_on(exchange.reply([])).is_some(), "it was asked");

    clock.advance(minute - TimeDelta::seconds(1));
    assert!(block_on(web.exchange().fresh([cookie.as_bytes()], [], minute)).is_ok());
    clock.advance(TimeDelta::seconds(1));
    let refused = block_on(web.exchange().fresh([], [bearer.as_bytes()], minute)).unwrap_err();
    assert!(matches!(refused.reason(), Reason::NotFresh { within } if *within == minute));
    let challenge = r#"Bearer error="insufficient_user_authentication", max_age="60""#;
    assert_eq!(refused.www_authenticate().as_deref(), Some(challenge));
    let refused = block_on(web.exchange().fresh([], [], minute)).unwrap_err();
    assert!(matches!(refused.reason(), Reason::NoSession));
    assert_eq!(block_on(web.exchange().active([], [])).unwrap_err().as_str(), "no_session");
    assert_eq!(block_on(web.exchange().peeked([], [])).unwrap_err().as_str(), "no_session");
}

#[test]
fn what_is_polled_by_hand_is_the_reply() {
    let clock = ManualClock::new(SystemClock.now());
    let ring = KeyRing::new(SigningKey::secret("k", Algorithm::Hs256, [7; 32]).unwrap()).unwrap();
    let policy = SessionPolicy::SLIDING_MONTH;
    let sessions = HybridSessions::new(MemoryStore::new(), ring, policy).unwrap();
    let sessions = sessions.with_clock(clock.clone());
    let web = WebSessions::new(sessions.clone(), carrier()).unwrap();

    let untouched = web.exchange();
    assert!(untouched.look_again().is_none() && untouched.reply_now([]).is_none());
    for is_ended in [false, true] {
        let cookie = cookie(&web);
        clock.advance(policy.update_age());
        let exchange = web.exchange();
        let active = block_on(exchange.active([cookie.as_bytes()], [])).unwrap();
        if is_ended {
            assert!(block_on(sessions.end(&active.session.id())).unwrap());
        }
        block_on(exchange.look_again().unwrap());
        let reply = exchange.reply_now([]).unwrap();
        assert_eq!(reply.set_cookie.is_some(), !is_ended, "a token issued anew");
    }
}

#[test]
fn a_bearers_token_that_is_issued_anew_is_sent_in_the_header_of_that_name() {
    let clock = ManualClock::new(SystemClock.now());
    let ring = KeyRing::new(SigningKey::secret("k", Algorithm::Hs256, [7; 32]).unwrap()).unwrap();
    let policy = SessionPolicy::SLIDING_MONTH;
    let sessions = HybridSessions::new(MemoryStore::new(), ring, policy).unwrap();
    let sessions = sessions.with_clock(clock.clone());
    for (bearer, header) in [
        (Bearer::new(), None),
        (Bearer::new().reissued_in("x-session-token"), Some("x-session-token")),
    ] {
        let web = WebSessions::new(sessions.clone(), bearer).unwrap();
        let bearer = cookie(&web).replace("__Host-session=", "Bearer ");
        clock.advance(policy.update_age());
        let exchange = web.exchange();
        let active = block_on(exchange.active([], [bearer.as_bytes()])).unwrap();
        let token = active.token.as_ref().unwrap().expose();
        let reply = block_on(exchange.reply([])).unwrap();
        assert_eq!(reply.set_cookie, None);
        assert_eq!(reply.reissued, header.map(|name| (name.to_owned(), token.to_owned())));
    }
}

#[test]
fn a_sign_out_is_carried_out_although_nobody_waits_for_its_answer() {
    let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY);
    let web = WebSessions::new(sessions.clone(), carrier()).unwrap();
    let cookie = cookie(&web);
    let exchange = web.exchange();
    let auth = exchange.auth([cookie.as_bytes()], []);
    exchange.abandon();
    assert!(block_on(auth.rotate()).is_err());
    assert_eq!(block_on(sessions.list("ada")).unwrap().len(), 1);
    block_on(auth.sign_out()).unwrap();
    assert_eq!(block_on(sessions.list("ada")).unwrap().len(), 0);
}

#[test]
fn an_exchange_that_is_abandoned_ends_what_it_began() {
    let tasks = Arc::new(Mutex::new(Vec::new()));
    let spawned = Arc::clone(&tasks);
    let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY);
    let web = WebSessions::new(sessions.clone(), SessionCookie::host("session")).unwrap();
    let web = web.spawn_with(move |task| spawned.lock().unwrap().push(task));
    let run = || {
        let all = std::mem::take(&mut *tasks.lock().unwrap());
        all.into_iter().for_each(block_on);
    };
    let exchange = web.exchange();
    let (auth, abandoned) = (exchange.auth([], []), exchange.clone());
    std::thread::scope(|scope| {
        let signing_in = scope.spawn(|| block_on(auth.sign_in("ada")));
        while !signing_in.is_finished() {
            run();
        }
        assert!(signing_in.join().unwrap().is_ok());
    });
    assert_eq!(block_on(sessions.list("ada")).unwrap().len(), 1);
    abandoned.abandon();
    run();
    assert_eq!(block_on(sessions.list("ada")).unwrap().len(), 0, "nobody was sent its token");
    let late = block_on(auth.sign_in("ada")).unwrap_err();
    assert!(matches!(late.reason(), Reason::Misuse(_)));
    run();
    assert_eq!(block_on(sessions.list("ada")).unwrap().len(), 0);
}

#[test]
fn an_integration_says_what_is_missing_around_a_route() {
    let refused = Refused::misuse("there is no middleware");
    assert_eq!((refused.status(), refused.as_str()), (500, "failed"));
    assert_eq!(refused.to_string(), "refused: there is no middleware");
}

/// Waits until it is polled once more.
async fn wait() {
    let mut waited = false;
    poll_fn(|context| {
        context.waker().wake_by_ref();
        if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// In memory, with a count of its loads and updates; it may wait, whatever it says of itself.
#[derive(Clone, Default)]
struct Counted<const SAYS_NEVER: bool> {
    rows: Arc<MemoryStore>,
    calls: Arc<[AtomicU32; 2]>,
    waits: bool,
}

impl<const SAYS_NEVER: bool> Counted<SAYS_NEVER> {
    async fn call(&self, verb: usize) {
        self.calls[verb].fetch_add(1, SeqCst);
        if self.waits {
            wait().await;
        }
    }

    fn calls(&self) -> [u32; 2] {
        [0, 1].map(|verb: usize| self.calls[verb].swap(0, SeqCst))
    }
}

impl<const SAYS_NEVER: bool> SessionStore for Counted<SAYS_NEVER> {
    const NEVER_WAITS: bool = SAYS_NEVER;

    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        self.rows.create(session).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        self.call(0).await;
        self.rows.load(id).await
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        self.call(1).await;
        self.rows.update(update).await
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        self.rows.remove(id).await
    }

    async fn remove_expired(&self, at: Timestamp, limit: u32) -> Result<Vec<Removed>, StoreError> {
        self.rows.remove_expired(at, limit).await
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        self.rows.list(subject).await
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.rows.remove_all(subject, except).await
    }
}

/// What a request calls of a store: a look, one that counts, and one that renews.
fn calls_of<const SAYS_NEVER: bool>(waits: bool, bounds: Option<AskedBounds>) -> [[u32; 2]; 3] {
    let store = Counted::<SAYS_NEVER> { waits, ..Counted::default() };
    let clock = ManualClock::new(SystemClock.now());
    let sessions = Sessions::new(store.clone(), SessionPolicy::WORKING_DAY);
    let mut sessions = sessions.with_clock(clock.clone());
    if let Some(bounds) = bounds {
        sessions = sessions.with_bounds(bounds);
    }
    let web = WebSessions::new(sessions, carrier()).unwrap();
    let cookie = cookie(&web);
    assert_eq!(store.calls(), [0, 0]);
    let look = block_on(web.exchange().peeked([cookie.as_bytes()], [])).unwrap();
    let looked = store.calls();
    let found = block_on(web.exchange().active([cookie.as_bytes()], [])).unwrap();
    assert_eq!((look.session.id(), look.session.version()), (found.session.id(), 0));
    let counted = store.calls();
    clock.advance(TimeDelta::minutes(20));
    let renewed = block_on(web.exchange().active([cookie.as_bytes()], [])).unwrap();
    assert_eq!((renewed.session.id(), renewed.session.version()), (found.session.id(), 1));
    [looked, counted, store.calls()]
}

#[derive(Clone, Default)]
struct AskedBounds(Arc<AtomicU32>);

impl Bounds for AskedBounds {
    async fn bound(&self, _: &str, _: &str) -> Result<Option<Bound>, StoreError> {
        self.0.fetch_add(1, SeqCst);
        wait().await;
        Ok(Some(Bound::default()))
    }
}

#[test]
fn a_request_is_begun_once_whether_or_not_its_store_waits() {
    let once = [[1, 0], [1, 0], [1, 1]];
    assert_eq!(calls_of::<true>(false, None), once);
    assert_eq!(calls_of::<false>(true, None), once);
    assert_eq!(calls_of::<false>(false, None), once);
    // Bounds may wait where the store never does.
    let bounds = AskedBounds::default();
    assert_eq!(calls_of::<true>(false, Some(bounds.clone())), once);
    // By the sign-in and by three requests.
    assert_eq!(bounds.0.load(SeqCst), 4);
}

#[test]
fn a_store_that_waits_against_its_word_before_it_acts_is_asked_anew() {
    assert_eq!(calls_of::<true>(true, None), [[2, 0], [2, 0], [2, 1]]);
}

#[test]
fn what_is_asked_at_once_is_what_is_asked() {
    let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY);
    let web = WebSessions::new(sessions.clone(), carrier()).unwrap();
    let (mine, other) = (cookie(&web), cookie(&web));
    let unknown = mine.replace("__Host-session=", "__Host-session=x");
    let several = format!("{mine}; {other}");
    for header in [&*mine, &unknown, ""] {
        let (one, two) = (web.exchange(), web.exchange());
        let at_once = one.active_at_once([header.as_bytes()], []).unwrap();
        let awaited = block_on(two.active([header.as_bytes()], []));
        assert_eq!(at_once.is_ok(), header == mine, "{header}");
        let id = |asked: &Result<Active, Refused>| match asked {
            Ok(active) => Ok(active.session.id()),
            Err(refused) => Err(refused.as_str()),
        };
        assert_eq!(id(&at_once), id(&awaited), "{header}");
        assert!(one.peeked_at_once([header.as_bytes()], []).unwrap().is_ok() == at_once.is_ok());
        assert!(one.reply_now([]).is_some(), "it was asked");
    }
    // Several are looked at one by one, and the first ask counts for the answer.
    let exchange = web.exchange();
    assert!(exchange.active_at_once([several.as_bytes()], []).is_none());
    assert!(exchange.peeked_at_once([several.as_bytes()], []).is_none());
    assert!(exchange.reply_now([]).is_some());
    // What a verb of the request has left comes first.
    let exchange = web.exchange();
    block_on(exchange.auth([mine.as_bytes()], []).sign_out()).unwrap();
    let left = exchange.active_at_once([mine.as_bytes()], []).unwrap();
    assert_eq!(left.unwrap_err().as_str(), "no_session");
    // A look that finds none is asked again where it counts.
    let exchange = web.exchange();
    assert!(exchange.peeked_at_once([mine.as_bytes()], []).unwrap().is_err());
    assert!(exchange.active_at_once([mine.as_bytes()], []).unwrap().is_err());
    // Bounds are to be waited for, and so is another store.
    let bounded = sessions.with_bounds(AskedBounds::default());
    let bounded = WebSessions::new(bounded, carrier()).unwrap();
    assert!(bounded.exchange().active_at_once([other.as_bytes()], []).is_none());
    let store = Counted::<false>::default();
    let waiting = Sessions::new(store.clone(), SessionPolicy::WORKING_DAY);
    let waiting = WebSessions::new(waiting, carrier()).unwrap();
    assert!(waiting.exchange().peeked_at_once([other.as_bytes()], []).is_none());
    assert_eq!(store.calls(), [0, 0]);
    const {
        assert!(<Box<Arc<MemoryStore>>>::NEVER_WAITS && <&MemoryStore>::NEVER_WAITS);
        assert!(!<Arc<Counted<false>>>::NEVER_WAITS);
    }
}

#[test]
fn who_is_signed_out_after_the_client_left_has_the_cookie_cleared() {
    let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY);
    let web = WebSessions::new(sessions, carrier()).unwrap();
    let (cookie, exchange) = (cookie(&web), web.exchange());
    exchange.abandon();
    block_on(exchange.auth([cookie.as_bytes()], []).sign_out()).unwrap();
    let cleared = exchange.reply_now([]).unwrap().set_cookie.unwrap();
    assert!(cleared.contains("Max-Age=0"), "{cleared}");
}

#[test]
fn bounds_are_awaited_once_for_signed_tokens_too() {
    let ring =
        || KeyRing::new(SigningKey::secret("k", Algorithm::Hs256, [7; 32]).unwrap()).unwrap();
    let policy = SessionPolicy::WORKING_DAY;
    let bounds = AskedBounds::default();
    let hybrid = HybridSessions::new(MemoryStore::new(), ring(), policy).unwrap();
    let hybrid = WebSessions::new(hybrid.with_bounds(bounds.clone()), carrier()).unwrap();
    let stateless = JwtSessions::new(ring(), policy).with_bounds(bounds.clone());
    let stateless = WebSessions::new(stateless, carrier()).unwrap();
    for web in [hybrid, stateless] {
        let cookie = cookie(&web);
        bounds.0.store(0, SeqCst);
        assert!(block_on(web.exchange().active([cookie.as_bytes()], [])).is_ok());
        assert!(block_on(web.exchange().peeked([cookie.as_bytes()], [])).is_ok());
        assert_eq!(bounds.0.load(SeqCst), 2);
    }
    let store = Counted::<false> { waits: true, ..Counted::default() };
    let hybrid = HybridSessions::new(store.clone(), ring(), policy).unwrap();
    let web = WebSessions::new(hybrid, carrier()).unwrap();
    let cookie = cookie(&web);
    assert!(block_on(web.exchange().peeked([cookie.as_bytes()], [])).is_ok());
    assert_eq!(store.calls(), [1, 0]);
}

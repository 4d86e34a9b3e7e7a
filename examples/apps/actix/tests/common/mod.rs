//! A server on a socket, with a clock that the test moves and a store that
//! counts and fails.
#![allow(dead_code, reason = "each test program uses a part")]

use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use reqwest::header::{COOKIE, HeaderMap, SET_COOKIE};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use session_policy::jwt::{Algorithm, KeyRing, SigningKey};
use session_policy::store::{AnyStore, Removed, SessionStore, StoreError, Update};
use session_policy::web::SessionCookie;
use session_policy::{ManualClock, MemoryStore, Session, SessionId, Timestamp};
use session_policy_actix_app::server::{self, Sessions};
use session_policy_actix_app::users::Users;

pub(crate) const START: i64 = 1_800_000_000;
pub(crate) const CAP: i64 = 8 * 3_600;
/// How long a superseded token is good beside its successor: the skew of the clocks and
/// 30 s.
pub(crate) const GRACE: i64 = 90;

/// What waits while it is held.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    is_held: AtomicBool,
    waiting: AtomicUsize,
}

impl Gate {
    pub(crate) fn hold(&self, is_held: bool) {
        self.is_held.store(is_held, Ordering::SeqCst);
    }

    pub(crate) async fn until_one_is_held(&self) {
        while self.waiting.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn pass(&self) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        // As over a network: others run in between.
        tokio::time::sleep(Duration::from_millis(1)).await;
        while self.is_held.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A memory store that counts the renewals it writes, and is away on demand.
#[derive(Debug, Default)]
pub(crate) struct Store {
    held: MemoryStore,
    pub(crate) renewals: AtomicUsize,
    pub(crate) sweeps: AtomicUsize,
    /// How many sessions they have removed.
    pub(crate) swept: AtomicU64,
    /// What was read goes through these before it is returned.
    pub(crate) loads: Gate,
    pub(crate) lists: Gate,
    /// Before what is written.
    pub(crate) creates: Gate,
    pub(crate) updates: Gate,
    away: AtomicBool,
}

impl Store {
    pub(crate) fn go_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    fn reach(&self) -> Result<&MemoryStore, StoreError> {
        let away = self.away.load(Ordering::SeqCst);
        if away { Err(StoreError::unavailable("no route to host")) } else { Ok(&self.held) }
    }
}

impl SessionStore for Store {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        self.creates.pass().await;
        self.reach()?.create(session).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        let loaded = self.reach()?.load(id).await;
        self.loads.pass().await;
        loaded
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        self.updates.pass().await;
        let store = self.reach()?;
        let before = store.load(&update.id()).await?;
        let renewed = store.update(update).await?;
        let extends = |before: Session| before.lifetime().renewed_at() < update.renewed_at();
        let counts = renewed && before.is_some_and(extends);
        self.renewals.fetch_add(usize::from(counts), Ordering::SeqCst);
        Ok(renewed)
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        self.reach()?.remove(id).await
    }

    async fn remove_expired(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Removed>, StoreError> {
        self.sweeps.fetch_add(1, Ordering::SeqCst);
        let removed = self.reach()?.remove_expired(before, limit).await?;
        self.swept.fetch_add(removed.len() as u64, Ordering::SeqCst);
        Ok(removed)
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        let listed = self.reach()?.list(subject).await;
        self.lists.pass().await;
        listed
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.reach()?.remove_all(subject, except).await
    }
}

/// The application on a socket.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) clock: ManualClock,
    pub(crate) store: Arc<Store>,
    pub(crate) sessions: Sessions,
    pub(crate) users: Data<Users>,
    pub(crate) cookie_name: &'static str,
    pub(crate) handle: ServerHandle,
    client: Client,
}

pub(crate) fn site() -> Site {
    site_over(SessionCookie::host("session"), "__Host-session")
}

pub(crate) fn site_over(cookie: SessionCookie, cookie_name: &'static str) -> Site {
    log();
    let clock = ManualClock::new(Timestamp::from_unix_secs(START));
    let store = Arc::new(Store::default());
    let ring = KeyRing::new(SigningKey::secret("test", Algorithm::Hs256, [7; 32]).unwrap());
    let (any, policies) = (AnyStore::new(store.clone()), server::policies().unwrap());
    let sessions = server::sessions(any, ring.unwrap(), policies, clock.clone()).unwrap();
    let middleware = server::middleware(sessions.clone(), cookie).unwrap();
    let users = Data::new(Users::seeded());
    let workers = NonZeroUsize::new(2).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = server::serve(listener, middleware, users.clone(), workers).unwrap();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    Site { address, clock, store, sessions, users, cookie_name, handle, client: Client::new() }
}

impl Site {
    /// Sends a request with a cookie (`name=value` pairs, or nothing) and a body.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        cookie: &str,
        headers: &[(&'static str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let mut request = self.client.request(method, format!("http://{}{path}", self.address));
        if !cookie.is_empty() {
            request = request.header(COOKIE, cookie.as_bytes());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        Answer::of(request.send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str, cookie: &str) -> Answer {
        self.send(Method::GET, path, cookie, &[], None).await
    }

    pub(crate) async fn delete(&self, path: &str, cookie: &str) -> Answer {
        self.send(Method::DELETE, path, cookie, &[], None).await
    }

    pub(crate) async fn post(&self, path: &str, cookie: &str) -> Answer {
        self.send(Method::POST, path, cookie, &[], None).await
    }

    pub(crate) async fn login(&self, user: &str, password: &str, cookie: &str) -> Answer {
        let body = json!({ "user": user, "password": password });
        self.send(Method::POST, "/login", cookie, &[], Some(body)).await
    }

    /// Signs `ada` in; the `name=value` of her cookie.
    pub(crate) async fn ada(&self) -> String {
        let answer = self.login("ada", "correct horse", "").await;
        assert_eq!(answer.status, 200, "{:?}", answer.json);
        answer.pair()
    }

    /// A request of `ada`'s with her token after `Bearer`, and a cookie beside it.
    pub(crate) async fn get_as_bearer(&self, path: &str, token: &str, cookie: &str) -> Answer {
        let authorization = format!("Bearer {token}");
        self.send(Method::GET, path, cookie, &[("authorization", &*authorization)], None).await
    }

    /// A cookie of this site with any value.
    pub(crate) fn cookie(&self, value: &str) -> String {
        format!("{}={value}", self.cookie_name)
    }

    pub(crate) fn at(&self, secs: i64) {
        self.clock.set(Timestamp::from_unix_secs(START + secs));
    }
}

/// A response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) json: Value,
}

impl Answer {
    async fn of(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let json = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default();
        Self { status, headers, json }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn set_cookie(&self) -> Option<&str> {
        assert!(self.headers.get_all(SET_COOKIE).iter().count() <= 1);
        self.header("set-cookie")
    }

    pub(crate) fn pair(&self) -> String {
        self.set_cookie().unwrap().split(';').next().unwrap().to_owned()
    }

    /// The status and the reason, after checks of the form.
    pub(crate) fn problem(&self) -> (u16, &str) {
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.json["status"], self.status.as_u16());
        assert_eq!(self.json["type"], "about:blank");
        let mut members: Vec<_> = self.json.as_object().unwrap().keys().collect();
        members.sort_unstable();
        assert_eq!(members, ["reason", "status", "title", "type"]);
        (self.status.as_u16(), self.json["reason"].as_str().unwrap())
    }
}

/// All that this process has logged.
pub(crate) fn log() -> &'static Mutex<Vec<u8>> {
    static LOG: OnceLock<Mutex<Vec<u8>>> = OnceLock::new();
    LOG.get_or_init(|| {
        let subscriber = tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE);
        subscriber.with_writer(|| Writer).init();
        Mutex::default()
    })
}

struct Writer;

impl std::io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        log().lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

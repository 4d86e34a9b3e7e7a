//! An application with a route per argument and verb, and a client of it.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};

use axum::Router;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use axum::http::{HeaderValue, Request};
use axum::response::Response;
use axum::routing::get;
use http_body_util::BodyExt;
use session_policy::jwt::{Algorithm, HybridSessions, JwtSessions, KeyRing, SigningKey};
use session_policy::store::{Removed, SessionStore, StoreError, Update};
use session_policy::web::{
    Active, Auth, Fresh, Peeked, Refused, SessionCookie, SessionLayer, require,
};
use session_policy::{
    Clock, ManualClock, MemoryStore, Session, SessionId, SessionPolicy, Sessions, SystemClock,
    Timestamp,
};
use tower::ServiceExt;

/// Each route is named after what it asks for.
pub(crate) fn routes() -> Router {
    let subject = async |active: Active| active.session.subject().to_owned();
    Router::new()
        .route("/me", get(subject))
        .route("/group", get(subject))
        .route_layer(require())
        .route("/in", get(async |auth: Auth| auth.sign_in("ada").await.map(drop)))
        .route(
            "/bearer",
            get(async |auth: Auth| {
                let started = auth.sign_in_bearer("ada").await?;
                Ok::<_, Refused>(started.token.as_ref().unwrap().expose().to_owned())
            }),
        )
        .route("/out", get(async |auth: Auth| auth.sign_out().await))
        .route("/rotate", get(async |auth: Auth| auth.rotate().await.map(drop)))
        .route("/peeked", get(async |peeked: Peeked| peeked.session.subject().to_owned()))
        .route("/maybe", get(async |active: Option<Active>| active.is_some().to_string()))
        .route("/fresh", get(async |fresh: Fresh<900>| fresh.session.subject().to_owned()))
        .route("/none", get(async || "none"))
        .route(
            "/list",
            get(async |auth: Auth| auth.list().await.map(|list| list.len().to_string())),
        )
        .route(
            "/end-others",
            get(async |auth: Auth| auth.end_others().await.map(|ended| ended.to_string())),
        )
        .route(
            "/end-own",
            get(async |auth: Auth| {
                let id = auth.peeked().await?.session.id();
                auth.end(&id).await.map(|ended| ended.to_string())
            }),
        )
}

/// The application over a kind of sessions.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) app: Router,
    pub(crate) clock: ManualClock,
}

pub(crate) fn ring() -> KeyRing {
    KeyRing::new(SigningKey::secret("spring", Algorithm::Hs256, [1; 32]).unwrap()).unwrap()
}

pub(crate) fn kinds() -> [Kind; 3] {
    kinds_under(SessionPolicy::WORKING_DAY)
}

pub(crate) fn kinds_under(policy: SessionPolicy) -> [Kind; 3] {
    let cookie = || SessionCookie::host("session");
    let clocks = [(); 3].map(|()| ManualClock::new(SystemClock.now()));
    let [one, two, three] = clocks.clone();
    let opaque = Sessions::new(MemoryStore::new(), policy).with_clock(one);
    let hybrid = HybridSessions::new(MemoryStore::new(), ring(), policy).unwrap().with_clock(two);
    let stateless = JwtSessions::new(ring(), policy).with_clock(three);
    let apps = [
        ("opaque", routes().layer(SessionLayer::new(opaque, cookie()).unwrap())),
        ("hybrid", routes().layer(SessionLayer::new(hybrid, cookie()).unwrap())),
        ("stateless", routes().layer(SessionLayer::new(stateless, cookie()).unwrap())),
    ];
    let mut clocks = clocks.into_iter();
    apps.map(|(name, app)| Kind { name, app, clock: clocks.next().unwrap() })
}

/// Lets what was spawned run to its end.
pub(crate) async fn settle() {
    yield_often(50).await;
}

pub(crate) async fn yield_often(times: u32) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

#[derive(Clone)]
pub(crate) struct Client<'a> {
    app: &'a Router,
    cookie: String,
    authorization: String,
}

impl<'a> Client<'a> {
    pub(crate) fn new(app: &'a Router) -> Self {
        Self { app, cookie: String::new(), authorization: String::new() }
    }

    /// The same client with this header `Cookie`.
    pub(crate) fn with(&self, cookie: &str) -> Self {
        Self { cookie: cookie.to_owned(), ..self.clone() }
    }

    /// The same client with this header `Authorization`.
    pub(crate) fn bearer(&self, authorization: &str) -> Self {
        Self { authorization: authorization.to_owned(), ..self.clone() }
    }

    pub(crate) fn get(&self, path: &str) -> impl Future<Output = Response> + use<> {
        let mut request = Request::get(path);
        for (name, value) in [(COOKIE, &self.cookie), (AUTHORIZATION, &self.authorization)] {
            if !value.is_empty() {
                request = request.header(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
        }
        let answer = self.app.clone().oneshot(request.body(Body::empty()).unwrap());
        async { answer.await.unwrap() }
    }
}

pub(crate) fn cookies(answer: &Response) -> Vec<String> {
    let all = answer.headers().get_all(SET_COOKIE).iter();
    all.map(|cookie| cookie.to_str().unwrap().to_owned()).collect()
}

/// The name and the value of the only cookie.
pub(crate) fn pair(answer: &Response) -> String {
    let cookies = cookies(answer);
    assert_eq!(cookies.len(), 1, "{} {cookies:?}", answer.status());
    cookies[0].split(';').next().unwrap().to_owned()
}

pub(crate) async fn text(answer: Response) -> String {
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A store that counts its calls, and fails or lets others run when it is told to.
#[derive(Clone, Default)]
pub(crate) struct Faulty {
    pub(crate) store: Arc<MemoryStore>,
    fails: Arc<AtomicBool>,
    yields: Arc<AtomicBool>,
    calls: Arc<AtomicU32>,
}

impl Faulty {
    pub(crate) fn fail(&self, fails: bool) {
        self.fails.store(fails, SeqCst);
    }

    pub(crate) fn yields(&self, yields: bool) {
        self.yields.store(yields, SeqCst);
    }

    /// How often it was called since it was last asked.
    pub(crate) fn calls(&self) -> u32 {
        self.calls.swap(0, SeqCst)
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.calls.fetch_add(1, SeqCst);
        if self.yields.load(SeqCst) {
            tokio::task::yield_now().await;
        }
        if self.fails.load(SeqCst) { Err(StoreError::unavailable("away")) } else { Ok(()) }
    }
}

impl SessionStore for Faulty {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        self.check().await?;
        self.store.create(session).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        self.check().await?;
        self.store.load(id).await
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        self.check().await?;
        self.store.update(update).await
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        self.check().await?;
        self.store.remove(id).await
    }

    async fn remove_expired(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Removed>, StoreError> {
        self.check().await?;
        self.store.remove_expired(before, limit).await
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        self.check().await?;
        self.store.list(subject).await
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.check().await?;
        self.store.remove_all(subject, except).await
    }
}

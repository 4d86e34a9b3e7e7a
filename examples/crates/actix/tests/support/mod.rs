//! An application with a route per argument and verb, and a client of it.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use actix_http::Request;
use actix_web::body::{EitherBody, to_bytes};
use actix_web::cookie::Cookie;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use actix_web::test::{TestRequest, init_service};
use actix_web::web::{self, Path, ServiceConfig};
use actix_web::{App, Error, HttpResponse, rt};
use session_policy::jwt::{Algorithm, HybridSessions, JwtSessions, KeyRing, SigningKey};
use session_policy::store::{Removed, SessionStore, StoreError, Update};
use session_policy::web::{Bearer, Carrier, SessionCookie};
use session_policy::{
    Clock, ManualClock, MemoryStore, Session, SessionId, SessionPolicy, Sessions, SystemClock,
    Timestamp,
};
use session_policy_actix::{
    Active, Auth, Fresh, Maybe, Peeked, Refused, SessionMiddleware, require,
};

/// Each route is named after what it asks for.
pub(crate) fn routes(config: &mut ServiceConfig) {
    let subject = async |active: Active| active.session.subject().to_owned();
    let get = |path: &str| web::resource(path.to_owned());
    config
        .service(get("/me").get(subject))
        .service(get("/id").get(async |active: Active| active.session.id().to_string()))
        .service(get("/group").get(subject).wrap(require()))
        .service(
            get("/in")
                .get(async |auth: Auth| auth.sign_in("ada").await.map(|_| HttpResponse::Ok())),
        )
        .service(get("/bearer").get(async |auth: Auth| {
            let started = auth.sign_in_bearer("ada").await?;
            Ok::<_, Refused>(started.token.as_ref().unwrap().expose().to_owned())
        }))
        .service(
            get("/out").get(async |auth: Auth| auth.sign_out().await.map(|()| HttpResponse::Ok())),
        )
        .service(
            get("/rotate").get(async |auth: Auth| auth.rotate().await.map(|_| HttpResponse::Ok())),
        )
        .service(
            get("/list")
                .get(async |auth: Auth| Ok::<_, Refused>(auth.list().await?.len().to_string())),
        )
        .service(get("/end/{id}").get(async |auth: Auth, id: Path<SessionId>| {
            Ok::<_, Refused>(auth.end(&id).await?.to_string())
        }))
        .service(
            get("/end_others")
                .get(async |auth: Auth| Ok::<_, Refused>(auth.end_others().await?.to_string())),
        )
        .service(get("/peeked").get(async |peeked: Peeked| peeked.session.subject().to_owned()))
        .service(get("/maybe").get(async |active: Maybe<Active>| active.is_some().to_string()))
        .service(
            get("/maybe_peeked").get(async |peeked: Maybe<Peeked>| peeked.is_some().to_string()),
        )
        .service(get("/fresh").get(async |fresh: Fresh<900>| fresh.session.subject().to_owned()))
        .service(get("/none").get(async || "none"))
        .service(get("/own/{name}").get(async |auth: Auth, name: Path<String>| {
            auth.sign_in("ada").await?;
            let own = Cookie::new(name.into_inner(), "own");
            Ok::<_, Refused>(HttpResponse::Ok().cookie(own).finish())
        }))
        .service(get("/own_active/{name}").get(async |_: Active, name: Path<String>| {
            HttpResponse::Ok().cookie(Cookie::new(name.into_inner(), "own")).finish()
        }))
        .service(get("/public").get(async |_: Maybe<Active>| {
            HttpResponse::Ok().insert_header(("cache-control", "max-age=60")).finish()
        }));
}

/// 30 minutes idle, a renewal at most every 5 minutes, 8 hours in all.
pub(crate) fn policy() -> SessionPolicy {
    let minutes = chrono::TimeDelta::minutes;
    SessionPolicy::new(minutes(30), minutes(5), minutes(480)).unwrap()
}

pub(crate) fn carrier() -> Carrier {
    let bearer = Bearer::new().reissued_in("x-session-token");
    Carrier::either(SessionCookie::host("session"), bearer)
}

fn ring() -> KeyRing {
    KeyRing::new(SigningKey::secret("spring", Algorithm::Hs256, [1; 32]).unwrap()).unwrap()
}

/// A kind of sessions. A clone has the same sessions, clock and store.
#[derive(Clone)]
pub(crate) struct Kind {
    pub(crate) sessions: AnySessions,
    pub(crate) clock: ManualClock,
    pub(crate) store: Faulty,
}

#[derive(Clone)]
pub(crate) enum AnySessions {
    Hybrid(HybridSessions<Faulty>),
    Opaque(Sessions<Faulty>),
    Stateless(JwtSessions),
}

/// What takes sessions of any kind.
#[macro_export]
macro_rules! with_sessions {
    ($kind:expr, $sessions:ident => $made:expr) => {
        match $kind.sessions.clone() {
            $crate::support::AnySessions::Hybrid($sessions) => $made,
            $crate::support::AnySessions::Opaque($sessions) => $made,
            $crate::support::AnySessions::Stateless($sessions) => $made,
        }
    };
}

impl Kind {
    pub(crate) fn all() -> [Self; 3] {
        [Self::opaque(), Self::hybrid(), Self::stateless()]
    }

    fn new(sessions: impl FnOnce(Faulty, ManualClock) -> AnySessions) -> Self {
        let (clock, store) = (ManualClock::new(SystemClock.now()), Faulty::default());
        Self { sessions: sessions(store.clone(), clock.clone()), clock, store }
    }

    pub(crate) fn opaque() -> Self {
        Self::new(|store, clock| {
            AnySessions::Opaque(Sessions::new(store, policy()).with_clock(clock))
        })
    }

    pub(crate) fn hybrid() -> Self {
        Self::new(|store, clock| {
            let hybrid = HybridSessions::new(store, ring(), policy()).unwrap();
            AnySessions::Hybrid(hybrid.with_clock(clock))
        })
    }

    pub(crate) fn stateless() -> Self {
        Self::new(|_, clock| {
            AnySessions::Stateless(JwtSessions::new(ring(), policy()).with_clock(clock))
        })
    }

    pub(crate) fn name(&self) -> &'static str {
        match self.sessions {
            AnySessions::Hybrid(_) => "hybrid",
            AnySessions::Opaque(_) => "opaque",
            AnySessions::Stateless(_) => "stateless",
        }
    }

    pub(crate) fn has_rows(&self) -> bool {
        self.name() != "stateless"
    }

    pub(crate) fn middleware(&self) -> SessionMiddleware {
        with_sessions!(self, sessions => SessionMiddleware::new(sessions, carrier())).unwrap()
    }

    pub(crate) async fn client(&self) -> Client<impl Site + use<>> {
        client(self.middleware()).await
    }
}

/// A client of the routes with this middleware.
pub(crate) async fn client(middleware: SessionMiddleware) -> Client<impl Site + use<>> {
    Client::new(init_service(App::new().configure(routes).wrap(middleware)).await)
}

/// Whatever `init_service` makes.
pub(crate) trait Site:
    Service<Request, Response = ServiceResponse<EitherBody<actix_web::body::BoxBody>>, Error = Error>
{
}

impl<S> Site for S where
    S: Service<
            Request,
            Response = ServiceResponse<EitherBody<actix_web::body::BoxBody>>,
            Error = Error,
        >
{
}

pub(crate) struct Client<S> {
    site: std::rc::Rc<S>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl<S: Site> Client<S> {
    pub(crate) fn new(site: S) -> Self {
        Self { site: std::rc::Rc::new(site), headers: Vec::new() }
    }

    /// The same client with this header, too.
    pub(crate) fn with(&self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        self.with_all(&[(name, value.as_ref().to_vec())])
    }

    pub(crate) fn with_all(&self, headers: &[(&'static str, Vec<u8>)]) -> Self {
        let more = headers.iter().map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap())
        });
        let headers = self.headers.iter().cloned().chain(more).collect();
        Self { site: self.site.clone(), headers }
    }

    pub(crate) fn cookie(&self, cookie: impl AsRef<[u8]>) -> Self {
        self.with("cookie", cookie)
    }

    /// The call as the server makes it, to be dropped where a client would hang up.
    pub(crate) fn call(&self, path: &str) -> S::Future {
        let mut request = TestRequest::get().uri(path);
        for header in &self.headers {
            request = request.append_header(header.clone());
        }
        self.site.call(request.to_request())
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        match self.call(path).await {
            Ok(response) => Answer::of(response.into_parts().1.map_into_boxed_body()).await,
            Err(error) => Answer::of(error.error_response()).await,
        }
    }

    /// Signs in; the name and the value of the cookie.
    pub(crate) async fn sign_in(&self) -> String {
        self.get("/in").await.pair()
    }
}

/// A response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn of(response: HttpResponse) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = to_bytes(response.into_body()).await.unwrap();
        Self { status, headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    /// The only one of the name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        assert!(self.headers.get_all(name).count() <= 1, "{name}");
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn cookies(&self) -> Vec<&str> {
        self.headers.get_all(SET_COOKIE).map(|cookie| cookie.to_str().unwrap()).collect()
    }

    /// The name and the value of the only cookie.
    pub(crate) fn pair(&self) -> String {
        let cookies = self.cookies();
        assert_eq!(cookies.len(), 1, "{self:?}");
        cookies[0].split(';').next().unwrap().to_owned()
    }

    /// The member `reason` of problem details.
    pub(crate) fn reason(&self) -> &str {
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        self.body.split_once(r#""reason":""#).unwrap().1.split('"').next().unwrap()
    }
}

/// A store that fails when it is told to, and answers as over a network: not at once.
#[derive(Clone, Default)]
pub(crate) struct Faulty {
    store: Arc<MemoryStore>,
    fails: Arc<AtomicBool>,
}

impl Faulty {
    pub(crate) fn fail(&self, fails: bool) {
        self.fails.store(fails, SeqCst);
    }

    pub(crate) async fn count(&self) -> usize {
        self.store.list("ada").await.unwrap().len()
    }

    pub(crate) async fn clear(&self) {
        self.store.remove_all("ada", None).await.unwrap();
    }

    async fn reach(&self) -> Result<&MemoryStore, StoreError> {
        rt::task::yield_now().await;
        let fails = self.fails.load(SeqCst);
        if fails { Err(StoreError::unavailable("away")) } else { Ok(&self.store) }
    }
}

impl SessionStore for Faulty {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        self.reach().await?.create(session).await?;
        rt::task::yield_now().await;
        Ok(())
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        self.reach().await?.load(id).await
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        self.reach().await?.update(update).await
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        self.reach().await?.remove(id).await
    }

    async fn remove_expired(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Removed>, StoreError> {
        self.reach().await?.remove_expired(before, limit).await
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        self.reach().await?.list(subject).await
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.reach().await?.remove_all(subject, except).await
    }
}

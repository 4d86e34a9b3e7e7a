//! The protected route in axum, protected by one thing or another.

mod axum_session;
mod bare;
mod floor;
mod session_policy;
mod tower_sessions;

use std::sync::Arc;

use ::session_policy::{MemoryStore, SystemClock};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderValue, Request, Uri};
use axum::response::Response;
use futures_util::FutureExt;
use tower_service::Service;

use crate::app::{Answer, App, Caller, forged};
use crate::traffic::{CountedStore, Traffic};

/// Every application, and what protects it. The first is protected by nothing.
#[must_use]
pub fn apps() -> Vec<App> {
    let store = ::tower_sessions::MemoryStore::default;
    vec![
        bare::app(),
        floor::app(),
        session_policy::app(MemoryStore::new(), Arc::default(), SystemClock),
        tower_sessions::sliding(store(), Arc::default()),
        tower_sessions::read_only(store(), Arc::default()),
        axum_session::app(),
    ]
}

/// A route that asks for no session, behind what protects the others.
#[must_use]
pub fn open_routes() -> Vec<App> {
    vec![
        bare::app(),
        bare::behind_an_extension(),
        bare::behind_an_extension_and_allocations(),
        session_policy::asks_for_nothing(),
        tower_sessions::asks_for_nothing(),
    ]
}

/// The peers that have a store, with a count of what goes to it.
#[must_use]
pub fn counted_peers() -> Vec<App> {
    let counted = tower_sessions::CountedStore::default;
    let (sliding, read_only) = (counted(), counted());
    let (seen_sliding, seen_read_only) = (sliding.traffic(), read_only.traffic());
    vec![
        tower_sessions::sliding(sliding, seen_sliding),
        tower_sessions::read_only(read_only, seen_read_only),
        axum_session::app(),
        axum_session::app_asked_each_minute(),
    ]
}

/// Ours, with a count of what goes to its store.
#[must_use]
pub fn counted_ours(clock: ::session_policy::ManualClock) -> App {
    let traffic = Arc::new(Traffic::default());
    let store = CountedStore::new(Arc::clone(&traffic));
    session_policy::app(store, traffic, clock)
}

/// A user's browser, for requests that overlap.
#[derive(Clone, Debug)]
pub struct Browser {
    router: Router,
    cookie: HeaderValue,
}

impl Browser {
    /// One that has signed in to ours, by `clock`, over a store whose reads take
    /// time.
    #[must_use]
    pub fn of_ours(traffic: Arc<Traffic>, clock: ::session_policy::ManualClock) -> Self {
        let store = CountedStore::remote(traffic);
        let router = session_policy::router(store, clock);
        let mut router = router.with_state(());
        let cookie = header(&sign_in(&mut router));
        Self { router, cookie }
    }

    /// Asks for the protected route; how many cookies the answer sets.
    ///
    /// # Panics
    ///
    /// If the user is not served.
    pub async fn ask(&self) -> usize {
        let request = request(Uri::from_static("/me"), Some(self.cookie.clone()));
        let Ok(response) = self.router.clone().call(request).await;
        assert_eq!(response.status(), 200);
        response.headers().get_all(SET_COOKIE).iter().count()
    }
}

fn app(name: &'static str, traffic: Arc<Traffic>, router: Router) -> App {
    // As `axum::serve` does, so that no layer is put on anew for each request.
    let mut router = router.with_state(());
    let cookie = sign_in(&mut router);
    let (forged, cookie) = (header(&forged(&cookie)), header(&cookie));
    let uri = Uri::from_static("/me");
    App::new(name, traffic, move |caller| {
        let cookie = match caller {
            Caller::Forger => Some(forged.clone()),
            Caller::SignedIn => Some(cookie.clone()),
            Caller::Stranger => None,
        };
        answer(call(&mut router, request(uri.clone(), cookie)))
    })
}

/// An application whose route is open to everybody.
fn open(name: &'static str, router: Router) -> App {
    let mut router = router.with_state(());
    let uri = Uri::from_static("/me");
    App::new(name, Arc::default(), move |_| answer(call(&mut router, request(uri.clone(), None))))
}

/// What the cookies that the route `/sign-in` sets make of the next request.
fn sign_in(router: &mut Router) -> String {
    let response = call(router, request(Uri::from_static("/sign-in"), None));
    let cookies = response.headers().get_all(SET_COOKIE).iter();
    let pairs = cookies.filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
    pairs.collect::<Vec<_>>().join("; ")
}

fn request(uri: Uri, cookie: Option<HeaderValue>) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = uri;
    if let Some(cookie) = cookie {
        request.headers_mut().insert(COOKIE, cookie);
    }
    request
}

fn call(router: &mut Router, request: Request<Body>) -> Response {
    let answered = router.call(request).now_or_never();
    let Ok(response) = answered.unwrap_or_else(|| unreachable!("all stores are in memory"));
    response
}

fn answer(response: Response) -> Answer {
    let status = response.status().as_u16();
    let cookies = response.headers().get_all(SET_COOKIE).iter().count();
    let body = to_bytes(response.into_body(), 1_024).now_or_never().and_then(Result::ok);
    Answer { status, body: body.unwrap_or_default().into(), cookies }
}

fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| unreachable!("a cookie is visible ASCII"))
}

//! The protected route in actix-web, protected by one thing or another.

mod bare;
mod floor;
mod hybrid;
mod identity;
mod opaque;
mod session;
mod store;

use std::sync::Arc;

use ::session_policy::web::{SessionCookie, Strategy};
use ::session_policy::{ManualClock, MemoryStore, NoClaims, SystemClock};
use ::session_policy_actix::{Active, Auth, SessionMiddleware};
use actix_http::Request;
use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::header::{COOKIE, HeaderValue, SET_COOKIE};
use actix_web::test::TestRequest;
use actix_web::{Error, test, web};
use futures_util::FutureExt;

use self::store::Memory;
use crate::app::{Answer, App, Caller, SUBJECT, forged, greet};
use crate::traffic::{CountedStore, Traffic};

/// Every application, and what protects it. The first is protected by nothing.
#[must_use]
pub fn apps() -> Vec<App> {
    vec![
        bare::app(),
        floor::app(),
        opaque::app(MemoryStore::new(), Arc::default(), SystemClock),
        hybrid::app(MemoryStore::new(), Arc::default(), SystemClock),
        session::app(Memory::default()),
        identity::app(Memory::default()),
    ]
}

/// The peers, with a count of what goes to their store.
#[must_use]
pub fn counted_peers() -> Vec<App> {
    vec![session::app(Memory::default()), identity::app(Memory::default())]
}

/// Ours with opaque tokens, with a count of what goes to its store.
#[must_use]
pub fn counted_opaque(clock: ManualClock) -> App {
    let traffic = Arc::new(Traffic::default());
    let store = CountedStore::new(Arc::clone(&traffic));
    opaque::app(store, traffic, clock)
}

/// Ours with signed tokens, with a count of what goes to its store.
#[must_use]
pub fn counted_hybrid(clock: ManualClock) -> App {
    let traffic = Arc::new(Traffic::default());
    let store = CountedStore::new(Arc::clone(&traffic));
    hybrid::app(store, traffic, clock)
}

/// Ours, over a kind of sessions.
fn ours(
    name: &'static str,
    traffic: Arc<Traffic>,
    sessions: impl Strategy<Claims = NoClaims>,
) -> App {
    let middleware = SessionMiddleware::new(sessions, SessionCookie::host("session"));
    let middleware = middleware.unwrap_or_else(|error| unreachable!("{error}"));
    let page = async |active: Active| greet(active.session.subject());
    let sign_in = async |auth: Auth| auth.sign_in(SUBJECT).await.map(|_| "");
    let actix = actix_web::App::new()
        .route("/me", web::get().to(page))
        .route("/sign-in", web::get().to(sign_in))
        .wrap(middleware);
    app(name, traffic, ready(test::init_service(actix)))
}

fn app<B: MessageBody + 'static>(
    name: &'static str,
    traffic: Arc<Traffic>,
    service: impl Service<Request, Response = ServiceResponse<B>, Error = Error> + 'static,
) -> App {
    // The cookie of the last answer that set one, as a browser keeps it.
    let (_, cookie) = call(&service, "/sign-in", None);
    let cookie = cookie.unwrap_or_default();
    let forged = header(&forged(&cookie));
    let mut cookie = header(&cookie);
    App::new(name, traffic, move |caller| {
        let sent = match caller {
            Caller::Forger => Some(forged.clone()),
            Caller::SignedIn => Some(cookie.clone()),
            Caller::Stranger => None,
        };
        let (answer, renewed) = call(&service, "/me", sent);
        if let (Caller::SignedIn, Some(renewed)) = (caller, renewed) {
            cookie = header(&renewed);
        }
        answer
    })
}

/// The answer, and what its cookies make of the next request.
fn call<B: MessageBody + 'static>(
    service: &impl Service<Request, Response = ServiceResponse<B>, Error = Error>,
    path: &str,
    cookie: Option<HeaderValue>,
) -> (Answer, Option<String>) {
    let mut request = TestRequest::get().uri(path);
    if let Some(cookie) = cookie {
        request = request.insert_header((COOKIE, cookie));
    }
    let response = match service.call(request.to_request()).now_or_never() {
        Some(Ok(response)) => response.map_into_boxed_body().into_parts().1,
        Some(Err(error)) => error.error_response(),
        None => unreachable!("all stores are in memory"),
    };
    let status = response.status().as_u16();
    let cookies = response.headers().get_all(SET_COOKIE);
    let mut pairs = cookies.filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
    let set = pairs.next().map(str::to_owned);
    let cookies = response.headers().get_all(SET_COOKIE).count();
    let body = to_bytes(response.into_body()).now_or_never().and_then(Result::ok);
    (Answer { status, body: body.unwrap_or_default().into(), cookies }, set)
}

/// A service that is in memory is made at once.
fn ready<T>(made: impl Future<Output = T>) -> T {
    made.now_or_never().unwrap_or_else(|| unreachable!("nothing has to be waited for"))
}

fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| unreachable!("a cookie is visible ASCII"))
}

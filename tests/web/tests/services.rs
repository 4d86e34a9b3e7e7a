//! Other services than axum's: tonic's bodies, plain hyper, and tower's buffer; and what the
//! layer costs.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use allocation_counter::measure;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use axum::http::{Request, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::service::TowerToHyperService;
use session_policy::jwt::{Algorithm, HybridSessions, JwtSessions, KeyRing, SigningKey};
use session_policy::web::{Active, Auth, Bearer, SessionCookie, SessionLayer, require};
use session_policy::{MemoryStore, NoClaims, SessionPolicy, SessionToken, Sessions};
use tower::buffer::Buffer;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

fn sessions() -> Sessions<MemoryStore> {
    Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY)
}

/// A method behind `require()`, as tonic's server calls it.
#[tokio::test]
async fn a_grpc_method_is_served_and_refused_in_its_own_way() {
    let sessions = sessions();
    let started = sessions.start("ada").await.unwrap();
    let refuse = |refused: &session_policy::web::Refused| {
        let status = match refused.status() {
            401 => tonic::Status::unauthenticated(refused.as_str()),
            503 => tonic::Status::unavailable(refused.as_str()),
            _ => tonic::Status::internal(refused.as_str()),
        };
        status.into_http::<tonic::body::Body>()
    };
    let layer = SessionLayer::new(sessions, Bearer::new()).unwrap().on_refusal(refuse);
    let method = service_fn(|request: Request<tonic::body::Body>| async move {
        let auth: Auth = Auth::of_request(&request).unwrap();
        let subject = auth.active().await.unwrap().session.subject().to_owned();
        let mut response = Response::new(tonic::body::Body::empty());
        response.headers_mut().insert("subject", subject.parse().unwrap());
        response.headers_mut().insert("grpc-status", "0".parse().unwrap());
        Ok::<_, Infallible>(response)
    });
    let service = ServiceBuilder::new().layer(layer).layer(require()).service(method);
    for (token, code, subject) in [(started.token.expose(), "0", Some("ada")), ("junk", "16", None)]
    {
        let request =
            Request::post("/shop.Shop/Buy").header(AUTHORIZATION, format!("Bearer {token}"));
        let request = request.body(tonic::body::Body::empty()).unwrap();
        let answer = service.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["grpc-status"], code);
        assert_eq!(answer.headers().get("subject").map(|it| it.to_str().unwrap()), subject);
        let content_type = answer.headers().get("content-type").map(|it| it.to_str().unwrap());
        assert_eq!(content_type, subject.is_none().then_some("application/grpc"));
    }
}

type Plain = Response<Full<Bytes>>;

async fn plain(request: Request<Full<Bytes>>) -> Result<Plain, Infallible> {
    let auth: Auth = Auth::of_request(&request).unwrap();
    let done = match request.uri().path() {
        "/in" => auth.sign_in("ada").await.map(|_| "in".to_owned()),
        "/out" => auth.sign_out().await.map(|()| "out".to_owned()),
        _ => auth.active().await.map(|active| active.session.subject().to_owned()),
    };
    // Without extractors the handler writes the answer itself.
    Ok(done.map_or_else(|refused| refused.response(), |text| Response::new(Full::from(text))))
}

async fn text(answer: Plain) -> String {
    String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

fn ask(path: &str, cookie: &str) -> Request<Full<Bytes>> {
    Request::get(path).header(COOKIE, cookie).body(Full::default()).unwrap()
}

#[tokio::test]
async fn a_plain_hyper_service_signs_in_and_out() {
    let layer = SessionLayer::new(sessions(), SessionCookie::loopback("session")).unwrap();
    let service = TowerToHyperService::new(layer.layer(service_fn(plain)));
    let ask = |path, cookie: &str| hyper::service::Service::call(&service, ask(path, cookie));
    let answer = ask("/in", "").await.unwrap();
    let set = answer.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    let mine = set.split(';').next().unwrap();
    assert_eq!(text(ask("/me", mine).await.unwrap()).await, "ada");
    let refused = ask("/me", "").await.unwrap();
    assert_eq!(
        (refused.status().as_u16(), text(refused).await.contains("no_session")),
        (401, true)
    );
    assert_eq!(text(ask("/out", mine).await.unwrap()).await, "out");
    assert_eq!(ask("/me", mine).await.unwrap().status(), 401);
}

#[test]
fn without_a_layer_the_refusal_says_of_which_request() {
    let request = Request::post("/me?a=b").body(()).unwrap();
    let refused = <Auth>::of_request(&request).unwrap_err();
    let head = refused.request().unwrap();
    assert_eq!((&*head.method, &*head.path), ("POST", "/me?a=b"));
}

/// A service that is ready once, and must be called on the clone that was: a buffer panics
/// else.
#[tokio::test]
async fn it_goes_through_a_buffer() {
    let sessions = sessions();
    let started = sessions.start("ada").await.unwrap();
    let mine = format!("session={}", started.token.expose());
    let layer = SessionLayer::new(sessions, SessionCookie::loopback("session")).unwrap();
    let inside = Buffer::new(service_fn(plain), 1);
    let inside = ServiceBuilder::new().layer(layer).layer(require()).service(inside);
    let mut outside = Buffer::new(inside, 1);
    for _ in 0..4 {
        for (cookie, status) in [("", 401), (&*mine, 200)] {
            let answer = outside.ready().await.unwrap().call(ask("/me", cookie)).await.unwrap();
            assert_eq!(answer.status(), status);
        }
    }
    let answer = outside.ready().await.unwrap().call(ask("/in", &mine)).await.unwrap();
    assert!(answer.headers().contains_key(SET_COOKIE));
}

/// A future that waits for nothing.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing is waited for"),
    }
}

/// How often a service allocates for a request with this cookie, but for the first.
fn allocations(service: &mut dyn FnMut(Request<Body>), cookie: &str) -> u64 {
    let [_, one, two] = [(); 3].map(|()| {
        let request = Request::get("/me?a=b").header(COOKIE, cookie).body(Body::empty());
        let mut request = Some(request.unwrap());
        // As hyper has it: the text of the URI is shared with the rest of the head.
        let _shared = request.as_ref().map(|request| request.uri().clone());
        measure(|| service(black_box(request.take().unwrap()))).count_total
    });
    assert_eq!(one, two);
    two
}

/// How often the layer allocates around a service that asks for nothing, around one that
/// asks for the session, and around one that requires it.
fn around(layer: &SessionLayer<NoClaims>, token: &SessionToken) -> [u64; 3] {
    let mine = format!("a=b; __Host-session={}", token.expose());
    let nothing = |_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::empty())) };
    let active = |mut request: Request<Body>| async move {
        use axum::extract::FromRequestParts;
        let (mut parts, _) = std::mem::take(&mut request).into_parts();
        Active::<NoClaims>::from_request_parts(&mut parts, &()).await.unwrap();
        Ok::<_, Infallible>(Response::new(Body::empty()))
    };
    let mut bare = service_fn(nothing);
    assert_eq!(allocations(&mut |request| drop(now(bare.call(request))), &mine), 0);
    let mut around_nothing = layer.layer(service_fn(nothing));
    let mut around_active = layer.layer(service_fn(active));
    let mut required = layer.layer(require().layer(service_fn(nothing)));
    [
        allocations(&mut |request| drop(now(around_nothing.call(request))), &mine),
        allocations(&mut |request| drop(now(around_active.call(request))), &mine),
        allocations(&mut |request| drop(now(required.call(request))), &mine),
    ]
}

/// No future is boxed for a session that is there at once, of whichever kind.
#[test]
fn a_request_allocates_as_often_as_it_does_today() {
    let cookie = || SessionCookie::host("session");
    let policy = SessionPolicy::WORKING_DAY;
    let key = || SigningKey::secret("k", Algorithm::Hs256, [7; 32]).unwrap();
    let ring = || KeyRing::new(key()).unwrap();
    let opaque = sessions();
    let started = now(opaque.start("ada")).unwrap();
    let layer = SessionLayer::new(opaque, cookie()).unwrap();
    assert_eq!(around(&layer, &started.token), [4, 7, 8]);
    let signed: JwtSessions = JwtSessions::new(ring(), policy);
    let started = now(signed.start("ada")).unwrap();
    let layer = SessionLayer::new(signed, cookie()).unwrap();
    assert_eq!(around(&layer, &started.token), [4, 9, 10]);
    let hybrid = HybridSessions::new(MemoryStore::new(), ring(), policy).unwrap();
    let started = now(hybrid.start("ada")).unwrap();
    let layer = SessionLayer::new(hybrid, cookie()).unwrap();
    assert_eq!(around(&layer, &started.token), [4, 8, 9]);
}

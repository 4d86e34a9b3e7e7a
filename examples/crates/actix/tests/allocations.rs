//! What a session costs a route, in allocations above the same route without the middleware.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use actix_http::Request;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::header::{COOKIE, SET_COOKIE};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Error, web};
use futures_util::FutureExt;
use session_policy::web::SessionCookie;
use session_policy::{MemoryStore, SessionPolicy, Sessions};
use session_policy_actix::{Active, Auth, SessionMiddleware};

fn count<B: MessageBody>(
    site: &impl Service<Request, Response = ServiceResponse<B>, Error = Error>,
    path: &str,
    cookie: &str,
) -> u64 {
    let mut last = 0;
    // The first ones fill actix-web's pools.
    for _ in 0..5 {
        let request = TestRequest::get().uri(path).insert_header((COOKIE, cookie)).to_request();
        let counted = allocation_counter::measure(|| {
            let answer = site.call(request).now_or_never().unwrap().unwrap();
            assert_eq!(answer.status(), 200);
        });
        last = counted.count_total;
    }
    last
}

#[actix_web::test]
async fn a_route_that_asks_for_no_session_pays_for_one_extension() {
    let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY);
    let middleware = SessionMiddleware::new(sessions, SessionCookie::host("session")).unwrap();
    let bare = init_service(App::new().route("/none", web::get().to(async || ""))).await;
    let app = App::new()
        .route("/none", web::get().to(async || ""))
        .route("/me", web::get().to(async |_: Active| ""))
        .route("/in", web::get().to(async |auth: Auth| auth.sign_in("ada").await.map(|_| "")));
    let ours = init_service(app.wrap(middleware)).await;
    let signed_in = ours.call(TestRequest::get().uri("/in").to_request()).await.unwrap();
    let cookie = signed_in.headers().get(SET_COOKIE).unwrap().to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let floor = count(&bare, "/none", cookie);
    // What the request and its answer share, and the extension that holds it.
    assert_eq!(count(&ours, "/none", cookie) - floor, 2);
    // And the session that the handler is given.
    assert_eq!(count(&ours, "/me", cookie) - floor, 3);
}

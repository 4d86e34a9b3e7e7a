use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::error::ErrorUnauthorized;
use actix_web::http::header::{COOKIE, CacheControl, CacheDirective};
use actix_web::web::{self, Data};
use actix_web::{App as Actix, Error, FromRequest, HttpRequest, HttpResponse, test};

use crate::app::{App, SUBJECT, greet};
use crate::record::{LIMITS, Record, Records, Verdict, now, parse, random, token};

const NAME: &str = "__Host-session";

/// The same in as little code as can be: an extractor, a map, comparisons.
pub(super) fn app() -> App {
    let app = Actix::new()
        .app_data(Data::new(Records::default()))
        .route("/me", web::get().to(page))
        .route("/sign-in", web::get().to(sign_in));
    super::app("hand-written", Arc::default(), super::ready(test::init_service(app)))
}

async fn sign_in(records: Data<Records>) -> HttpResponse {
    let (id, secret) = (random(), random());
    records.insert(id, Record::new(SUBJECT.into(), &secret, now()));
    HttpResponse::Ok().cookie(cookie(token(&id, &secret), LIMITS.0)).finish()
}

async fn page(user: User) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    if let Some((token, max_age)) = user.renewed {
        response.cookie(cookie(token, max_age));
        response.insert_header(CacheControl(vec![CacheDirective::NoStore]));
    }
    response.body(greet(&user.subject))
}

fn cookie(token: String, max_age: i64) -> Cookie<'static> {
    let cookie = Cookie::build(NAME, token).path("/").http_only(true).secure(true);
    cookie.same_site(SameSite::Lax).max_age(Duration::seconds(max_age)).finish()
}

struct User {
    subject: Arc<str>,
    renewed: Option<(String, i64)>,
}

impl FromRequest for User {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(user(request).ok_or_else(|| ErrorUnauthorized("no session")))
    }
}

fn user(request: &HttpRequest) -> Option<User> {
    let records = request.app_data::<Data<Records>>()?;
    let cookies = request.headers().get(COOKIE)?.to_str().ok()?;
    let mut pairs = cookies.split("; ").filter_map(|pair| pair.split_once('='));
    let (_, token) = pairs.find(|(name, _)| *name == NAME)?;
    let (id, secret) = parse(token)?;
    let record = records.get(&id).filter(|record| record.opens(secret))?;
    let (subject, now) = (Arc::clone(&record.subject), now());
    let verdict = record.instants.verdict(now);
    drop(record);
    match verdict {
        Verdict::Keep => Some(User { subject, renewed: None }),
        Verdict::Reject => None,
        Verdict::Renew(renewed_at, expires_at) => {
            let instants = &mut records.get_mut(&id)?.instants;
            (instants.renewed_at, instants.expires_at) = (renewed_at, expires_at);
            Some(User { subject, renewed: Some((token.into(), expires_at - now)) })
        }
    }
}

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Data};
use actix_web::{App as Actix, Error, FromRequest, HttpMessage, HttpRequest, HttpResponse, test};
use session_policy::store::AnyStore;
use session_policy::{Authenticated, Clock, Sessions};

use crate::actix_integration::{Answer, Transport, token};
use crate::app::{App, SUBJECT, greet};
use crate::log::SessionLog;
use crate::problem::Problem;
use crate::rule::POLICY;
use crate::traffic::Traffic;

const NAME: &str = "__Host-session";

type AppSessions = Sessions<AnyStore>;

/// The integration of `examples/apps/actix` with opaque tokens in the place of
/// signed ones.
pub(super) fn app(store: AnyStore, traffic: Arc<Traffic>, clock: impl Clock + 'static) -> App {
    let sessions = Sessions::new(store, POLICY).with_clock(clock).with_observer(SessionLog);
    let app = Actix::new()
        .app_data(Data::new(sessions))
        .app_data(Data::new(Transport::Https))
        .wrap(from_fn(cookies))
        .route("/me", web::get().to(page))
        .route("/sign-in", web::get().to(sign_in));
    super::app("session-policy, opaque", traffic, super::ready(test::init_service(app)))
}

async fn page(Active(served): Active) -> String {
    greet(served.session.subject())
}

async fn sign_in(
    request: HttpRequest,
    sessions: Data<AppSessions>,
) -> Result<HttpResponse, Problem> {
    let started = sessions.start(SUBJECT).await.map_err(|_| Problem::UNAVAILABLE)?;
    Answer::Set(started.token, started.status).leave(&request);
    Ok(HttpResponse::Ok().finish())
}

struct Active(Authenticated);

async fn cookies(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let mut response = next.call(request).await?;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let mut answer = response.request().extensions_mut().remove::<Answer>();
    if let Some(Answer::Renew(token, _)) = &answer {
        let sessions = response.request().app_data::<Data<AppSessions>>();
        if sessions.ok_or(Problem::UNAVAILABLE)?.peek(token.expose()).await.is_err() {
            answer = None;
        }
    }
    if let Some(answer) = answer {
        let (value, max_age) = match &answer {
            Answer::Clear => ("", 0),
            Answer::Renew(token, status) | Answer::Set(token, status) => {
                (token.expose(), status.cookie_max_age().num_seconds())
            }
        };
        let cookie = Cookie::build(NAME, value).path("/").http_only(true).secure(true);
        let cookie = cookie.same_site(SameSite::Lax).max_age(Duration::seconds(max_age)).finish();
        response.response_mut().add_cookie(&cookie)?;
    }
    Ok(response)
}

impl FromRequest for Active {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let sessions = request.app_data::<Data<AppSessions>>().ok_or(Problem::UNAVAILABLE)?;
            let served = sessions.authenticate(token(&request)?).await;
            let mut served = served.map_err(|error| Problem::from(&error))?;
            if let Some(token) = served.token.take() {
                Answer::Renew(token, served.status).leave(&request);
            }
            Ok(Self(served))
        })
    }
}

pub(crate) mod account;
pub(crate) mod admin;
mod devices;
mod form;
mod password;
mod problem;
pub(crate) mod session;
mod sign_in;

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};
use session_policy::web::{CarrierError, SessionCookie, SessionLayer, require};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::app::App;
use crate::refusal;

/// No page has a script, style or frame of another origin, or one within itself.
const CONTENT_SECURITY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
const LARGEST_FORM: usize = 16 * 1024;
const LONGEST_REQUEST: Duration = Duration::from_secs(20);

impl App {
    /// All routes. What is added before `require` needs a session.
    ///
    /// # Errors
    ///
    /// [`CarrierError`] if a session may last longer than any cookie.
    pub fn router(self) -> Result<Router, CarrierError> {
        let cookie = if self.plain_http {
            SessionCookie::loopback("session")
        } else {
            SessionCookie::host("session")
        };
        let sessions = SessionLayer::new(self.sessions.clone(), cookie)?
            .spawn_with(|task| drop(tokio::spawn(task)))
            .on_refusal(refusal::answer(self.plain_http));
        let private = Router::new()
            .route("/", get(account::page))
            .route("/admin", get(admin::page))
            .route("/admin/end-all", get(admin::confirm_all).post(admin::end_all))
            .route("/devices", get(devices::page))
            .route("/devices/end", get(devices::confirm).post(devices::end))
            .route("/devices/end-others", get(devices::confirm_others).post(devices::end_others))
            .route("/password", get(password::page).post(password::change))
            .route("/sign-out", post(sign_in::sign_out))
            .route_layer(require());
        let public = Router::new()
            .route("/app.css", asset("text/css", include_str!("../static/app.css")))
            .route("/favicon.svg", asset("image/svg+xml", include_str!("../static/favicon.svg")))
            .route("/healthz", get("ok"))
            .route("/page.js", asset("text/javascript", include_str!("../static/page.js")))
            .route("/session", get(session::status).post(session::extend))
            .route("/session/events", get(session::events))
            .route("/session.js", asset("text/javascript", include_str!("../static/session.js")))
            .route("/sign-in", get(sign_in::page).post(sign_in::sign_in));
        let set = |name: HeaderName, value: &'static str| {
            SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
        };
        Ok(private
            .merge(public)
            .layer(DefaultBodyLimit::max(LARGEST_FORM))
            .layer(CsrfLayer::new())
            .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, LONGEST_REQUEST))
            .layer(CatchPanicLayer::new())
            .layer(from_fn_with_state(self.clone(), problem::pages))
            .layer(sessions)
            .layer(set(CACHE_CONTROL, "no-store"))
            .layer(set(CONTENT_SECURITY_POLICY, CONTENT_SECURITY))
            .layer(set(REFERRER_POLICY, "same-origin"))
            .layer(set(X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .layer(TraceLayer::new_for_http())
            .with_state(self))
    }
}

fn asset(kind: &'static str, body: &'static str) -> MethodRouter<App> {
    get(([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], body))
}

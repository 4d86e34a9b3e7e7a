pub(crate) mod admin;
pub(crate) mod countdown;
mod devices;
mod home;
mod password;
mod sign_in;

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use session_policy::StartError;
use session_policy::store::StoreError;
use tokio::task::JoinError;
use tower_http::csrf::CsrfLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::app::App;
use crate::pages;
use crate::session::require_session;

/// No page has a script, style or frame of another origin, or one within itself.
const CONTENT_SECURITY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
const LARGEST_FORM: usize = 16 * 1024;
const LONGEST_REQUEST: Duration = Duration::from_secs(20);

impl App {
    /// All routes. What is added before `route_layer` needs a session.
    pub fn router(self) -> Router {
        let private = Router::new()
            .route("/", get(home::page))
            .route("/admin", get(admin::page))
            .route("/admin/end-all", post(admin::end_all))
            .route("/devices", get(devices::page))
            .route("/devices/end", post(devices::end))
            .route("/devices/end-others", post(devices::end_others))
            .route("/password", get(password::page).post(password::change))
            .route("/session", post(countdown::extend))
            .route("/sign-out", post(sign_in::sign_out))
            .route_layer(from_fn_with_state(self.clone(), require_session));
        let public = Router::new()
            .route("/app.css", asset("text/css", include_str!("../static/app.css")))
            .route(
                "/countdown.js",
                asset("text/javascript", include_str!("../static/countdown.js")),
            )
            .route("/favicon.svg", asset("image/svg+xml", include_str!("../static/favicon.svg")))
            .route("/healthz", get("ok"))
            .route("/session", get(countdown::status))
            .route("/sign-in", get(sign_in::page).post(sign_in::sign_in));
        let set = |name: HeaderName, value: &'static str| {
            SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
        };
        private
            .merge(public)
            .fallback(|| async { pages::not_found() })
            .layer(DefaultBodyLimit::max(LARGEST_FORM))
            .layer(CsrfLayer::new())
            .layer(set(CACHE_CONTROL, "no-store"))
            .layer(set(CONTENT_SECURITY_POLICY, CONTENT_SECURITY))
            .layer(set(REFERRER_POLICY, "same-origin"))
            .layer(set(X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, LONGEST_REQUEST))
            .layer(TraceLayer::new_for_http())
            .with_state(self)
    }
}

fn asset(kind: &'static str, body: &'static str) -> MethodRouter<App> {
    get(([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], body))
}

/// Why a page could not be served. The texts are logged, and hold no secret.
#[derive(Debug, thiserror::Error)]
enum PageError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Task(#[from] JoinError),
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        match self {
            Self::Start(StartError::Displaced) => pages::displaced(),
            Self::Start(StartError::Raced) => pages::raced(),
            Self::Start(StartError::TooMany { .. }) => pages::too_many_sessions(),
            Self::Start(StartError::NotReplaced(_) | StartError::Store(_)) | Self::Store(_) => {
                tracing::error!(error = %self, "the store did not do as asked");
                pages::unavailable()
            }
            Self::Start(_) | Self::Task(_) => {
                tracing::error!(error = %self, "a page could not be served");
                pages::failed()
            }
        }
    }
}

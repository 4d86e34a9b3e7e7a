//! On session-policy.

use std::error::Error;

use axum::http::{HeaderMap, StatusCode, header::USER_AGENT};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
// sessions:
use session_policy::web::{Active, Auth, Refused, SessionCookie, SessionLayer, require};
use session_policy::{Policies, Sessions, SignIn};
use session_policy_sqlx::SqliteStore;
// :sessions

use crate::{Credentials, device, form};

/// The application, with its sessions in a SQLite file under the policies of another file.
///
/// # Errors
///
/// If a file cannot be read or opened, or has no policies.
pub async fn app(database: &str, policies: &str) -> Result<Router, Box<dyn Error>> {
    // sessions:
    let policies: Policies = toml::from_str(&std::fs::read_to_string(policies)?)?;
    let store = SqliteStore::connect(database).await?;
    store.create_table().await?;
    let layer =
        SessionLayer::new(Sessions::new(store, policies), SessionCookie::loopback("session"))?
            .spawn_with(|task| drop(tokio::spawn(task)))
            .on_refusal(to_sign_in);
    // :sessions
    Ok(
        Router::new()
            .route("/", get(page))
            .route("/devices", get(devices))
            .route("/devices/end-others", post(end_others))
            // sessions:
            .route_layer(require())
            // :sessions
            .route("/sign-in", get(form).post(sign_in))
            .route("/sign-out", post(sign_out))
            // sessions:
            .layer(layer), // :sessions
    )
}

// sessions:
fn to_sign_in(refused: &Refused) -> Response {
    if refused.status() == 401 {
        return Redirect::to("/sign-in").into_response();
    }
    refused.response()
}
// :sessions

async fn sign_in(
    // sessions:
    auth: Auth,
    // :sessions
    headers: HeaderMap,
    Form(credentials): Form<Credentials>,
) -> Result<Response, Refused> {
    let Some(user) = credentials.user() else {
        return Ok(StatusCode::UNPROCESSABLE_ENTITY.into_response());
    };
    let browser = headers.get(USER_AGENT).and_then(|it| it.to_str().ok()).unwrap_or("a browser");
    // sessions:
    auth.sign_in(SignIn::of(user).about(browser)).await?;
    // :sessions
    Ok(Redirect::to("/").into_response())
}

async fn page(
    // sessions:
    active: Active,
    // :sessions
) -> String {
    // sessions:
    let user = active.session.subject();
    // :sessions
    format!("Hello, {user}")
}

async fn devices(
    // sessions:
    auth: Auth,
    active: Active,
    // :sessions
) -> Result<Html<String>, Refused> {
    let mut page = String::from("<ul>");
    // sessions:
    for session in auth.list().await? {
        let here = if session.id() == active.session.id() { " (this device)" } else { "" };
        let browser = session.about().unwrap_or("a browser");
        // :sessions
        page.push_str(&device(browser, here));
        // sessions:
    }
    // :sessions
    page += "</ul><form method=post action=/devices/end-others><button>Sign out the others";
    Ok(Html(page))
}

async fn end_others(
    // sessions:
    auth: Auth,
    // :sessions
) -> Result<Redirect, Refused> {
    // sessions:
    auth.end_others().await?;
    // :sessions
    Ok(Redirect::to("/devices"))
}

async fn sign_out(
    // sessions:
    auth: Auth,
    // :sessions
) -> Result<Redirect, Refused> {
    // sessions:
    auth.sign_out().await?;
    // :sessions
    Ok(Redirect::to("/sign-in"))
}

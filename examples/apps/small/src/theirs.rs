//! On tower-sessions. It has sessions by key and value and knows no users, so the devices of
//! a user, and the cap, are the application's: a table beside the sessions.

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header::USER_AGENT};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
// sessions:
use serde::Deserialize;
use sqlx::SqlitePool;
use tower_sessions::cookie::{SameSite, time::Duration};
use tower_sessions::session::Id;
use tower_sessions::{Expiry, Session, SessionManagerLayer, SessionStore};
// :sessions

use crate::tower_sqlite::TowerSqlite;
use crate::{Credentials, device, form};

// sessions:
#[derive(Clone, Copy, Deserialize)]
struct Lifetimes {
    max_age_secs: i64,
    absolute_cap_secs: i64,
}

/// What the handlers share.
#[derive(Clone)]
struct App {
    pool: SqlitePool,
    store: TowerSqlite,
    lifetimes: Lifetimes,
}

const DEVICES: &str = "create table if not exists devices
    (session text primary key not null, user text not null, browser text not null)";
// :sessions

/// The application, with its sessions in a SQLite file under the lifetimes of another file.
///
/// # Errors
///
/// If a file cannot be read or opened, or has no lifetimes.
pub async fn app(database: &str, lifetimes: &str) -> Result<Router, Box<dyn Error>> {
    // sessions:
    let lifetimes: Lifetimes = toml::from_str(&std::fs::read_to_string(lifetimes)?)?;
    let pool = SqlitePool::connect(database).await?;
    let store = TowerSqlite::beside(pool.clone()).await?;
    sqlx::query(DEVICES).execute(&pool).await?;
    let layer = SessionManagerLayer::new(store.clone())
        .with_name("session")
        .with_secure(false)
        .with_same_site(SameSite::Lax)
        .with_always_save(true)
        .with_expiry(Expiry::OnInactivity(Duration::seconds(lifetimes.max_age_secs)));
    let app = App { pool, store, lifetimes };
    // :sessions
    Ok(
        Router::new()
            .route("/", get(page))
            .route("/devices", get(devices))
            .route("/devices/end-others", post(end_others))
            .route("/sign-in", get(form).post(sign_in))
            .route("/sign-out", post(sign_out))
            // sessions:
            .with_state(app)
            .layer(layer), // :sessions
    )
}

// sessions:
/// Somebody signed in, whose time is not over.
struct User {
    name: String,
    session: Session,
}

impl FromRequestParts<App> for User {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failed> {
        let session =
            Session::from_request_parts(parts, app).await.map_err(|_| Failed::Internal)?;
        let Some(name) = session.get("user").await? else { return Err(Failed::SignedOut) };
        let since: i64 = session.get("since").await?.ok_or(Failed::SignedOut)?;
        if now().saturating_sub(since) >= app.lifetimes.absolute_cap_secs {
            session.flush().await?;
            return Err(Failed::SignedOut);
        }
        Ok(Self { name, session })
    }
}

enum Failed {
    Internal,
    SignedOut,
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        match self {
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            Self::SignedOut => Redirect::to("/sign-in").into_response(),
        }
    }
}

impl<E: Error> From<E> for Failed {
    fn from(_: E) -> Self {
        Self::Internal
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
// :sessions

async fn sign_in(
    // sessions:
    State(app): State<App>,
    session: Session,
    // :sessions
    headers: HeaderMap,
    Form(credentials): Form<Credentials>,
) -> Result<Response, Failed> {
    let Some(user) = credentials.user() else {
        return Ok(StatusCode::UNPROCESSABLE_ENTITY.into_response());
    };
    let browser = headers.get(USER_AGENT).and_then(|it| it.to_str().ok()).unwrap_or("a browser");
    // sessions:
    session.cycle_id().await?;
    session.insert("user", &user).await?;
    session.insert("since", now()).await?;
    session.save().await?;
    let id = session.id().ok_or(Failed::Internal)?.to_string();
    sqlx::query("insert into devices (session, user, browser) values (?, ?, ?)")
        .bind(id)
        .bind(user)
        .bind(browser)
        .execute(&app.pool)
        .await?;
    // :sessions
    Ok(Redirect::to("/").into_response())
}

async fn page(
    // sessions:
    user: User,
    // :sessions
) -> String {
    // sessions:
    let user = user.name;
    // :sessions
    format!("Hello, {user}")
}

async fn devices(
    // sessions:
    State(app): State<App>,
    user: User,
    // :sessions
) -> Result<Html<String>, Failed> {
    let mut page = String::from("<ul>");
    // sessions:
    let text = "select session, browser from devices where user = ? order by rowid";
    let rows: Vec<(String, String)> =
        sqlx::query_as(text).bind(user.name).fetch_all(&app.pool).await?;
    for (session, browser) in rows {
        let id: Id = session.parse()?;
        if app.store.load(&id).await?.is_none() {
            continue; // Its time is over, or it was signed out.
        }
        let here = if user.session.id() == Some(id) { " (this device)" } else { "" };
        // :sessions
        page.push_str(&device(&browser, here));
        // sessions:
    }
    // :sessions
    page += "</ul><form method=post action=/devices/end-others><button>Sign out the others";
    Ok(Html(page))
}

async fn end_others(
    // sessions:
    State(app): State<App>,
    user: User,
    // :sessions
) -> Result<Redirect, Failed> {
    // sessions:
    let own = user.session.id().ok_or(Failed::Internal)?.to_string();
    let text = "delete from devices where user = ? and session <> ? returning session";
    let others: Vec<String> =
        sqlx::query_scalar(text).bind(user.name).bind(own).fetch_all(&app.pool).await?;
    for id in others {
        app.store.delete(&id.parse()?).await?;
    }
    // :sessions
    Ok(Redirect::to("/devices"))
}

async fn sign_out(
    // sessions:
    State(app): State<App>,
    session: Session,
    // :sessions
) -> Result<Redirect, Failed> {
    // sessions:
    if let Some(id) = session.id() {
        let text = "delete from devices where session = ?";
        sqlx::query(text).bind(id.to_string()).execute(&app.pool).await?;
    }
    session.flush().await?;
    // :sessions
    Ok(Redirect::to("/sign-in"))
}

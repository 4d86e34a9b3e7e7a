//! The routes.

use actix_web::web::{Data, Json, Path, ServiceConfig, block};
use actix_web::{HttpResponse, Result, delete, get, post, web};
use serde::{Deserialize, Serialize};
use session_policy::{Policies, Session, SessionId, SignIn, Status, Timestamp};
use session_policy_actix::{Active, Auth, Peeked, Refused};

use crate::problem::Problem;
use crate::users::Users;

/// The profile of a sign-in that is remembered.
pub const REMEMBER_ME: &str = "remember-me";

/// Adds the routes.
pub fn routes(config: &mut ServiceConfig) {
    config
        .app_data(web::JsonConfig::default().error_handler(|_, _| Problem::Malformed.into()))
        .app_data(web::PathConfig::default().error_handler(|_, _| Problem::NotFound.into()))
        .service((health, login, me, status, logout, list, end, end_others))
        .default_service(web::to(async || Err::<String, _>(Problem::NotFound)));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    user: String,
    password: String,
    #[serde(default)]
    remember: bool,
    /// For a client without cookies: it is given the token, to send after `Bearer`.
    #[serde(default)]
    bearer: bool,
}

/// A session, on the page of a user's devices.
#[derive(Serialize)]
struct Device {
    id: SessionId,
    profile: String,
    signed_in_at: Timestamp,
    renewed_at: Timestamp,
    expires_at: Timestamp,
    absolute_expires_at: Timestamp,
    current: bool,
}

#[derive(Serialize)]
struct Me {
    user: String,
    session: SessionId,
    profile: String,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl Me {
    fn of(session: &Session, left: Status) -> Self {
        let (user, profile) = (session.subject().into(), session.profile().into());
        Self { user, session: session.id(), profile, status: left, token: None }
    }
}

/// Whether the process is up; asks no store.
#[get("/health")]
async fn health() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "ok" }))
}

#[post("/login")]
async fn login(auth: Auth, users: Data<Users>, credentials: Json<Credentials>) -> Result<Json<Me>> {
    let Credentials { user, password, remember, bearer } = credentials.into_inner();
    let turn = users.turn().await.map_err(|_| Problem::Unavailable)?;
    // Argon2 takes its time, which the other requests of this thread have not.
    let user = block(move || {
        let _turn = turn;
        users.verify(&user, &password)
    });
    let user = user.await.map_err(|_| Problem::Unavailable)?.ok_or(Problem::Credentials)?;
    let profile = if remember { REMEMBER_ME } else { Policies::DEFAULT };
    let sign_in = SignIn::of(user).profile(profile);
    let active =
        if bearer { auth.sign_in_bearer(sign_in).await? } else { auth.sign_in(sign_in).await? };
    let token = active.token.as_ref().filter(|_| bearer).map(|token| token.expose().to_owned());
    Ok(Json(Me { token, ..Me::of(&active.session, active.status) }))
}

#[get("/me")]
async fn me(active: Active) -> Json<Me> {
    Json(Me::of(&active.session, active.status))
}

/// Both deadlines and the server's `now`, for a countdown. Extends nothing.
#[get("/session/status")]
async fn status(peeked: Peeked) -> Json<Status> {
    Json(peeked.status)
}

#[post("/logout")]
async fn logout(auth: Auth) -> Result<HttpResponse, Refused> {
    auth.sign_out().await?;
    Ok(HttpResponse::NoContent().finish())
}

#[get("/sessions")]
async fn list(active: Active, auth: Auth) -> Result<Json<Vec<Device>>, Refused> {
    let current = active.session.id();
    let device = |session: Session| Device {
        id: session.id(),
        profile: session.profile().into(),
        signed_in_at: session.lifetime().created_at(),
        renewed_at: session.lifetime().renewed_at(),
        expires_at: session.lifetime().expires_at(),
        absolute_expires_at: session.lifetime().absolute_expires_at(),
        current: session.id() == current,
    };
    Ok(Json(auth.list().await?.into_iter().map(device).collect()))
}

/// Ends a session of the user's own; those of others are not found.
#[delete("/sessions/{id}")]
async fn end(auth: Auth, id: Path<SessionId>) -> Result<HttpResponse> {
    if auth.end(&id).await? {
        return Ok(HttpResponse::NoContent().finish());
    }
    Err(Problem::NotFound.into())
}

/// Ends the user's other sessions.
#[delete("/sessions")]
async fn end_others(auth: Auth) -> Result<HttpResponse, Refused> {
    let ended = auth.end_others().await?;
    Ok(HttpResponse::Ok().json(serde_json::json!({ "ended": ended })))
}

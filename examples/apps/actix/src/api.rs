//! The routes.

use actix_web::web::{Data, Json, Path, ServiceConfig, block};
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use serde::{Deserialize, Serialize};
use session_policy::{Policies, Session, SessionId, SignIn, StartError, Status, Timestamp};

use crate::problem::Problem;
use crate::session::{Active, Answer, Peeked, Sessions, token};
use crate::users::Users;

/// The profile of a sign-in that is remembered.
pub const REMEMBER_ME: &str = "remember-me";

/// Adds the routes.
pub fn routes(config: &mut ServiceConfig) {
    config
        .app_data(web::JsonConfig::default().error_handler(|_, _| Problem::MALFORMED.into()))
        .app_data(web::PathConfig::default().error_handler(|_, _| Problem::NOT_FOUND.into()))
        .service((health, problem, login, me, status, logout, list, end, end_others))
        .default_service(web::to(async || Err::<String, _>(Problem::NOT_FOUND)));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    user: String,
    password: String,
    #[serde(default)]
    remember: bool,
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
}

impl Me {
    fn of(session: &Session, left: Status) -> Self {
        let (user, profile) = (session.subject().into(), session.profile().into());
        Self { user, session: session.id(), profile, status: left }
    }
}

/// Whether the process is up; asks no store.
#[get("/health")]
async fn health() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "ok" }))
}

/// What a `type` of the problem details refers to.
#[get("/problems/{word}")]
async fn problem(word: Path<String>) -> Result<String, Problem> {
    Problem::of_word(&word).map(|problem| problem.text()).ok_or(Problem::NOT_FOUND)
}

#[post("/login")]
async fn login(
    request: HttpRequest,
    sessions: Data<Sessions>,
    users: Data<Users>,
    credentials: Json<Credentials>,
) -> Result<HttpResponse, Problem> {
    let Credentials { user, password, remember } = credentials.into_inner();
    let turn = users.turn().await.map_err(|_| Problem::UNAVAILABLE)?;
    // Argon2 takes its time, which the other requests of this thread have not.
    let user = block(move || {
        let _turn = turn;
        users.verify(&user, &password)
    });
    let user = user.await.map_err(|_| Problem::UNAVAILABLE)?.ok_or(Problem::CREDENTIALS)?;
    let profile = if remember { REMEMBER_ME } else { Policies::DEFAULT };
    let mut sign_in = SignIn::of(user).profile(profile);
    // The session that this client had before would only be forgotten.
    if let Ok(token) = token(&request)
        && let Ok(before) = sessions.peek(token).await
    {
        sign_in = sign_in.replacing(&before.session);
    }
    let started = sessions.start(sign_in).await.map_err(start_problem)?;
    let signed_in = Me::of(&started.session, started.status);
    Answer::Set(started.token, started.status).leave(&request);
    Ok(HttpResponse::Ok().json(signed_in))
}

#[get("/me")]
async fn me(Active(served): Active) -> Json<Me> {
    Json(Me::of(&served.session, served.status))
}

/// Both deadlines and the server's `now`, for a countdown. Extends nothing.
#[get("/session/status")]
async fn status(Peeked(served): Peeked) -> HttpResponse {
    HttpResponse::Ok().json(served.status)
}

#[post("/logout")]
async fn logout(
    request: HttpRequest,
    sessions: Data<Sessions>,
    Peeked(served): Peeked,
) -> Result<HttpResponse, Problem> {
    sessions.end(&served.session.id()).await?;
    Answer::Clear.leave(&request);
    Ok(HttpResponse::NoContent().finish())
}

#[get("/sessions")]
async fn list(
    sessions: Data<Sessions>,
    Active(served): Active,
) -> Result<Json<Vec<Device>>, Problem> {
    let current = served.session.id();
    let device = |session: Session| Device {
        id: session.id(),
        profile: session.profile().into(),
        signed_in_at: session.lifetime().created_at(),
        renewed_at: session.lifetime().renewed_at(),
        expires_at: session.lifetime().expires_at(),
        absolute_expires_at: session.lifetime().absolute_expires_at(),
        current: session.id() == current,
    };
    let listed = sessions.list(served.session.subject()).await?;
    Ok(Json(listed.into_iter().map(device).collect()))
}

/// Ends a session of the user's own; those of others are not found.
#[delete("/sessions/{id}")]
async fn end(
    request: HttpRequest,
    sessions: Data<Sessions>,
    Active(served): Active,
    id: Path<SessionId>,
) -> Result<HttpResponse, Problem> {
    let own = sessions.list(served.session.subject()).await?;
    if !own.iter().any(|session| session.id() == *id) {
        return Err(Problem::NOT_FOUND);
    }
    sessions.end(&id).await?;
    if *id == served.session.id() {
        Answer::Clear.leave(&request);
    }
    Ok(HttpResponse::NoContent().finish())
}

/// Ends the user's other sessions.
#[delete("/sessions")]
async fn end_others(
    sessions: Data<Sessions>,
    Active(served): Active,
) -> Result<HttpResponse, Problem> {
    let ended = sessions.end_others(&served.session).await?;
    Ok(HttpResponse::Ok().json(serde_json::json!({ "ended": ended })))
}

fn start_problem(error: StartError) -> Problem {
    match error {
        StartError::Store(error) => error.into(),
        error => {
            tracing::error!(%error, "no session was started");
            Problem::UNAVAILABLE
        }
    }
}

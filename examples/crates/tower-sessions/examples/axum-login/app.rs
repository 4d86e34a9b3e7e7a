//! An axum-login application as anybody would write it. It knows tower-sessions
//! only through axum-login, and nothing of this project.

use axum::Router;
use axum::extract::{Form, Request};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum_login::{AuthUser, AuthnBackend, UserId, login_required};
use serde::Deserialize;

/// A user of the application.
#[derive(Clone, Debug)]
pub(crate) struct User {
    id: u32,
    name: &'static str,
    password_hash: String,
}

impl AuthUser for User {
    type Id = u32;

    fn id(&self) -> u32 {
        self.id
    }

    fn session_auth_hash(&self) -> &[u8] {
        self.password_hash.as_bytes()
    }
}

/// What the sign-in form sends.
#[derive(Clone, Deserialize)]
pub(crate) struct Credentials {
    name: String,
    password: String,
}

/// The users, in memory.
#[derive(Clone, Debug)]
pub(crate) struct Users {
    users: Vec<User>,
    /// Of a password that nobody has, so that a name that is none takes as long.
    nobodys_hash: String,
}

impl Users {
    /// One user: `ferris`, with the password `hunter42`.
    pub(crate) fn seeded() -> Self {
        let password_hash = password_auth::generate_hash("hunter42");
        let users = vec![User { id: 1, name: "ferris", password_hash }];
        Self { users, nobodys_hash: password_auth::generate_hash("") }
    }
}

impl AuthnBackend for Users {
    type User = User;
    type Credentials = Credentials;
    type Error = tokio::task::JoinError;

    async fn authenticate(&self, sent: Credentials) -> Result<Option<User>, Self::Error> {
        let user = self.users.iter().find(|user| user.name == sent.name).cloned();
        let hash = user.as_ref().map_or(&self.nobodys_hash, |user| &user.password_hash).clone();
        // Milliseconds of work, by design: not among the requests.
        let verify = move || password_auth::verify_password(&sent.password, &hash).is_ok();
        let right = tokio::task::spawn_blocking(verify).await?;
        Ok(user.filter(|_| right))
    }

    async fn get_user(&self, id: &UserId<Self>) -> Result<Option<User>, Self::Error> {
        Ok(self.users.iter().find(|user| user.id == *id).cloned())
    }
}

type AuthSession = axum_login::AuthSession<Users>;

/// The application, without its layers.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/", get(home))
        .route_layer(login_required!(Users, login_url = "/login"))
        .route("/login", get(form).post(login))
        .route("/logout", post(logout))
        .layer(middleware::from_fn(same_origin))
        .layer(middleware::map_response(no_store))
}

/// Refuses a change that a page of another origin asks for: a sign-in, too, which
/// needs no cookie. Browsers before 2023 do not say; for them, use a token in the
/// form.
async fn same_origin(request: Request, next: Next) -> Response {
    let site = request.headers().get("sec-fetch-site");
    if request.method() == Method::POST && site.is_some_and(|site| site != "same-origin") {
        return StatusCode::FORBIDDEN.into_response();
    }
    next.run(request).await
}

/// Leaves no page of a user behind for whoever presses "back" after the sign-out.
async fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn form() -> Html<&'static str> {
    Html(
        "<form method=post><input name=name autocomplete=username aria-label=Name>\
         <input name=password type=password aria-label=Password><button>Sign in</button></form>",
    )
}

async fn login(mut auth: AuthSession, Form(credentials): Form<Credentials>) -> Response {
    match auth.authenticate(credentials).await {
        Ok(Some(user)) => match auth.login(&user).await {
            Ok(()) => Redirect::to("/").into_response(),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        },
        Ok(None) => StatusCode::UNAUTHORIZED.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn home(auth: AuthSession) -> Html<String> {
    let name = auth.user.map_or("nobody", |user| user.name);
    Html(format!(
        "Hello, {name}. <form method=post action=/logout><button>Sign out</button></form>"
    ))
}

async fn logout(mut auth: AuthSession) -> Response {
    match auth.logout().await {
        Ok(_) => Redirect::to("/login").into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

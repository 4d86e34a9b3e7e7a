//! An axum-login application as anybody would write it. It knows tower-sessions
//! only through axum-login, and nothing of this project.

use axum::Router;
use axum::extract::Form;
use axum::http::StatusCode;
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
pub(crate) struct Users(Vec<User>);

impl Users {
    /// One user: `ferris`, with the password `hunter42`.
    pub(crate) fn seeded() -> Self {
        let password_hash = password_auth::generate_hash("hunter42");
        Self(vec![User { id: 1, name: "ferris", password_hash }])
    }
}

impl AuthnBackend for Users {
    type User = User;
    type Credentials = Credentials;
    type Error = std::convert::Infallible;

    async fn authenticate(&self, sent: Credentials) -> Result<Option<User>, Self::Error> {
        let user = self.0.iter().find(|user| user.name == sent.name);
        let right = |user: &&User| {
            password_auth::verify_password(&sent.password, &user.password_hash).is_ok()
        };
        Ok(user.filter(right).cloned())
    }

    async fn get_user(&self, id: &UserId<Self>) -> Result<Option<User>, Self::Error> {
        Ok(self.0.iter().find(|user| user.id == *id).cloned())
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

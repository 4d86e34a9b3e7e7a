//! One small application, twice: on session-policy and on tower-sessions. Sign in, a page,
//! devices by name, end the others, sign out; sessions in SQLite, under a policy.
//!
//! The lines between `// sessions:` and `// :sessions` are there for sessions alone. A test
//! counts them, and sends both applications the same requests.

pub mod ours;
pub mod theirs;
#[path = "../../axum/examples/load/sqlite.rs"]
mod tower_sqlite;

use axum::response::Html;
use serde::Deserialize;

/// What the form of the sign-in sends.
#[derive(Debug, Deserialize)]
pub struct Credentials {
    name: String,
    password: String,
}

impl Credentials {
    /// The user, if the password is right; a real application asks a database.
    fn user(self) -> Option<String> {
        (self.password == "correct horse").then_some(self.name)
    }
}

/// The form of the sign-in.
async fn form() -> Html<&'static str> {
    Html(
        "<form method=post><label>Name <input name=name autocomplete=username></label>\
         <label>Password <input name=password type=password></label><button>Sign in</button>",
    )
}

/// A device in the list; nothing of its name is read as HTML.
fn device(browser: &str, here: &str) -> String {
    let browser = browser.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    format!("<li>{browser}{here}</li>")
}

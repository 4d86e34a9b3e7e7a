use axum::extract::State;
use maud::Markup;
use session_policy::web::Active;

use crate::app::App;
use crate::pages::{self, Frame};

pub(super) async fn page(State(app): State<App>, active: Active) -> Markup {
    pages::account(&Frame::of(&app, Some(&active), "/"))
}

use axum::extract::State;
use maud::Markup;

use crate::app::App;
use crate::pages;
use crate::session::SignedIn;

pub(super) async fn page(State(app): State<App>, signed_in: SignedIn) -> Markup {
    pages::home(&app, &signed_in)
}

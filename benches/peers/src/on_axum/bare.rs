use std::array;
use std::hint::black_box;
use std::sync::Arc;

use axum::routing::get;
use axum::{Extension, Router};

use crate::app::{App, SUBJECT, greet};

/// The same route for everybody.
pub(super) fn app() -> App {
    let router = Router::new().route("/me", get(async || greet(SUBJECT)));
    super::app("no session", Arc::default(), router)
}

/// The same behind the cheapest layer that gives a handler something.
pub(super) fn behind_an_extension() -> App {
    let shared = Extension(Arc::<()>::default());
    let router = Router::new().route("/me", get(async || greet(SUBJECT))).layer(shared);
    super::open("axum::Extension", router)
}

/// The same with three allocations of 128 bytes: what a layer may cost a route that asks for
/// nothing.
pub(super) fn behind_an_extension_and_allocations() -> App {
    let shared = Extension(Arc::<()>::default());
    let page = async || {
        let held: [Box<[u8; 128]>; 3] = black_box(array::from_fn(|_| Box::new([0; 128])));
        let greeting = greet(SUBJECT);
        drop(black_box(held));
        greeting
    };
    let router = Router::new().route("/me", get(page)).layer(shared);
    super::open("axum::Extension, three allocations", router)
}

//! What the fuzz targets assert of any bytes. Each target is a plain function,
//! so that a test replays its seeds, and every crash ever found, on stable.

mod config;
mod input;
mod jwt;
mod lifetime;
mod policy;
mod provider;
#[path = "../../second_rule/mod.rs"]
mod second_rule;
mod sessions;
mod token;
mod update;
mod web;

pub use crate::config::config;
pub use crate::jwt::jwt;
pub use crate::lifetime::lifetime;
pub use crate::sessions::sessions;
pub use crate::token::token;
pub use crate::update::update;
pub use crate::web::web;

//! Sessions on the web: how tokens travel, and what an answer says.

mod answer;
mod argument;
mod ask;
mod auth;
mod carrier;
mod carrier_error;
mod cookie;
mod devices;
mod ended;
mod exchange;
#[cfg(feature = "axum")]
mod extract;
mod handover;
#[cfg(feature = "tower")]
mod layer;
mod reason;
mod refused;
mod reply;
mod rotate;
mod shared;
mod strategy;
mod view;
mod web_sessions;

pub use self::auth::Auth;
pub use self::carrier::{Bearer, Carrier};
pub use self::carrier_error::CarrierError;
pub use self::cookie::{SameSite, SessionCookie};
pub use self::exchange::Exchange;
#[cfg(feature = "axum")]
pub use self::extract::Fresh;
#[cfg(feature = "tower")]
pub use self::layer::{
    Problem, Refuse, Require, RequireFuture, RequireService, ResponseFuture, SessionLayer,
    SessionService, require,
};
pub use self::reason::Reason;
pub use self::refused::{Refused, RequestHead};
pub use self::reply::Reply;
pub use self::strategy::Strategy;
pub use self::view::{Active, Peeked};
pub use self::web_sessions::WebSessions;

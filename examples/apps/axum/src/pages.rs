//! The HTML. It works without a script, but for the live countdown.

mod account;
mod devices;
mod frame;
mod problem;
mod sign_in;
mod words;

pub(crate) use self::account::{account, password, password_after, still_signed_in};
pub(crate) use self::devices::{Confirm, Overview, admin, confirm, devices};
pub(crate) use self::frame::Frame;
pub(crate) use self::problem::{forbidden, too_many_guesses};
pub(crate) use self::sign_in::{Attempt, Complaint, sign_in, too_many};

use core::time::Duration;

/// How a kit checks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// Whether the engine may drop what its own clock says has expired.
    pub(super) engine_expires: bool,
    /// How many sessions the large checks create.
    pub(super) large: u32,
    /// Only checks whose name has this in it.
    pub(super) only: &'static str,
    /// How long the store may go without an answer.
    pub(super) time_limit: Duration,
}

impl Settings {
    pub(super) const DEFAULT: Self = Self {
        engine_expires: false,
        large: 10_240,
        only: "",
        time_limit: Duration::from_secs(30),
    };
}

use serde_json::Value;

/// What a command found, for people and for machines.
pub(crate) struct Report {
    pub(crate) text: String,
    pub(crate) json: Value,
    /// Whether it found something, for the exit status.
    pub(crate) found: bool,
}

/// A value of the core as JSON; never fails for the types it is used with, which
/// have string keys and finite numbers only.
pub(crate) fn json(value: impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

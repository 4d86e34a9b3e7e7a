use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use session_policy::Timestamp;

/// An instant as people and exports write it: RFC 3339, or unix seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instant(pub(crate) Timestamp);

impl FromStr for Instant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(secs) = text.parse::<i64>() {
            return Timestamp::try_from(secs).map(Self).map_err(|error| error.to_string());
        }
        match DateTime::parse_from_rfc3339(text) {
            Ok(instant) => Ok(Self(instant.with_timezone(&Utc).into())),
            Err(_) => Err(format!(
                "`{}` is neither unix seconds nor RFC 3339, such as `2026-03-02T09:00:00Z`",
                text.escape_debug(),
            )),
        }
    }
}

/// A duration of an option, such as `30s` or `2m`, in whole seconds.
pub(crate) fn duration(text: &str) -> Result<TimeDelta, String> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!(
            "it has no unit: write `{text}s` for seconds, or `{text}m` for minutes"
        ));
    }
    let parsed = humantime::parse_duration(text)
        .map_err(|_| "not a duration such as `30s`, `5m` or `1h 30m`".to_owned())?;
    if parsed.subsec_nanos() != 0 {
        return Err("not whole seconds".to_owned());
    }
    TimeDelta::from_std(parsed).map_err(|error| error.to_string())
}

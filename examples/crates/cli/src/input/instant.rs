use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use session_policy::Timestamp;

/// An instant as people and exports write it: RFC 3339, or unix seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instant(pub(crate) Timestamp);

/// 9999-12-31T23:59:59Z. Today's milliseconds lie far beyond.
const LAST: i64 = 253_402_300_799;

impl FromStr for Instant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(secs) = text.parse::<i64>() {
            if secs > LAST {
                return Err(format!(
                    "`{secs}` is after the year 9999: unix seconds are meant, not milliseconds"
                ));
            }
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

/// A day in UTC, as `2026-11-24`, or at an offset from it, as `2026-11-24+01:00`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Day(DateTime<FixedOffset>);

impl Day {
    /// Whether an instant falls on this day.
    pub(crate) fn has(self, at: Timestamp) -> bool {
        let there = DateTime::<Utc>::from(at).with_timezone(self.0.offset());
        there.date_naive() == self.0.date_naive()
    }
}

impl FromStr for Day {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (date, offset) = text.split_at_checked("YYYY-MM-DD".len()).unwrap_or((text, ""));
        let offset = if offset.is_empty() { "Z" } else { offset };
        DateTime::parse_from_rfc3339(&format!("{date}T00:00:00{offset}"))
            .map(Self)
            .map_err(|_| "not a day such as `2026-11-24`, in UTC, or `2026-11-24+01:00`")
    }
}

/// As it was given, without a `Z`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_utc = self.0.offset().local_minus_utc() == 0;
        write!(f, "{}", self.0.format(if is_utc { "%Y-%m-%d" } else { "%Y-%m-%d%:z" }))
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

use core::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use super::parse_error::ParseError;

/// An instant in whole seconds since the Unix epoch.
///
/// Every instant of this crate is a whole second, as in a JWT `NumericDate`
/// claim (RFC 7519 section 2), a cookie's `Max-Age` and an HTTP date. A column,
/// token or cookie that keeps whole seconds therefore cannot round an instant
/// past a cap.
///
/// | bound | value |
/// | --- | --- |
/// | unit | 1 s |
/// | [`Timestamp::MIN`] | the first second of `DateTime<Utc>` (year -262143) |
/// | [`Timestamp::MAX`] | the last second of `DateTime<Utc>` (year 262142) |
///
/// Arithmetic saturates at these bounds and never panics. Functions of this
/// crate take `impl Into<Timestamp>`, so `Utc::now()` is accepted as it is.
///
/// # Example
///
/// ```
/// use chrono::{DateTime, TimeDelta, Utc};
/// use session_policy::Timestamp;
///
/// let login: DateTime<Utc> = "2026-03-02T09:00:00.999Z".parse()?;
/// let login = Timestamp::from(login); // floors to the whole second
/// assert_eq!(login.to_string(), "2026-03-02T09:00:00Z");
/// assert_eq!(login.saturating_add(TimeDelta::hours(8)).as_unix_secs(), 1_772_470_800);
/// # Ok::<(), chrono::ParseError>(())
/// ```
///
/// ```
/// use chrono::TimeDelta;
/// use session_policy::Timestamp;
///
/// let login = Timestamp::from_unix_secs(1_800_000_000);
/// let yesterday = login.saturating_sub(TimeDelta::days(1));
/// assert_eq!(login.since(yesterday), TimeDelta::days(1));
/// assert_eq!(Timestamp::MIN.saturating_sub(TimeDelta::days(1)), Timestamp::MIN);
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The latest instant: the last whole second of `DateTime<Utc>`.
    pub const MAX: Self = Self(DateTime::<Utc>::MAX_UTC.timestamp());
    /// The earliest instant: the first second of `DateTime<Utc>`.
    pub const MIN: Self = Self(DateTime::<Utc>::MIN_UTC.timestamp());

    /// The instant `secs` seconds after the Unix epoch, saturating at
    /// [`MIN`](Self::MIN) and [`MAX`](Self::MAX).
    ///
    /// For a number from outside (a column, a claim, a file) use
    /// `Timestamp::try_from`, which refuses what is out of range.
    #[must_use]
    pub const fn from_unix_secs(secs: i64) -> Self {
        if secs < Self::MIN.0 {
            Self::MIN
        } else if secs > Self::MAX.0 {
            Self::MAX
        } else {
            Self(secs)
        }
    }

    /// Seconds since the Unix epoch, negative before 1970.
    #[must_use]
    #[inline]
    pub const fn as_unix_secs(self) -> i64 {
        self.0
    }

    /// This instant moved by `duration`, floored to a whole second, saturating.
    #[must_use]
    pub const fn saturating_add(self, duration: TimeDelta) -> Self {
        // No overflow: both terms are far below `i64::MAX / 2` in magnitude.
        Self::from_unix_secs(self.0 + floor_secs(duration))
    }

    /// This instant moved back by `duration`, floored to a whole second,
    /// saturating.
    #[must_use]
    pub const fn saturating_sub(self, duration: TimeDelta) -> Self {
        let floor = floor_secs(duration);
        let ceil = if duration.subsec_nanos() == 0 { floor } else { floor + 1 };
        Self::from_unix_secs(self.0 - ceil)
    }

    /// The time from `earlier` to this instant: exact, negative if `earlier` is
    /// later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> TimeDelta {
        TimeDelta::seconds(self.0 - earlier.0)
    }

    /// Without saturation: the result may lie out of range, and serves only for
    /// comparison or under a minimum. `secs` must come from within the range of two
    /// timestamps and a century.
    #[inline]
    pub(crate) const fn later_by(self, secs: i64) -> Self {
        Self(self.0 + secs)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// RFC 3339 in UTC, to the second.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&DateTime::<Utc>::from(*self), f)
    }
}

/// Exact.
impl From<Timestamp> for DateTime<Utc> {
    fn from(timestamp: Timestamp) -> Self {
        // Always `Some`: a timestamp is within the range of `DateTime<Utc>`.
        Self::from_timestamp(timestamp.0, 0).unwrap_or(Self::MAX_UTC)
    }
}

/// Floors to the whole second, so that the result is never later.
impl From<DateTime<Utc>> for Timestamp {
    fn from(instant: DateTime<Utc>) -> Self {
        Self(instant.timestamp())
    }
}

impl From<Timestamp> for i64 {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.0
    }
}

/// For numbers from outside: refuses instead of saturating.
impl TryFrom<i64> for Timestamp {
    type Error = ParseError;

    fn try_from(secs: i64) -> Result<Self, ParseError> {
        let timestamp = Self::from_unix_secs(secs);
        if timestamp.0 == secs { Ok(timestamp) } else { Err(ParseError::of_seconds(secs)) }
    }
}

const fn floor_secs(duration: TimeDelta) -> i64 {
    // `num_seconds` truncates towards zero.
    if duration.subsec_nanos() < 0 { duration.num_seconds() - 1 } else { duration.num_seconds() }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let secs = <i64 as serde::Deserialize>::deserialize(deserializer)?;
        Self::try_from(secs).map_err(serde::de::Error::custom)
    }
}

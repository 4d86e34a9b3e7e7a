//! Durations as people write them: `8h`, `1d 6h`, `90s`.

use core::fmt;

use chrono::TimeDelta;

/// Prints a duration in days, hours, minutes and seconds, exactly.
pub(crate) struct Human(pub(crate) TimeDelta);

impl fmt::Display for Human {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (secs, nanos) = (self.0.num_seconds(), self.0.subsec_nanos());
        if secs < 0 || nanos < 0 {
            f.write_str("-")?;
        }
        let mut left = secs.unsigned_abs();
        let mut separator = "";
        for (unit, length) in [("d", 86_400), ("h", 3_600), ("m", 60)] {
            if left >= length {
                write!(f, "{separator}{}{unit}", left / length)?;
                left %= length;
                separator = " ";
            }
        }
        if nanos != 0 {
            write!(f, "{separator}{left}.{:09}s", nanos.unsigned_abs())
        } else if left > 0 || separator.is_empty() {
            write!(f, "{separator}{left}s")
        } else {
            Ok(())
        }
    }
}

/// Parses what [`Human`] prints: whole numbers with the units `s`, `m`, `h`, `d`
/// and `w`, several of them added up.
#[cfg(any(feature = "serde", feature = "std"))]
pub(crate) fn parse(text: &str) -> Result<TimeDelta, DurationError> {
    // `str::parse` alone would take a leading plus sign.
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(text.parse().map_or(DurationError::Malformed, DurationError::Unitless));
    }
    let mut secs = 0_i64;
    let mut rest = text;
    loop {
        let after = rest.trim_start_matches(|character: char| character.is_ascii_digit());
        let number: i64 = rest[..rest.len() - after.len()].parse()?;
        let mut after = after.chars();
        let unit = match after.next() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3_600,
            Some('d') => 86_400,
            Some('w') => 604_800,
            _ => return Err(DurationError::Malformed),
        };
        let length = number.checked_mul(unit).ok_or(DurationError::Malformed)?;
        secs = secs.checked_add(length).ok_or(DurationError::Malformed)?;
        if after.as_str().is_empty() {
            return TimeDelta::try_seconds(secs).ok_or(DurationError::Malformed);
        }
        rest = after.as_str().trim_start_matches(' ');
    }
}

/// Why something in a configuration is no duration. It ends a message that begins with
/// the value.
#[cfg(any(feature = "serde", feature = "std"))]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum DurationError {
    Malformed,
    /// It may mean seconds or milliseconds.
    Unitless(u64),
}

#[cfg(any(feature = "serde", feature = "std"))]
impl DurationError {
    pub(crate) const EXPECTED: &'static str = "a duration such as `8h`, `15m`, `45d`, `1h 30m`";

    /// Of a number that stands alone.
    #[cfg(feature = "serde")]
    pub(crate) fn of_number(number: i64) -> Self {
        u64::try_from(number).map_or(Self::Malformed, Self::Unitless)
    }
}

#[cfg(any(feature = "serde", feature = "std"))]
impl From<core::num::ParseIntError> for DurationError {
    fn from(_: core::num::ParseIntError) -> Self {
        Self::Malformed
    }
}

#[cfg(any(feature = "serde", feature = "std"))]
impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Malformed => write!(f, "is not {}", Self::EXPECTED),
            Self::Unitless(number) => {
                write!(f, "has no unit: write `{number}s` for seconds, or ")?;
                match number / 1_000 {
                    secs @ 1.. if number % 1_000 == 0 => {
                        write!(f, "`{secs}s` if these are milliseconds")
                    }
                    _ => write!(f, "`{number}m` for minutes"),
                }
            }
        }
    }
}

/// Serialises as whole seconds.
#[cfg(all(feature = "review", feature = "serde"))]
pub(crate) fn secs<S: serde::Serializer>(
    duration: &TimeDelta,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(duration.num_seconds())
}

/// Serialises as whole seconds, or as nothing.
#[cfg(all(feature = "review", feature = "serde"))]
#[expect(clippy::ref_option, reason = "serde's signature")]
pub(crate) fn opt_secs<S: serde::Serializer>(
    duration: &Option<TimeDelta>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => serializer.serialize_some(&duration.num_seconds()),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_duration_prints_in_its_largest_units() {
        for (delta, text) in [
            (TimeDelta::zero(), "0s"),
            (TimeDelta::seconds(59), "59s"),
            (TimeDelta::minutes(15), "15m"),
            (TimeDelta::minutes(90), "1h 30m"),
            (TimeDelta::hours(30), "1d 6h"),
            (TimeDelta::days(45), "45d"),
            (TimeDelta::seconds(90_061), "1d 1h 1m 1s"),
            (TimeDelta::minutes(-5), "-5m"),
            (TimeDelta::milliseconds(1_500), "1.500000000s"),
            (TimeDelta::milliseconds(-61_500), "-1m 1.500000000s"),
        ] {
            assert_eq!(Human(delta).to_string(), text);
            #[cfg(any(feature = "serde", feature = "std"))]
            if delta >= TimeDelta::zero() && delta.subsec_nanos() == 0 {
                assert_eq!(parse(text).unwrap(), delta);
            }
        }
    }
}

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
/// and `w`, several of them added up; a number on its own is seconds.
#[cfg(feature = "std")]
pub(crate) fn parse(text: &str) -> Result<TimeDelta, DurationError> {
    use fundu::TimeUnit::{Day, Hour, Minute, Second, Week};

    const PARSER: fundu::DurationParser<'_> = fundu::DurationParser::builder()
        .time_units(&[Second, Minute, Hour, Day, Week])
        .default_unit(Second)
        .disable_exponent()
        .disable_fraction()
        .disable_infinity()
        .parse_multiple(None)
        .outer_delimiter(|byte| byte == b' ')
        .build();

    // The library also takes signs, and a number without a unit beside others:
    // `1h 30` would be an hour and 30 s.
    let digit = |byte: &u8| byte.is_ascii_digit();
    let signed = text.contains(['+', '-']);
    let unitless = |part: &str| part.as_bytes().last().is_some_and(digit);
    let alone = text.as_bytes().iter().all(digit);
    if signed || (!alone && text.split(' ').any(unitless)) {
        return Err(DurationError);
    }
    let whole = |text: &str| -> Option<TimeDelta> {
        let parsed = PARSER.parse(text).ok()?;
        let parsed = core::time::Duration::try_from(parsed).ok()?;
        TimeDelta::from_std(parsed).ok()
    };
    whole(text).ok_or(DurationError)
}

/// The text is no duration.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct DurationError;

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

/// What a duration in a configuration may be, for error messages.
#[cfg(any(feature = "serde", feature = "std"))]
pub(crate) const EXPECTED: &str = "whole seconds or a text such as `8h`, `15m`, `45d`, `1h 30m`";

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
            #[cfg(feature = "std")]
            if delta >= TimeDelta::zero() && delta.subsec_nanos() == 0 {
                assert_eq!(parse(text).unwrap(), delta);
            }
        }
    }
}

use std::string::String;

use chrono::TimeDelta;

use crate::rule::{PolicyError, SessionPolicy};
use crate::time::{self, DurationError};

const MAX_AGE: &str = "SESSION_MAX_AGE";
const UPDATE_AGE: &str = "SESSION_UPDATE_AGE";
const ABSOLUTE_CAP: &str = "SESSION_ABSOLUTE_CAP";
const ABSOLUTE_LIFETIME_DAYS: &str = "SESSION_ABSOLUTE_LIFETIME_DAYS";
const DEFAULT_LIFETIME_DAYS: i64 = 45;

impl SessionPolicy {
    /// A policy from variables, which `lookup` finds by name: the crate itself
    /// reads no environment.
    ///
    /// | variable | value | if absent |
    /// | --- | --- | --- |
    /// | `SESSION_MAX_AGE` | a duration: `8h`, `1h 30m` | an error |
    /// | `SESSION_UPDATE_AGE` | a duration | an error |
    /// | `SESSION_ABSOLUTE_CAP` | a duration | the next one |
    /// | `SESSION_ABSOLUTE_LIFETIME_DAYS` | whole days, from 1 | 45 |
    ///
    /// A variable that is present and malformed, also an empty one, is an error
    /// and never the default, and so are both variables of the cap at once. A duration
    /// has a unit: a bare number is refused, since one reader takes it for seconds and
    /// another for milliseconds.
    ///
    /// # Errors
    ///
    /// [`VarsError`] names the variable and its value.
    ///
    /// # Example
    ///
    /// With `to_string_lossy`, a value that is not Unicode is malformed, too,
    /// where `std::env::var(name).ok()` would take it for absent:
    ///
    /// ```
    /// use session_policy::SessionPolicy;
    ///
    /// let environment =
    ///     |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    /// # let _ = SessionPolicy::from_vars(environment);
    /// # let environment = |name: &str| match name {
    /// #     "SESSION_MAX_AGE" => Some("30d"),
    /// #     "SESSION_UPDATE_AGE" => Some("5m"),
    /// #     _ => None,
    /// # };
    /// let policy = SessionPolicy::from_vars(environment)?;
    /// # assert_eq!(policy, SessionPolicy::SLIDING_MONTH);
    ///
    /// let misspelt = |name: &str| Some(if name == "SESSION_MAX_AGE" { "8x" } else { "1" });
    /// assert_eq!(
    ///     SessionPolicy::from_vars(misspelt).unwrap_err().to_string(),
    ///     "SESSION_MAX_AGE: `8x` is not a duration such as `8h`, `15m`, `45d`, `1h 30m`",
    /// );
    /// # Ok::<(), session_policy::VarsError>(())
    /// ```
    pub fn from_vars<V: AsRef<str>>(
        mut lookup: impl FnMut(&str) -> Option<V>,
    ) -> Result<Self, VarsError> {
        let mut variable = |name| lookup(name).map(|value| value.as_ref().into());
        let required = |name, value: Option<String>| value.ok_or(VarsError::Absent { name });
        let max_age = duration(MAX_AGE, required(MAX_AGE, variable(MAX_AGE))?)?;
        let update_age = duration(UPDATE_AGE, required(UPDATE_AGE, variable(UPDATE_AGE))?)?;
        let cap = match (variable(ABSOLUTE_CAP), variable(ABSOLUTE_LIFETIME_DAYS)) {
            (None, None) => TimeDelta::days(DEFAULT_LIFETIME_DAYS),
            (None, Some(days)) => whole_days(days)?,
            (Some(cap), None) => duration(ABSOLUTE_CAP, cap)?,
            (Some(cap), Some(days)) => return Err(VarsError::TwoCaps { cap, days }),
        };
        Ok(Self::new(max_age, update_age, cap)?)
    }
}

fn duration(name: &'static str, value: String) -> Result<TimeDelta, VarsError> {
    time::parse(&value).map_err(|error| match error {
        DurationError::Malformed => {
            VarsError::Malformed { name, value, expected: DurationError::EXPECTED }
        }
        DurationError::Unitless(number) => VarsError::WithoutUnit { name, number },
    })
}

/// Why variables do not make a [`SessionPolicy`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum VarsError {
    /// A variable without a default is not set.
    #[error("{name} is not set")]
    Absent {
        /// The variable.
        name: &'static str,
    },
    /// The values are well-formed, but make no policy.
    #[error(
        "SESSION_MAX_AGE, SESSION_UPDATE_AGE and SESSION_ABSOLUTE_CAP or \
         SESSION_ABSOLUTE_LIFETIME_DAYS (45 if neither is set) make no policy: {0}"
    )]
    Contradictory(#[from] PolicyError),
    /// A value is not what the variable takes.
    #[error("{name}: `{}` is not {expected}", value.escape_debug())]
    Malformed {
        /// The variable.
        name: &'static str,
        /// Its refused value.
        value: String,
        /// What it takes.
        expected: &'static str,
    },
    /// The cap is given twice.
    #[error(
        "SESSION_ABSOLUTE_CAP is `{}` and SESSION_ABSOLUTE_LIFETIME_DAYS is `{}`: set one of them",
        cap.escape_debug(),
        days.escape_debug()
    )]
    TwoCaps {
        /// The value of `SESSION_ABSOLUTE_CAP`.
        cap: String,
        /// The value of `SESSION_ABSOLUTE_LIFETIME_DAYS`.
        days: String,
    },
    /// A number on its own, which may mean seconds or milliseconds.
    #[error("{name}: `{number}` {}", DurationError::Unitless(*number))]
    WithoutUnit {
        /// The variable.
        name: &'static str,
        /// Its refused value.
        number: u64,
    },
}

fn whole_days(value: String) -> Result<TimeDelta, VarsError> {
    // `str::parse` alone would take a leading plus sign.
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    match value.parse() {
        Ok(days @ 1..=36_525) if digits => Ok(TimeDelta::days(days)),
        _ => {
            let expected = "whole days from 1 to 36525";
            Err(VarsError::Malformed { name: ABSOLUTE_LIFETIME_DAYS, value, expected })
        }
    }
}

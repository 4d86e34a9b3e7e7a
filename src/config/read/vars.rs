use std::string::String;

use chrono::TimeDelta;

use crate::rule::{PolicyError, SessionPolicy};
use crate::time::{self, EXPECTED};

const MAX_AGE: &str = "SESSION_MAX_AGE";
const UPDATE_AGE: &str = "SESSION_UPDATE_AGE";
const ABSOLUTE_LIFETIME_DAYS: &str = "SESSION_ABSOLUTE_LIFETIME_DAYS";
const DEFAULT_LIFETIME_DAYS: u16 = 45;

impl SessionPolicy {
    /// A policy from variables, which `lookup` finds by name: the crate itself
    /// reads no environment.
    ///
    /// | variable | value | if absent |
    /// | --- | --- | --- |
    /// | `SESSION_MAX_AGE` | a duration: `8h`, `1h 30m`, or whole seconds | an error |
    /// | `SESSION_UPDATE_AGE` | a duration | an error |
    /// | `SESSION_ABSOLUTE_LIFETIME_DAYS` | whole days, from 1 | 45 |
    ///
    /// A variable that is present and malformed, also an empty one, is an error
    /// and never the default.
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
    ///     "SESSION_MAX_AGE is `8x`, not whole seconds or a text such as `8h`, `15m`, `45d`, `1h 30m`",
    /// );
    /// # Ok::<(), session_policy::VarsError>(())
    /// ```
    pub fn from_vars<V: AsRef<str>>(
        mut lookup: impl FnMut(&str) -> Option<V>,
    ) -> Result<Self, VarsError> {
        let mut duration = |name| {
            let value = lookup(name).ok_or(VarsError::Absent { name })?;
            let value = value.as_ref();
            time::parse(value).map_err(|_| VarsError::Malformed {
                name,
                value: value.into(),
                expected: EXPECTED,
            })
        };
        let max_age = duration(MAX_AGE)?;
        let update_age = duration(UPDATE_AGE)?;
        let days = match lookup(ABSOLUTE_LIFETIME_DAYS) {
            None => DEFAULT_LIFETIME_DAYS,
            Some(value) => whole_days(value.as_ref())?,
        };
        Ok(Self::new(max_age, update_age, TimeDelta::days(days.into()))?)
    }
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
        "SESSION_MAX_AGE, SESSION_UPDATE_AGE and SESSION_ABSOLUTE_LIFETIME_DAYS (45 if not set) \
         make no policy: {0}"
    )]
    Contradictory(#[from] PolicyError),
    /// A value is not what the variable takes.
    #[error("{name} is `{}`, not {expected}", value.escape_debug())]
    Malformed {
        /// The variable.
        name: &'static str,
        /// Its refused value.
        value: String,
        /// What it takes.
        expected: &'static str,
    },
}

fn whole_days(value: &str) -> Result<u16, VarsError> {
    // `str::parse` alone would take a leading plus sign.
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    value.parse().ok().filter(|&days| digits && (1..=36_525).contains(&days)).ok_or_else(|| {
        VarsError::Malformed {
            name: ABSOLUTE_LIFETIME_DAYS,
            value: value.into(),
            expected: "whole days from 1 to 36525",
        }
    })
}

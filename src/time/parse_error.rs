use core::fmt;

/// Why a text or a number is not a [`Timestamp`], a [`SessionId`], a
/// [`SessionToken`] or a [`SecretHash`].
///
/// Its message says what was expected. A text is not repeated, since it may be a
/// secret; a number is.
///
/// ```
/// use session_policy::{SessionId, Timestamp};
///
/// let error = "user-42".parse::<SessionId>().unwrap_err();
/// assert_eq!(error.to_string(), "session id is not 22 base64url characters");
/// let error = Timestamp::try_from(i64::MAX).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "`9223372036854775807` unix seconds is outside the years -262143 to 262142",
/// );
/// ```
///
/// [`SecretHash`]: crate::store::SecretHash
/// [`SessionId`]: crate::SessionId
/// [`SessionToken`]: crate::SessionToken
/// [`Timestamp`]: crate::Timestamp
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ParseError(Reason);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reason {
    Seconds(i64),
    Text { expected: &'static str },
}

impl ParseError {
    pub(super) const fn of_seconds(seconds: i64) -> Self {
        Self(Reason::Seconds(seconds))
    }

    /// `expected` names what the text is not.
    pub(crate) const fn of_text(expected: &'static str) -> Self {
        Self(Reason::Text { expected })
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Reason::Seconds(seconds) => {
                write!(f, "`{seconds}` unix seconds is outside the years -262143 to 262142")
            }
            Reason::Text { expected } => f.write_str(expected),
        }
    }
}

impl core::error::Error for ParseError {}

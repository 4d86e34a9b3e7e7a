use std::io::BufRead as _;
use std::path::Path;

use session_policy::Timestamp;

use super::{InputError, Instant, open};

/// When one session got its requests.
pub(crate) struct Requests {
    pub(crate) sign_in: Timestamp,
    pub(crate) instants: Vec<Timestamp>,
    /// How many lines are polls, which are not the user's activity.
    pub(crate) polls: usize,
}

/// The requests of a log: a line each, an instant first. Its second word may say
/// `sign-in`, `request` or `poll`; the first line is the sign-in, and `#` starts a
/// comment.
pub(crate) fn requests(file: &Path) -> Result<Requests, InputError> {
    let (reader, _) = open(file)?;
    let mut sign_in = None;
    let mut instants = Vec::new();
    let mut polls = 0;
    for (index, line) in reader.lines().enumerate() {
        let number = index as u64 + 1;
        let bad = |message: String| InputError::at_line(file, number, message);
        let line = line.map_err(|error| bad(error.to_string()))?;
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(instant) = words.next() else { continue };
        let Instant(instant) = instant.parse().map_err(bad)?;
        match (words.next(), sign_in) {
            (None | Some("sign-in"), None) => sign_in = Some(instant),
            (Some(kind), None) => {
                return Err(bad(format!("the first line is a {kind}, not a sign-in")));
            }
            (Some("sign-in"), Some(_)) => {
                return Err(bad("a second sign-in, but a timeline has one session".to_owned()));
            }
            (Some("poll"), Some(_)) => polls += 1,
            (None | Some("request"), Some(_)) => instants.push(instant),
            (Some(kind), Some(_)) => {
                return Err(bad(format!(
                    "`{}` is none of sign-in, request and poll",
                    kind.escape_debug(),
                )));
            }
        }
    }
    let sign_in = sign_in
        .ok_or_else(|| InputError::new(file.display().to_string(), "there is no request in it"))?;
    Ok(Requests { sign_in, instants, polls })
}

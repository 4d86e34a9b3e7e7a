mod line;

use std::io::BufRead;
use std::path::{Path, PathBuf};

use session_policy::{RejectReason, SessionId, Timestamp};

pub(crate) use self::line::Line;
use super::{InputError, open};

/// A step in the life of a session, as the log tells it.
pub(crate) struct Logged {
    pub(crate) at: Timestamp,
    pub(crate) session: Option<SessionId>,
    pub(crate) subject: Option<String>,
    pub(crate) profile: Option<String>,
    pub(crate) kind: Kind,
}

/// What matters of an `EventKind` to the end of its session.
pub(crate) enum Kind {
    Ended {
        cause: String,
    },
    Expired {
        reason: RejectReason,
    },
    Rejected {
        reason: String,
    },
    ReuseDetected,
    /// The session was served, perhaps with new deadlines.
    Served {
        expires_at: Option<Timestamp>,
        absolute_expires_at: Option<Timestamp>,
    },
}

impl Kind {
    /// Whether the session is not served afterwards.
    pub(crate) const fn ends(&self) -> bool {
        matches!(self, Self::Ended { .. } | Self::Expired { .. } | Self::ReuseDetected)
    }
}

/// Streams the lines of a log that are not blank.
pub(crate) struct Events {
    file: PathBuf,
    reader: Box<dyn BufRead>,
    number: u64,
    bytes: Vec<u8>,
}

impl Events {
    /// Opens a file, or standard input for `-`.
    pub(crate) fn open(file: &Path) -> Result<Self, InputError> {
        let (reader, _) = open(file)?;
        Ok(Self { file: file.to_owned(), reader, number: 0, bytes: Vec::new() })
    }

    /// The next line, `None` after the last. One that cannot be understood is an error with
    /// its number, after which the next one can be read.
    pub(crate) fn next(&mut self) -> Result<Option<Result<Line, InputError>>, InputError> {
        loop {
            self.bytes.clear();
            self.number += 1;
            let read = self.reader.read_until(b'\n', &mut self.bytes);
            if read.map_err(|error| InputError::file(&self.file, &error))? == 0 {
                return Ok(None);
            }
            let line = match str::from_utf8(&self.bytes).map(str::trim) {
                Ok("") => continue,
                Ok(text) => Line::read(text),
                Err(_) => Err("not UTF-8".to_owned()),
            };
            let bad = |message| InputError::at_line(&self.file, self.number, message);
            return Ok(Some(line.map_err(bad)));
        }
    }
}

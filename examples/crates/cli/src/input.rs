//! Files in, with errors that name the file, the line and the key.

mod events;
mod instant;
mod policy;
mod records;
mod requests;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

pub(crate) use self::events::{Events, Kind, Line, Logged};
pub(crate) use self::instant::{Day, Instant, duration};
pub(crate) use self::policy::policies;
pub(crate) use self::records::{Records, Unknown};
pub(crate) use self::requests::requests;

/// Bad input: where, and what about it.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {message}")]
pub(crate) struct InputError {
    /// A file, with a line and column where there is one.
    pub(crate) place: String,
    pub(crate) message: String,
}

impl InputError {
    pub(crate) fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }

    pub(crate) fn at_line(file: &Path, line: u64, message: impl Into<String>) -> Self {
        Self::new(format!("{}:{line}", file.display()), message)
    }

    fn file(file: &Path, error: &io::Error) -> Self {
        Self::new(file.display().to_string(), format!("cannot be read: {error}"))
    }
}

/// A file to stream, or standard input for `-`, and its length where known. The
/// byte order mark that some programs put in front is left out.
fn open(file: &Path) -> Result<(Box<dyn BufRead>, Option<u64>), InputError> {
    let bad = |error: io::Error| InputError::file(file, &error);
    let (input, length): (Box<dyn Read>, _) = if file == Path::new("-") {
        (Box::new(io::stdin()), None)
    } else {
        let opened = File::open(file).map_err(bad)?;
        let length = opened.metadata().ok().map(|metadata| metadata.len());
        (Box::new(opened), length)
    };
    let mut reader = BufReader::with_capacity(1 << 16, input);
    if reader.fill_buf().map_err(bad)?.starts_with("\u{feff}".as_bytes()) {
        reader.consume("\u{feff}".len());
    }
    Ok((Box::new(reader), length))
}

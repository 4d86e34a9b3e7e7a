//! Files in, with errors that name the file, the line and the key.

mod instant;
mod policy;
mod records;
mod requests;

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

pub(crate) use self::instant::{Instant, duration};
pub(crate) use self::policy::policies;
pub(crate) use self::records::Records;
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

/// A file to stream, or standard input for `-`, and its length where known.
fn open(file: &Path) -> Result<(Box<dyn BufRead>, Option<u64>), InputError> {
    if file == Path::new("-") {
        return Ok((Box::new(BufReader::with_capacity(1 << 16, io::stdin())), None));
    }
    let opened = File::open(file).map_err(|error| InputError::file(file, &error))?;
    let length = opened.metadata().ok().map(|metadata| metadata.len());
    Ok((Box::new(BufReader::with_capacity(1 << 16, opened)), length))
}

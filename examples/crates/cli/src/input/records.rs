use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use serde_json::value::RawValue;
use session_policy::{Lifetime, Policies, SessionPolicy};

use super::{InputError, Instant, open};

/// A stored session: its profile and its four instants.
pub(crate) struct Record {
    pub(crate) line: u64,
    pub(crate) profile: Option<String>,
    pub(crate) lifetime: Lifetime,
}

/// Streams the sessions of a CSV or JSON Lines file, with progress on a terminal.
///
/// Other columns and keys are ignored, as an export of a whole table has them.
pub(crate) struct Records {
    file: PathBuf,
    format: Format,
    progress: ProgressBar,
    /// For records from before the cap existed.
    adopt: Option<SessionPolicy>,
}

enum Format {
    Csv { reader: Box<csv::Reader<Box<dyn BufRead>>>, columns: Columns, row: csv::StringRecord },
    JsonLines { reader: Box<dyn BufRead>, line: u64, text: String },
}

/// Where a CSV file has which instant.
struct Columns {
    created_at: usize,
    renewed_at: Option<usize>,
    expires_at: usize,
    absolute_expires_at: Option<usize>,
    profile: Option<usize>,
}

/// A line of JSON: the instants at the top, or under `lifetime` as the crate
/// serialises a session. Read as it is, so that an error can name the key.
#[derive(Deserialize)]
struct JsonLine<'a> {
    #[serde(borrow)]
    lifetime: Option<&'a RawValue>,
    #[serde(borrow)]
    profile: Option<&'a RawValue>,
    #[serde(borrow)]
    created_at: Option<&'a RawValue>,
    #[serde(borrow)]
    renewed_at: Option<&'a RawValue>,
    #[serde(borrow)]
    expires_at: Option<&'a RawValue>,
    #[serde(borrow)]
    absolute_expires_at: Option<&'a RawValue>,
}

#[derive(Clone, Copy)]
#[expect(clippy::struct_field_names, reason = "the keys of the file")]
struct Instants {
    created_at: Option<Instant>,
    renewed_at: Option<Instant>,
    expires_at: Option<Instant>,
    absolute_expires_at: Option<Instant>,
}

impl Records {
    /// Opens a file, or standard input for `-`. With `adopt`, a record may lack
    /// `renewed_at` and `absolute_expires_at`, and gets them from this policy.
    pub(crate) fn open(file: &Path, adopt: Option<SessionPolicy>) -> Result<Self, InputError> {
        let (mut reader, length) = open(file)?;
        let start = reader.fill_buf().map_err(|error| InputError::file(file, &error))?;
        // No column of a CSV file begins so.
        let first = start.iter().find(|byte| !byte.is_ascii_whitespace());
        let is_json = matches!(first, Some(b'{' | b'['));
        let progress = length.map_or_else(ProgressBar::no_length, ProgressBar::new);
        progress.set_style(style(length.is_some()));
        progress.enable_steady_tick(Duration::from_millis(250));
        let reader: Box<dyn BufRead> =
            Box::new(std::io::BufReader::new(progress.wrap_read(reader)));
        let format = if is_json {
            Format::JsonLines { reader, line: 0, text: String::new() }
        } else {
            let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(reader);
            let columns = Columns::find(&mut reader, adopt.is_some())
                .map_err(|message| InputError::at_line(file, 1, message))?;
            Format::Csv { reader: Box::new(reader), columns, row: csv::StringRecord::new() }
        };
        Ok(Self { file: file.to_owned(), format, progress, adopt })
    }

    /// The next session, `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Record>, InputError> {
        let (line, instants, profile) = match &mut self.format {
            Format::Csv { reader, columns, row } => {
                let more = reader.read_record(row).map_err(|error| {
                    let line = error.position().map_or(0, csv::Position::line);
                    InputError::at_line(&self.file, line, csv_message(&error))
                })?;
                if !more {
                    self.progress.finish_and_clear();
                    return Ok(None);
                }
                let line = row.position().map_or(0, csv::Position::line);
                let instants = columns
                    .instants(row)
                    .map_err(|message| InputError::at_line(&self.file, line, message))?;
                let profile = columns.profile.and_then(|index| row.get(index));
                (line, instants, profile.map(str::to_owned))
            }
            Format::JsonLines { reader, line, text } => loop {
                text.clear();
                *line += 1;
                let read = reader
                    .read_line(text)
                    .map_err(|error| InputError::at_line(&self.file, *line, error.to_string()))?;
                if read == 0 {
                    self.progress.finish_and_clear();
                    return Ok(None);
                }
                if text.trim().is_empty() {
                    continue;
                }
                let (instants, profile) = JsonLine::read(text)
                    .and_then(|read| Ok((read.instants()?, read.profile()?)))
                    .map_err(|message| InputError::at_line(&self.file, *line, message))?;
                break (*line, instants, profile);
            },
        };
        let lifetime = instants
            .lifetime(self.adopt.as_ref())
            .map_err(|message| InputError::at_line(&self.file, line, message))?;
        Ok(Some(Record { line, profile, lifetime }))
    }
}

impl Record {
    /// The profile that judges it, as [`Policies::policy_for`] does.
    pub(crate) fn judged_as(&self, policies: &Policies) -> &str {
        let profile = self.profile.as_deref().filter(|name| policies.get(name).is_some());
        profile.unwrap_or(Policies::DEFAULT)
    }
}

impl Columns {
    fn find<R: std::io::Read>(reader: &mut csv::Reader<R>, adopt: bool) -> Result<Self, String> {
        let header = reader.headers().map_err(|error| csv_message(&error))?;
        let column = |name: &str| header.iter().position(|column| column == name);
        let required = |name| column(name).ok_or_else(|| format!("there is no column {name}"));
        let optional = |name| if adopt { Ok(column(name)) } else { required(name).map(Some) };
        let hint = |message| format!("{message} (--adopt takes records from before the cap)");
        Ok(Self {
            created_at: required("created_at")?,
            expires_at: required("expires_at")?,
            renewed_at: optional("renewed_at").map_err(hint)?,
            absolute_expires_at: optional("absolute_expires_at").map_err(hint)?,
            profile: column("profile"),
        })
    }

    fn instants(&self, row: &csv::StringRecord) -> Result<Instants, String> {
        let instant = |index: usize, name: &str| match row.get(index).unwrap_or_default() {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|error| format!("{name}: {error}")),
        };
        let optional =
            |index: Option<usize>, name| index.map_or(Ok(None), |index| instant(index, name));
        Ok(Instants {
            created_at: instant(self.created_at, "created_at")?,
            renewed_at: optional(self.renewed_at, "renewed_at")?,
            expires_at: instant(self.expires_at, "expires_at")?,
            absolute_expires_at: optional(self.absolute_expires_at, "absolute_expires_at")?,
        })
    }
}

impl<'a> JsonLine<'a> {
    fn read(text: &'a str) -> Result<Self, String> {
        if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|error| json_message(&error))
        } else {
            Err("not an object, such as `{\"created_at\": …}`, on a line of its own".to_owned())
        }
    }

    fn profile(&self) -> Result<Option<String>, String> {
        let Some(value) = self.profile else { return Ok(None) };
        if value.get().starts_with('"') {
            text(value, "profile").map(Some)
        } else {
            Err(format!("profile: `{}` is not a text", value.get().escape_debug()))
        }
    }

    fn instants(&self) -> Result<Instants, String> {
        if let Some(lifetime) = self.lifetime {
            if !lifetime.get().starts_with('{') {
                let value = lifetime.get().escape_debug();
                return Err(format!("lifetime: `{value}` is not an object"));
            }
            let lifetime = Self::read(lifetime.get())
                .and_then(|lifetime| Self { lifetime: None, ..lifetime }.instants());
            return lifetime.map_err(|message| format!("lifetime: {message}"));
        }
        let instant = |value: Option<&RawValue>, name: &str| {
            let Some(value) = value else { return Ok(None) };
            let instant = text(value, name)?.parse();
            instant.map(Some).map_err(|error: String| format!("{name}: {error}"))
        };
        Ok(Instants {
            created_at: instant(self.created_at, "created_at")?,
            renewed_at: instant(self.renewed_at, "renewed_at")?,
            expires_at: instant(self.expires_at, "expires_at")?,
            absolute_expires_at: instant(self.absolute_expires_at, "absolute_expires_at")?,
        })
    }
}

impl Instants {
    fn lifetime(self, adopt: Option<&SessionPolicy>) -> Result<Lifetime, String> {
        let required = |instant: Option<Instant>, name| {
            instant.map(|instant| instant.0).ok_or_else(|| format!("{name} is missing"))
        };
        let created_at = required(self.created_at, "created_at")?;
        let expires_at = required(self.expires_at, "expires_at")?;
        if let (None, None, Some(policy)) = (self.renewed_at, self.absolute_expires_at, adopt) {
            return Ok(policy.adopt(created_at, expires_at));
        }
        let renewed_at = required(self.renewed_at, "renewed_at")?;
        let absolute_expires_at = required(self.absolute_expires_at, "absolute_expires_at")?;
        Lifetime::restore(created_at, renewed_at, expires_at, absolute_expires_at)
            .map_err(|error| error.to_string())
    }
}

/// A text without its quotes, anything else as it is written.
fn text(value: &RawValue, name: &str) -> Result<String, String> {
    if value.get().starts_with('"') {
        serde_json::from_str(value.get())
            .map_err(|error| format!("{name}: {}", json_message(&error)))
    } else {
        Ok(value.get().to_owned())
    }
}

/// Without the place, which is one in the line.
fn json_message(error: &serde_json::Error) -> String {
    let message = error.to_string();
    message.split(" at line ").next().unwrap_or_default().to_owned()
}

fn csv_message(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} values in {expected_len} columns")
        }
        csv::ErrorKind::Utf8 { .. } => "not UTF-8".to_owned(),
        _ => error.to_string(),
    }
}

fn style(has_length: bool) -> ProgressStyle {
    let template = if has_length {
        "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left"
    } else {
        "{spinner} {bytes}, {bytes_per_sec}"
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

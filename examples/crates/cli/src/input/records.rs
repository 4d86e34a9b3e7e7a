mod objects;
mod table;

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use session_policy::{Lifetime, Policies, SessionPolicy};

use self::objects::Objects;
use self::table::Table;
use super::{InputError, Instant, open};
use crate::report::{Tally, count};

/// A stored session: whose it is, its profile and its four instants.
pub(crate) struct Record {
    pub(crate) line: u64,
    pub(crate) subject: Option<String>,
    pub(crate) profile: Option<String>,
    pub(crate) lifetime: Lifetime,
}

/// Streams the sessions of a CSV or JSON file, with progress on a terminal.
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
    Objects(Objects),
    Table(Box<Table>),
}

/// What a row or an object says.
struct Found {
    instants: Instants,
    profile: Option<String>,
    subject: Option<String>,
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
        let tabs = start.iter().take_while(|&&byte| byte != b'\n').any(|&byte| byte == b'\t');
        let progress = length.map_or_else(ProgressBar::no_length, ProgressBar::new);
        progress.set_style(style(length.is_some()));
        progress.enable_steady_tick(Duration::from_millis(250));
        let reader: Box<dyn BufRead> =
            Box::new(std::io::BufReader::new(progress.wrap_read(reader)));
        let format = if is_json {
            Format::Objects(Objects::new(reader))
        } else {
            let table = Table::open(reader, tabs, adopt.is_some())
                .map_err(|message| InputError::at_line(file, 1, message))?;
            Format::Table(Box::new(table))
        };
        Ok(Self { file: file.to_owned(), format, progress, adopt })
    }

    /// The next session, `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Record>, InputError> {
        let found = match &mut self.format {
            Format::Objects(objects) => objects.next(),
            Format::Table(table) => table.next(),
        };
        let bad = |(line, message)| InputError::at_line(&self.file, line, message);
        let Some((line, Found { instants, profile, subject })) = found.map_err(bad)? else {
            self.progress.finish_and_clear();
            return Ok(None);
        };
        let lifetime =
            instants.lifetime(self.adopt.as_ref()).map_err(|message| bad((line, message)))?;
        Ok(Some(Record { line, subject, profile, lifetime }))
    }
}

impl Record {
    /// The profile that judges it, as [`Policies::policy_for`] does.
    pub(crate) fn judged_as(&self, policies: &Policies) -> &str {
        let profile = self.profile.as_deref().filter(|name| policies.get(name).is_some());
        profile.unwrap_or(Policies::DEFAULT)
    }
}

/// Sessions under profiles that a policy file does not have, which are judged by its
/// default, as the application judges them.
#[derive(Default)]
pub(crate) struct Unknown(Tally);

impl Unknown {
    pub(crate) fn look_at(&mut self, record: &Record, policies: &Policies) {
        if let Some(profile) = record.profile.as_deref().filter(|name| policies.get(name).is_none())
        {
            self.0.add(profile);
        }
    }

    /// Tells of them on standard error.
    pub(crate) fn warn(&self, file: &Path) {
        self.0.warn(|profile, times| {
            let (file, sessions) = (file.display(), count(times, "session"));
            format!("{file}: no profile {profile}: {sessions} judged by `default`")
        });
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

fn style(has_length: bool) -> ProgressStyle {
    let template = if has_length {
        "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left"
    } else {
        "{spinner} {bytes}, {bytes_per_sec}"
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

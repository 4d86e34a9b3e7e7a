use std::io::BufRead;

use csv::Terminator;

use super::{Found, Instants};

/// The rows of a CSV file, or of a file with tabs, as `mariadb --batch` writes it.
///
/// An export of a whole table has columns of bytes, so only those that are read must
/// be UTF-8.
pub(super) struct Table {
    reader: csv::Reader<Box<dyn BufRead>>,
    columns: Columns,
    row: csv::ByteRecord,
    /// Tabs and line feeds of a value are written `\t` and `\n`.
    escaped: bool,
}

/// Which instant, profile and subject stand where.
struct Columns {
    created_at: usize,
    renewed_at: Option<usize>,
    expires_at: usize,
    absolute_expires_at: Option<usize>,
    profile: Option<usize>,
    subject: Option<usize>,
}

impl Table {
    /// Reads the header; `tabs` if it has any.
    pub(super) fn open(reader: Box<dyn BufRead>, tabs: bool, adopt: bool) -> Result<Self, String> {
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .delimiter(if tabs { b'\t' } else { b',' })
            .quoting(!tabs)
            // A line feed alone, so that lines are counted right; a return is trimmed.
            .terminator(Terminator::Any(b'\n'))
            .from_reader(reader);
        let columns = Columns::find(&mut reader, adopt)?;
        Ok(Self { reader, columns, row: csv::ByteRecord::new(), escaped: tabs })
    }

    /// The next row with its line, `None` after the last.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Found)>, (u64, String)> {
        let Self { reader, row, .. } = self;
        let more = loop {
            match reader.read_byte_record(row) {
                // A blank line that ends in a return.
                Err(_) if row.len() == 1 && row[0].trim_ascii().is_empty() => {}
                Ok(more) => break more,
                Err(error) => {
                    let line = error.position().map_or(0, csv::Position::line);
                    return Err((line, csv_message(&error)));
                }
            }
        };
        if !more {
            return Ok(None);
        }
        let line = row.position().map_or(0, csv::Position::line);
        let found = self.found().map_err(|message| (line, message))?;
        Ok(Some((line, found)))
    }

    fn found(&self) -> Result<Found, String> {
        let columns = &self.columns;
        let instant = |column: usize, name: &str| match self.text(column, name)? {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|error| format!("{name}: {error}")),
        };
        let optional =
            |column: Option<usize>, name| column.map_or(Ok(None), |column| instant(column, name));
        let text = |column: Option<usize>, name| match column {
            Some(column) => self.text(column, name).map(|text| Some(self.unescaped(text))),
            None => Ok(None),
        };
        Ok(Found {
            instants: Instants {
                created_at: instant(columns.created_at, "created_at")?,
                renewed_at: optional(columns.renewed_at, "renewed_at")?,
                expires_at: instant(columns.expires_at, "expires_at")?,
                absolute_expires_at: optional(columns.absolute_expires_at, "absolute_expires_at")?,
            },
            profile: text(columns.profile, "profile")?.filter(|profile| !profile.is_empty()),
            subject: text(columns.subject, "subject")?,
        })
    }

    fn text(&self, column: usize, name: &str) -> Result<&str, String> {
        let bytes = self.row.get(column).unwrap_or_default();
        str::from_utf8(bytes).map_err(|_| format!("{name}: not UTF-8"))
    }

    fn unescaped(&self, text: &str) -> String {
        if !self.escaped {
            return text.to_owned();
        }
        let mut unescaped = String::with_capacity(text.len());
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            unescaped.push(match character {
                '\\' => match characters.next() {
                    Some('0') => '\0',
                    Some('n') => '\n',
                    Some('t') => '\t',
                    other => other.unwrap_or('\\'),
                },
                other => other,
            });
        }
        unescaped
    }
}

impl Columns {
    fn find<R: std::io::Read>(reader: &mut csv::Reader<R>, adopt: bool) -> Result<Self, String> {
        let header = reader.headers().map_err(|error| csv_message(&error))?;
        let column = |name: &str| header.iter().position(|column| column == name);
        let required = |name| column(name).ok_or_else(|| format!("there is no column {name}"));
        let optional = |name| if adopt { Ok(column(name)) } else { required(name).map(Some) };
        let hint =
            |message| format!("{message} (`impact --adopt` takes records from before the cap)");
        Ok(Self {
            created_at: required("created_at")?,
            expires_at: required("expires_at")?,
            renewed_at: optional("renewed_at").map_err(hint)?,
            absolute_expires_at: optional("absolute_expires_at").map_err(hint)?,
            profile: column("profile"),
            subject: column("subject"),
        })
    }
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

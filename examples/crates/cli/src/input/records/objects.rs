use std::io::{self, BufRead};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Found, Instants};

/// The objects of a file, one after the other: a line each, or an array, as `-json`
/// of sqlite3 and `json_agg` of PostgreSQL write it.
pub(super) struct Objects {
    reader: Box<dyn BufRead>,
    line: u64,
    text: Vec<u8>,
}

/// How far into an object the text goes.
#[derive(Default)]
struct Place {
    depth: u32,
    quoted: bool,
    escaped: bool,
}

impl Place {
    /// Whether the object ends with this byte.
    fn ends_with(&mut self, byte: u8) -> bool {
        if self.escaped {
            self.escaped = false;
        } else if self.quoted {
            self.escaped = byte == b'\\';
            self.quoted = byte != b'"';
        } else {
            match byte {
                b'"' => self.quoted = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                // What is no object ends with its line, to be refused.
                b'\n' => return self.depth == 0,
                _ => return false,
            }
            return self.depth == 0 && byte == b'}';
        }
        false
    }
}

impl Objects {
    pub(super) fn new(reader: Box<dyn BufRead>) -> Self {
        Self { reader, line: 1, text: Vec::new() }
    }

    /// The next object with its line, `None` after the last.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Found)>, (u64, String)> {
        let read = self.read().map_err(|error| (self.line, error.to_string()))?;
        let Some(line) = read else { return Ok(None) };
        // Bytes of an id or a secret need not be UTF-8.
        let text = String::from_utf8_lossy(&self.text);
        let found = JsonSession::read(&text).and_then(|session| session.found());
        found.map(|found| Some((line, found))).map_err(|message| (line, message))
    }

    /// Reads the text of an object; the line that it begins in.
    fn read(&mut self) -> io::Result<Option<u64>> {
        self.text.clear();
        let (mut begun, mut place) = (None, Place::default());
        loop {
            let bytes = self.reader.fill_buf()?;
            if bytes.is_empty() {
                return Ok(begun);
            }
            let (mut used, mut ended) = (0, false);
            for &byte in bytes {
                used += 1;
                let between = byte.is_ascii_whitespace() || matches!(byte, b',' | b'[' | b']');
                if begun.is_some() || !between {
                    begun = begun.or(Some(self.line));
                    self.text.push(byte);
                    ended = place.ends_with(byte);
                }
                self.line += u64::from(byte == b'\n');
                if ended {
                    break;
                }
            }
            self.reader.consume(used);
            if ended {
                return Ok(begun);
            }
        }
    }
}

/// A session as JSON: the instants at the top, or under `lifetime` as the crate
/// serialises a session. Read as it is, so that an error can name the key.
#[derive(Deserialize)]
pub(super) struct JsonSession<'a> {
    #[serde(borrow)]
    lifetime: Option<&'a RawValue>,
    #[serde(borrow)]
    profile: Option<&'a RawValue>,
    #[serde(borrow)]
    subject: Option<&'a RawValue>,
    #[serde(borrow)]
    created_at: Option<&'a RawValue>,
    #[serde(borrow)]
    renewed_at: Option<&'a RawValue>,
    #[serde(borrow)]
    expires_at: Option<&'a RawValue>,
    #[serde(borrow)]
    absolute_expires_at: Option<&'a RawValue>,
}

impl<'a> JsonSession<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, String> {
        if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|error| json_message(&error))
        } else {
            Err("not an object, such as `{\"created_at\": …}`, on a line of its own".to_owned())
        }
    }

    pub(super) fn found(&self) -> Result<Found, String> {
        let subject = self.subject.map(|value| text(value, "subject")).transpose()?;
        Ok(Found { instants: self.instants()?, profile: self.profile()?, subject })
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

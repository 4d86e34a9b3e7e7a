use serde_json::{Map, Value};
use session_policy::{RejectReason, Timestamp};

use super::super::Instant;
use super::{Kind, Logged};

/// What a line of a log is.
pub(crate) enum Line {
    /// A step in the life of a session.
    Event(Logged),
    /// Nothing about a session: another part of the application wrote it.
    Other,
    /// An event of a kind that this program does not know.
    Unknown(String),
    /// About a token that did not prove to be a session's, so it says nothing of one.
    Unproven,
}

type Fields = Map<String, Value>;

/// The `target` under which an application logs events with `tracing`.
const TARGET: &str = "session";

impl Line {
    /// Reads an event as `Event` serialises it, or a line of `tracing`'s JSON: with the
    /// event as a text under `event`, or with its kind as the message.
    pub(super) fn read(line: &str) -> Result<Self, String> {
        let outer = object(line)?;
        let fields = match outer.get("fields") {
            Some(Value::Object(fields)) => fields,
            _ => &outer,
        };
        match fields.get("event") {
            Some(Value::String(text)) if text.starts_with('{') => {
                let event = object(text).map_err(|message| format!("event: {message}"))?;
                let kind = text_of(&event, "event")?.ok_or("event: it has no `event`")?;
                Self::of(&event, &outer, kind)
            }
            Some(Value::String(kind)) => Self::of(fields, &outer, kind),
            _ if outer.get("target").and_then(Value::as_str) == Some(TARGET) => {
                let message = text_of(fields, "message")?;
                let kind = message.ok_or("it has neither `event` nor `message`")?.replace(' ', "_");
                Self::of(fields, &outer, &kind)
            }
            _ => Ok(Self::Other),
        }
    }

    fn of(event: &Fields, outer: &Fields, kind: &str) -> Result<Self, String> {
        let served =
            |expires_at, absolute_expires_at| Kind::Served { expires_at, absolute_expires_at };
        let kind = match kind {
            "ended" => Kind::Ended { cause: required(event, "cause")?.to_owned() },
            "expired" => Kind::Expired { reason: limit(required(event, "reason")?)? },
            "rejected" => Kind::Rejected { reason: required(event, "reason")?.to_owned() },
            "reuse_detected" => Kind::ReuseDetected,
            "forgiven" | "renewal_deferred" | "rotated" => served(None, None),
            "reissued" | "renewed" => served(instant(event, "expires_at")?, None),
            "started" => {
                let cap = instant(event, "absolute_expires_at")?;
                served(instant(event, "expires_at")?, cap)
            }
            unknown => return Ok(Self::Unknown(unknown.to_owned())),
        };
        if event.get("unproven") == Some(&Value::Bool(true)) {
            return Ok(Self::Unproven);
        }
        let at = match instant(event, "at")? {
            Some(at) => at,
            None => instant(outer, "timestamp")?.ok_or("it has neither `at` nor `timestamp`")?,
        };
        let session = text_of(event, "session")?.map(str::parse).transpose();
        Ok(Self::Event(Logged {
            at,
            session: session.map_err(|error| format!("session: {error}"))?,
            subject: text_of(event, "subject")?.map(str::to_owned),
            profile: text_of(event, "profile")?.map(str::to_owned),
            kind,
        }))
    }
}

fn object(text: &str) -> Result<Fields, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err("not a JSON object".to_owned()),
        Err(error) => {
            let (message, column) = (error.to_string(), error.column());
            // The line is one of this text alone.
            let message = message.split(" at line ").next().unwrap_or_default();
            Err(format!("not JSON: {message} at column {column}"))
        }
    }
}

fn text_of<'a>(fields: &'a Fields, name: &str) -> Result<Option<&'a str>, String> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("{name} is not a text")),
    }
}

fn required<'a>(fields: &'a Fields, name: &str) -> Result<&'a str, String> {
    text_of(fields, name)?.ok_or_else(|| format!("{name} is missing"))
}

fn instant(fields: &Fields, name: &str) -> Result<Option<Timestamp>, String> {
    let text = match fields.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let instant = text.parse::<Instant>().map_err(|error| format!("{name}: {error}"))?;
    Ok(Some(instant.0))
}

fn limit(reason: &str) -> Result<RejectReason, String> {
    [RejectReason::Idle, RejectReason::AbsoluteCap]
        .into_iter()
        .find(|limit| limit.as_str() == reason)
        .ok_or_else(|| {
            format!("reason: `{}` is neither idle nor absolute_cap", reason.escape_debug())
        })
}

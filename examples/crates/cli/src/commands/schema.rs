use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::json;

use crate::Failure;
use crate::commands::help;
use crate::report::{self, Report};

/// Print the JSON Schema of policy files, for editors
#[derive(Debug, clap::Args)]
#[command(after_help = help::SCHEMA)]
pub(crate) struct Args {}

#[expect(clippy::unnecessary_wraps, reason = "the form of every command")]
pub(crate) fn run(_: &Args) -> Result<Report, Failure> {
    let schema = report::json(schemars::schema_for!(Policies));
    Ok(Report { text: format!("{schema:#}"), json: schema, found: false })
}

/// A default policy and named profiles.
#[derive(JsonSchema)]
#[schemars(title = "session-policy")]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct Policies {
    default: LimitedPolicy,
    /// Policies by profile name.
    #[serde(default)]
    #[schemars(schema_with = "profiles", extend("default" = {}))]
    profiles: (),
}

/// How long a session may live: unused, and in all.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct Policy {
    /// How long a session lives without counted activity: 1s to absolute_cap.
    #[schemars(schema_with = "duration")]
    max_age: (),
    /// How long a renewal holds before the next is due: 0s to less than max_age.
    #[schemars(schema_with = "duration")]
    update_age: (),
    /// How long a session lives in all, whatever the activity: max_age to 36525d.
    #[schemars(schema_with = "duration")]
    absolute_cap: (),
    /// How far ahead of the clock a session's creation may lie: 0s to 1d, 60s if
    /// absent.
    #[serde(default)]
    #[schemars(schema_with = "duration", extend("default" = "60s"))]
    clock_skew: (),
}

/// A policy in a set, which may have a limit: both of its settings or none.
struct LimitedPolicy;

impl JsonSchema for LimitedPolicy {
    fn schema_name() -> Cow<'static, str> {
        "LimitedPolicy".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Policy::json_schema(generator);
        schema.insert(
            "description".to_owned(),
            "How long a session may live, and how many of them a user may have at once.".into(),
        );
        schema.insert(
            "dependentRequired".to_owned(),
            json!({"max_sessions": ["when_full"], "when_full": ["max_sessions"]}),
        );
        if let Some(properties) = schema.get_mut("properties") {
            properties["max_sessions"] = json!({
                "description": "How many live sessions a user may have at once.",
                "type": "integer",
                "minimum": 1,
                "maximum": u32::MAX,
            });
            properties["when_full"] = json!({
                "description": "What a sign-in does that would exceed max_sessions.",
                "enum": ["end_least_recent", "end_oldest", "refuse"],
            });
        }
        schema
    }
}

/// A text with a unit; its bounds a schema cannot say.
fn duration(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({
        "type": "string",
        "pattern": r"^[0-9]+[smhdw]( *[0-9]+[smhdw])*$",
        "examples": ["8h", "15m", "45d", "1h 30m"],
    })
}

fn profiles(generator: &mut SchemaGenerator) -> Schema {
    let policy = generator.subschema_for::<LimitedPolicy>();
    schemars::json_schema!({
        "type": "object",
        "propertyNames": {
            "minLength": 1,
            "maxLength": 64,
            "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$",
            "not": {"const": "default"},
        },
        "additionalProperties": policy,
    })
}

use std::fmt::{self, Display, Formatter};

use crate::value::Value;

/// A statement with its parameters in it, `$1` and on.
pub(super) fn filled(statement: &str, values: &[Value<'_>]) -> String {
    let mut parts = statement.split('$');
    let mut text = String::from(parts.next().unwrap_or_default());
    for part in parts {
        let rest = part.trim_start_matches(|character: char| character.is_ascii_digit());
        let number: usize = part[..part.len() - rest.len()].parse().unwrap_or_default();
        match values.get(number.wrapping_sub(1)) {
            Some(value) => text.push_str(&Literal(*value).to_string()),
            // No parameter of this statement: the engine refuses it.
            None => text.push('$'),
        }
        text.push_str(rest);
    }
    text
}

/// A value as SQL. Bytes and texts are hexadecimal digits, so that nothing in it can be
/// read as SQL.
struct Literal<'a>(Value<'a>);

impl Display for Literal<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Value::Bytes(bytes) => {
                f.write_str("decode('")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_str("', 'hex')")
            }
            Value::Id(id) => Literal(Value::Bytes(id.as_bytes())).fmt(f),
            Value::Null => f.write_str("NULL"),
            Value::Number(number) => write!(f, "'{number}'::bigint"),
            Value::Text(text) => {
                f.write_str("E'")?;
                text.bytes().try_for_each(|byte| write!(f, "\\x{byte:02x}"))?;
                f.write_str("'")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_be_read_as_sql() {
        let values =
            ["'; DROP TABLE users; --".into(), Value::Bytes(&[0, 255]), None::<i64>.into()];
        assert_eq!(
            filled("SELECT $3, $1, $2, $2", &values),
            "SELECT NULL, E'\\x27\\x3b\\x20\\x44\\x52\\x4f\\x50\\x20\\x54\\x41\\x42\\x4c\\x45\\x20\\x75\
             \\x73\\x65\\x72\\x73\\x3b\\x20\\x2d\\x2d', decode('00ff', 'hex'), decode('00ff', 'hex')",
        );
        assert_eq!(filled("$1", &[i64::MIN.into()]), "'-9223372036854775808'::bigint");
        let many: Vec<Value<'_>> = (1..=14).map(Value::Number).collect();
        assert_eq!(filled("$14 $1", &many), "'14'::bigint '1'::bigint");
    }
}

use std::fmt::{self, Display, Formatter};

use crate::value::Value;

/// A statement with its parameters in it, a `?` each.
pub(super) fn filled(statement: &str, values: &[Value<'_>]) -> String {
    let mut parts = statement.split('?');
    let mut text = String::from(parts.next().unwrap_or_default());
    let mut values = values.iter();
    for part in parts {
        match values.next() {
            Some(value) => text.push_str(&Literal(*value).to_string()),
            // One too many: the engine refuses it.
            None => text.push('?'),
        }
        text.push_str(part);
    }
    text
}

/// A value as SQL. Bytes and texts are hexadecimal digits, so that nothing in it can be
/// read as SQL.
struct Literal<'a>(Value<'a>);

impl Display for Literal<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let bytes = match &self.0 {
            Value::Bytes(bytes) => bytes,
            Value::Id(id) => &id.as_bytes()[..],
            Value::Null => return f.write_str("NULL"),
            Value::Number(number) => return write!(f, "{number}"),
            Value::Text(text) => text.as_bytes(),
        };
        f.write_str("x'")?;
        bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_be_read_as_sql() {
        let values = ["'?\\".into(), Value::Bytes(&[0, 255]), None::<i64>.into(), (-1).into()];
        assert_eq!(filled("SELECT ?, ?, ?, ?", &values), "SELECT x'273f5c', x'00ff', NULL, -1");
    }
}

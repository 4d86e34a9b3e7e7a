use std::fmt::{self, Display, Formatter};

/// A parameter of a statement.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Bytes(&'a [u8]),
    Null,
    Number(i64),
    Text(&'a str),
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Value<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value<'_> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// As SQL. Bytes and texts are hexadecimal digits, so that nothing in a value can be
/// read as SQL.
impl Display for Value<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let bytes = match self {
            Self::Bytes(bytes) => bytes,
            Self::Null => return f.write_str("NULL"),
            Self::Number(number) => return write!(f, "{number}"),
            Self::Text(text) => text.as_bytes(),
        };
        f.write_str("x'")?;
        bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("'")
    }
}

/// A statement with its parameters in it, a `?` each.
pub(super) fn filled(statement: &str, values: &[Value<'_>]) -> String {
    let mut parts = statement.split('?');
    let mut text = String::from(parts.next().unwrap_or_default());
    let mut values = values.iter();
    for part in parts {
        match values.next() {
            Some(value) => text.push_str(&value.to_string()),
            // One too many: the engine refuses it.
            None => text.push('?'),
        }
        text.push_str(part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_be_read_as_sql() {
        let values = ["'?\\".into(), (&[0, 255]).into(), None::<i64>.into(), (-1).into()];
        assert_eq!(filled("SELECT ?, ?, ?, ?", &values), "SELECT x'273f5c', x'00ff', NULL, -1");
    }
}

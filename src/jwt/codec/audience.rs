use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use super::text::Text;

/// Whom a token is for: one, or a list (RFC 7519 section 4.1.3).
pub(super) enum Audience<'a> {
    One(Text<'a>),
    Many(Vec<Text<'a>>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Audience<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Audience<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_borrowed_str<E>(self, one: &'de str) -> Result<Self::Value, E> {
                Ok(Audience::One(Text(Cow::Borrowed(one))))
            }

            fn visit_str<E>(self, one: &str) -> Result<Self::Value, E> {
                Ok(Audience::One(Text(Cow::Owned(one.into()))))
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut many: S) -> Result<Self::Value, S::Error> {
                let mut texts = Vec::new();
                while let Some(text) = many.next_element()? {
                    texts.push(text);
                }
                Ok(Audience::Many(texts))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

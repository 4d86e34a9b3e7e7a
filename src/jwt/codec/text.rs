use alloc::borrow::Cow;

use serde::Deserialize;

/// A text, without a copy unless it has escapes.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

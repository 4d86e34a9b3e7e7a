//! What a user knows a session by: a text for people, which decides nothing.

use alloc::string::String;
use alloc::sync::Arc;

const LONGEST: usize = 1_024;

/// The text as it may be shown: without characters that control a terminal or the
/// direction of text, and cut at a character within 1 KiB. `None` if nothing is left.
pub(super) fn shown(about: Arc<str>) -> Option<Arc<str>> {
    let about = if about.len() > LONGEST || about.contains(is_removed) {
        let kept: String = about.chars().filter(|character| !is_removed(*character)).collect();
        let end = (0..=kept.len().min(LONGEST)).rfind(|&at| kept.is_char_boundary(at));
        Arc::from(&kept[..end.unwrap_or(0)])
    } else {
        about
    };
    (!about.is_empty()).then_some(about)
}

fn is_removed(character: char) -> bool {
    let directs = matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    let breaks_lines = matches!(character, '\u{2028}' | '\u{2029}');
    character.is_control() || directs || breaks_lines
}

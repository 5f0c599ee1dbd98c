//! Positions of code points in a string: what `substr`, `lpad` and their like count in.

/// The byte offset of code point `count` of `text`, `None` past its end. The end itself counts.
pub(super) fn byte_offset(text: &str, count: usize) -> Option<usize> {
    if text.is_ascii() {
        return (count <= text.len()).then_some(count);
    }
    text.char_indices().map(|(offset, _)| offset).chain([text.len()]).nth(count)
}

/// The number of code points in `text`.
pub(super) fn count(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

/// Whether Java calls the character white space: Unicode separators that allow a line break, and
/// the control characters that mean space. (The no-break spaces and U+0085 are none.)
pub(super) fn is_whitespace(character: char) -> bool {
    matches!(
        character,
        '\u{9}'..='\u{d}'
            | '\u{1c}'..='\u{20}'
            | '\u{1680}'
            | '\u{2000}'..='\u{2006}'
            | '\u{2008}'..='\u{200a}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{205f}'
            | '\u{3000}'
    )
}

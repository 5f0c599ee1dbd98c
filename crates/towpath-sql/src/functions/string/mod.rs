//! String functions: <https://trino.io/docs/current/functions/string.html>.

mod chr;
mod code_points;
mod codepoint;
mod concat;
mod concat_ws;
mod entries;
mod from_utf8;
mod hamming_distance;
mod length;
mod levenshtein_distance;
mod lower;
mod lpad;
mod ltrim;
mod luhn_check;
mod normalize;
mod padding;
mod replace;
mod reverse;
mod rpad;
mod rtrim;
mod soundex;
mod split;
mod split_part;
mod split_to_map;
mod split_to_multimap;
mod starts_with;
mod strpos;
mod substring;
mod to_utf8;
mod translate;
mod trim;
mod upper;
mod word_stem;

use super::Registry;

/// Adds the functions of this group.
pub(super) fn register(registry: &mut Registry) {
    registry.scalar(chr::function());
    registry.scalar(codepoint::function());
    registry.scalar(concat::function());
    registry.scalar(concat_ws::function());
    registry.scalar(from_utf8::function());
    registry.scalar(hamming_distance::function());
    registry.scalar(length::function());
    registry.scalar(levenshtein_distance::function());
    registry.scalar(lower::function());
    registry.scalar(lpad::function());
    registry.scalar(ltrim::function());
    registry.scalar(luhn_check::function());
    registry.scalar(normalize::function());
    registry.scalar(replace::function());
    registry.scalar(reverse::function());
    registry.scalar(rpad::function());
    registry.scalar(rtrim::function());
    registry.scalar(soundex::function());
    registry.scalar(split::function());
    registry.scalar(split_part::function());
    registry.scalar(split_to_map::function());
    registry.scalar(split_to_multimap::function());
    registry.scalar(starts_with::function());
    registry.scalar(strpos::function());
    registry.scalar(substring::function());
    registry.scalar(to_utf8::function());
    registry.scalar(translate::function());
    registry.scalar(trim::function());
    registry.scalar(upper::function());
    registry.scalar(word_stem::function());
}

//! Repeatable choices.
//!
//! Each part of the trail draws from a generator that is named after the part, so that a change to
//! one story leaves every other byte of the trail as it was.

use sha2::{Digest, Sha256};

/// The letters of AWS's identifiers (RFC 4648 base32).
const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const HEX: &[u8] = b"0123456789abcdef";

/// `SplitMix64`: small, the same on every machine, and good enough to pick from lists.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    state: u64,
}

impl Random {
    /// The generator of the part called `name`.
    pub(crate) fn named(name: &str) -> Random {
        let digest = Sha256::digest(name.as_bytes());
        let state = digest.iter().take(8).fold(0, |state, byte| (state << 8) | u64::from(*byte));
        Random { state }
    }

    /// A number below `limit`, or 0 if `limit` is 0.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next().checked_rem(limit).unwrap_or(0)
    }

    /// A number of seconds, bytes or the like in `[low, high]`.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high - low + 1).unwrap_or(0);
        low + i64::try_from(self.below(span)).unwrap_or(0)
    }

    /// Whether something that happens `percent` times in a hundred happens now.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of `items`, which must not be empty.
    pub(crate) fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        let index = usize::try_from(self.next() >> 33).unwrap_or(0) % items.len();
        items[index]
    }

    /// `length` lower-case hexadecimal digits.
    pub(crate) fn hex(&mut self, length: usize) -> String {
        self.letters(HEX, length)
    }

    /// `length` letters as in AWS's identifiers.
    pub(crate) fn base32(&mut self, length: usize) -> String {
        self.letters(BASE32, length)
    }

    /// A version 4 UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let variant = self.pick(&["8", "9", "a", "b"]);
        let (first, second) = (self.hex(8), self.hex(4));
        let (third, fourth, fifth) = (self.hex(3), self.hex(3), self.hex(12));
        format!("{first}-{second}-4{third}-{variant}{fourth}-{fifth}")
    }

    fn letters(&mut self, alphabet: &[u8], length: usize) -> String {
        let mut text = String::with_capacity(length);
        for _ in 0..length {
            let index = usize::try_from(self.next() >> 33).unwrap_or(0) % alphabet.len();
            text.push(char::from(alphabet[index]));
        }
        text
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_gives_the_same_choices() {
        let (mut one, mut two) = (Random::named("a part"), Random::named("a part"));
        assert_eq!(one.uuid(), two.uuid());
        assert_ne!(one.base32(16), Random::named("another part").base32(16));
    }

    #[test]
    fn choices_stay_in_their_bounds() {
        let mut random = Random::named("bounds");
        for _ in 0..1_000 {
            assert!((3..=5).contains(&random.between(3, 5)));
            assert_eq!(random.below(1), 0);
        }
        assert_eq!(random.below(0), 0);
    }
}

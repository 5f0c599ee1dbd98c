//! From a seed and a number to an input: a corpus entry with a few changes.

use super::{INPUT_BYTES_MAX, Target};
use crate::trail::random::Random;

/// Most changes to one input.
const CHANGES_MAX: u64 = 6;

/// Most copies when a piece is repeated: enough to pass limits on nesting.
const COPIES_MAX: u64 = 300;

/// Makes one input.
pub(super) struct Mutator<'a> {
    target: &'a Target,
    random: Random,
}

impl<'a> Mutator<'a> {
    pub(super) fn new(target: &'a Target, seed: u64, number: u64) -> Mutator<'a> {
        let random = Random::named(&format!("{} {seed} {number}", target.name));
        Mutator { target, random }
    }

    pub(super) fn input(mut self) -> Vec<u8> {
        let mut pieces = self.cut_entry();
        for _ in 0..=self.random.below(CHANGES_MAX) {
            if self.random.chance(15) {
                let mut bytes = pieces.concat();
                self.change_bytes(&mut bytes);
                pieces = self.cut(&bytes);
            } else {
                self.change_pieces(&mut pieces);
            }
        }
        let mut input = pieces.concat();
        input.truncate(INPUT_BYTES_MAX);
        input
    }

    fn index(&mut self, length: usize) -> usize {
        let limit = u64::try_from(length).unwrap_or(u64::MAX);
        usize::try_from(self.random.below(limit)).unwrap_or(0)
    }

    fn cut_entry(&mut self) -> Vec<Vec<u8>> {
        let at = self.index(self.target.corpus.len());
        let entry = self.target.corpus.get(at).cloned().unwrap_or_default();
        self.cut(&entry)
    }

    fn cut(&self, input: &[u8]) -> Vec<Vec<u8>> {
        match self.target.tokens {
            Some(tokens) => tokens(input),
            None => input.iter().map(|byte| vec![*byte]).collect(),
        }
    }

    /// A run of neighbouring pieces: start and length, at least one piece if there is any.
    fn run_of(&mut self, length: usize) -> (usize, usize) {
        let start = self.index(length);
        let most = (length - start).min(12);
        (start, (1 + self.index(most)).min(length - start))
    }

    fn change_pieces(&mut self, pieces: &mut Vec<Vec<u8>>) {
        let (start, length) = self.run_of(pieces.len());
        let end = start + length;
        match self.random.below(8) {
            0 => drop(pieces.drain(start..end)),
            1 => {
                let copy = pieces[start..end].to_vec();
                let at = self.index(pieces.len() + 1);
                pieces.splice(at..at, copy);
            }
            2 => {
                let other = self.cut_entry();
                let (from, count) = self.run_of(other.len());
                pieces.splice(start..end, other[from..from + count].to_vec());
            }
            3 => {
                let other = self.cut_entry();
                let (from, count) = self.run_of(other.len());
                pieces.splice(start..start, other[from..from + count].to_vec());
            }
            4 | 5 if !self.target.dictionary.is_empty() => {
                let at = self.index(self.target.dictionary.len());
                let word = self.target.dictionary[at].clone();
                let keep = usize::from(self.random.chance(50));
                pieces.splice(start..(start + keep).min(end), [word]);
            }
            6 if length > 0 => {
                let other = self.index(pieces.len());
                pieces.swap(start, other);
            }
            _ if self.random.chance(20) => {
                let copies = usize::try_from(self.random.below(COPIES_MAX)).unwrap_or(0);
                let copy = pieces[start..end].to_vec();
                let many = copy.iter().cycle().take(copy.len() * copies).cloned();
                let many: Vec<Vec<u8>> = many.collect();
                pieces.splice(start..start, many);
            }
            _ => {}
        }
    }

    fn change_bytes(&mut self, bytes: &mut Vec<u8>) {
        let at = self.index(bytes.len());
        let new = u8::try_from(self.random.below(256)).unwrap_or(0);
        match (self.random.below(4), bytes.get_mut(at)) {
            (0, Some(byte)) => *byte = new,
            (1, Some(byte)) => *byte ^= 1 << (new & 7),
            (2, Some(_)) => drop(bytes.remove(at)),
            _ => bytes.insert(at, new),
        }
    }
}

//! `soundex(string)`: the sound of an English word as a letter and three digits.
//!
//! <https://trino.io/docs/current/functions/string.html#soundex>

use arrow::array::ArrayRef;
use datafusion::common::Result;

use crate::functions::args::{Args, invalid, map1};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("soundex").form(&[Param::Varchar], Returns::VARCHAR, evaluate)
}

fn evaluate(args: &Args<'_>) -> Result<ArrayRef> {
    map1(args, |text: &str| soundex(text).map(Some))
}

/// Letters in a code.
const CODE_LETTERS: usize = 4;

fn soundex(text: &str) -> Result<String> {
    let mut code = String::with_capacity(CODE_LETTERS);
    let mut last = '0';
    for character in text.chars().filter(|one| one.is_alphabetic()) {
        let letter = character.to_ascii_uppercase();
        let digit = digit_of(letter)?;
        if code.is_empty() {
            code.push(letter);
            last = digit;
            continue;
        }
        // H and W do not part two letters of one sound; a vowel does.
        if digit == '-' {
            continue;
        }
        if digit != '0' && digit != last {
            code.push(digit);
            if code.len() == CODE_LETTERS {
                break;
            }
        }
        last = digit;
    }
    while !code.is_empty() && code.len() < CODE_LETTERS {
        code.push('0');
    }
    Ok(code)
}

/// The class of a letter's sound: `0` for vowels, `-` for H and W.
fn digit_of(letter: char) -> Result<char> {
    match letter {
        'A' | 'E' | 'I' | 'O' | 'U' | 'Y' => Ok('0'),
        'B' | 'F' | 'P' | 'V' => Ok('1'),
        'C' | 'G' | 'J' | 'K' | 'Q' | 'S' | 'X' | 'Z' => Ok('2'),
        'D' | 'T' => Ok('3'),
        'L' => Ok('4'),
        'M' | 'N' => Ok('5'),
        'R' => Ok('6'),
        'H' | 'W' => Ok('-'),
        other => Err(invalid(format!("The character is not mapped: {other}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::soundex;

    #[test]
    fn words_of_one_sound_have_one_code() {
        for (word, code) in [
            ("jim", "J500"),
            ("jims", "J520"),
            ("Robert", "R163"),
            ("Rupert", "R163"),
            ("Ashcraft", "A261"),
            ("Tymczak", "T522"),
            ("Pfister", "P236"),
            ("John Smith", "J525"),
            ("", ""),
        ] {
            assert_eq!(soundex(word).unwrap(), code, "{word}");
        }
        assert!(soundex("jąmes").is_err());
    }
}

//! `word_stem(word)`, `word_stem(word, lang)`: the stem by the Snowball algorithm of the language,
//! English unless given as a two-letter code. Where Snowball offers none in the library used here
//! (`ca`, `eu`, `ga`, `hy`, `lt`), the language is refused as an unknown one is.
//!
//! <https://trino.io/docs/current/functions/string.html#word_stem>

use arrow::array::ArrayRef;
use datafusion::common::Result;
use rust_stemmers::{Algorithm, Stemmer};

use crate::functions::args::{Args, invalid, map1, map2};
use crate::functions::scalar::{Param, Returns, ScalarFunction};

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::new("word_stem").form(&[Param::Varchar], Returns::VARCHAR, english).form(
        &[Param::Varchar, Param::Varchar],
        Returns::VARCHAR,
        in_language,
    )
}

fn english(args: &Args<'_>) -> Result<ArrayRef> {
    let stemmer = Stemmer::create(Algorithm::English);
    map1(args, |word: &str| Ok(Some(stemmer.stem(word).into_owned())))
}

fn in_language(args: &Args<'_>) -> Result<ArrayRef> {
    if let Some(Some(language)) = args.constant::<&str>(1)? {
        let stemmer = Stemmer::create(algorithm(language)?);
        return map1(args, |word: &str| Ok(Some(stemmer.stem(word).into_owned())));
    }
    map2(args, |word: &str, language: &str| {
        Ok(Some(Stemmer::create(algorithm(language)?).stem(word).into_owned()))
    })
}

fn algorithm(language: &str) -> Result<Algorithm> {
    Ok(match language {
        "en" => Algorithm::English,
        "da" => Algorithm::Danish,
        "nl" => Algorithm::Dutch,
        "fi" => Algorithm::Finnish,
        "fr" => Algorithm::French,
        "de" => Algorithm::German,
        "hu" => Algorithm::Hungarian,
        "it" => Algorithm::Italian,
        "no" => Algorithm::Norwegian,
        "pt" => Algorithm::Portuguese,
        "ro" => Algorithm::Romanian,
        "ru" => Algorithm::Russian,
        "es" => Algorithm::Spanish,
        "sv" => Algorithm::Swedish,
        "tr" => Algorithm::Turkish,
        other => return Err(invalid(format!("Unknown stemmer language: {other}"))),
    })
}

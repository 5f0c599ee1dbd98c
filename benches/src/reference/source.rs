//! Reading the comment that a function's file begins with.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Files that begin with the name of a thing and not with that of a function.
const HELPERS: [&str; 2] = ["hyperloglog", "spookyhash"];

/// A function as its file describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// The folder it is in.
    pub group: String,
    /// What users write.
    pub name: String,
    /// Other names of the same function.
    pub aliases: Vec<String>,
    /// The ways to call it.
    pub signatures: Vec<String>,
    /// What it does, in one paragraph on one line.
    pub summary: String,
    /// All that is said of it, as Markdown.
    pub text: String,
    /// Trino's page.
    pub page: String,
}

/// The functions in a folder. Files whose comment does not begin with a call are their helpers.
pub(super) fn read_group(folder: &Path, group: &str) -> io::Result<Vec<Function>> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    paths.sort();
    let mut functions = Vec::new();
    for path in paths {
        let source = fs::read_to_string(&path)?;
        functions.extend(read_function(&source, group));
    }
    Ok(functions)
}

fn read_function(source: &str, group: &str) -> Option<Function> {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let lines: Vec<&str> = lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    let first = lines.first()?.strip_prefix('`')?;
    let name = first.split(['(', '`', ' ']).next()?.to_lowercase();
    // What only the binder calls, and what functions of one family share.
    if name.starts_with('$') || HELPERS.contains(&name.as_str()) {
        return None;
    }
    let (text, page) = without_link(&lines);
    let summary = text.split("\n\n").next()?.replace('\n', " ");
    let signatures = calls_of(&name, &summary);
    let said = summary.split_once("`: ").map_or(summary.as_str(), |(_, rest)| rest).to_owned();
    let aliases = source.split(".alias(\"").skip(1);
    let aliases = aliases.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect();
    let page =
        page.unwrap_or_else(|| format!("https://trino.io/docs/current/functions/{group}.html"));
    Some(Function {
        group: group.to_owned(),
        signatures: if signatures.is_empty() { vec![format!("{name}()")] } else { signatures },
        name,
        aliases,
        summary: said,
        text,
        page,
    })
}

/// The comment without Trino's link, and the link.
fn without_link(lines: &[&str]) -> (String, Option<String>) {
    let text = lines.join("\n");
    let Some(start) = text.find("<https://trino.io/") else {
        return (text.trim().to_owned(), None);
    };
    let (before, link) = text.split_at(start);
    let (link, after) = link.split_once('>').unwrap_or((link, ""));
    let before = before.trim_end().strip_suffix("Trino:").unwrap_or(before).trim_end();
    let after = after.trim_start_matches('.').trim();
    let gap = if before.is_empty() || after.is_empty() { "" } else { "\n\n" };
    (format!("{before}{gap}{after}"), Some(link.trim_start_matches('<').to_owned()))
}

/// The code in `text` that calls `name`.
fn calls_of(name: &str, text: &str) -> Vec<String> {
    let code = text.split('`').skip(1).step_by(2);
    let calls = code.filter(|code| {
        let called = code.split('(').next().unwrap_or_default();
        called.eq_ignore_ascii_case(name) && code.contains('(')
    });
    let mut found: Vec<String> = Vec::new();
    for call in calls {
        if !found.iter().any(|known| known == call) {
            found.push(call.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_gives_name_calls_text_and_page() {
        let source = "//! `pow(x, y)`, `pow(x)`: a power,\n//! double.\n//!\n//! Trino: <https://trino.io/p>. \
                      NULL stays.\n\nuse a;\n// .alias(\"power\")";
        let function = read_function(source, "math").expect("a function");
        assert_eq!(function.name, "pow");
        assert_eq!(function.signatures, ["pow(x, y)", "pow(x)"]);
        assert_eq!(function.summary, "a power, double.");
        assert_eq!(function.page, "https://trino.io/p");
        assert_eq!(function.text, "`pow(x, y)`, `pow(x)`: a power,\ndouble.\n\nNULL stays.");
        assert_eq!(function.aliases, ["power"]);
        assert_eq!(read_function("//! What others share.\n", "math"), None);
    }
}

//! The reference of the SQL functions, made from the functions' own documentation.
//!
//! A function is a file, and the file begins with what it does: this reads those comments, writes a
//! page for each group, and the table that `towpath_sql::functions` reads. What it writes is
//! committed; a test fails when it is stale, and `cargo run -p towpath-benches --bin reference`
//! writes it again.

mod source;

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

pub use source::Function;

/// The folder of the functions, in the project.
const SOURCES: &str = "crates/towpath-sql/src/functions";

/// The folder of the pages, in the project.
const PAGES: &str = "crates/towpath-sql/docs/functions";

/// A folder of functions, and how its page is headed.
struct Group {
    folder: &'static str,
    title: &'static str,
    page: &'static str,
}

const GROUPS: [Group; 17] = [
    group("aggregate", "Aggregate functions", "aggregate"),
    group("array", "Array functions", "array"),
    group("binary", "Binary functions", "binary"),
    group("bitwise", "Bitwise functions", "bitwise"),
    group("conditional", "Conditional expressions", "conditional"),
    group("conversion", "Conversion functions", "conversion"),
    group("datetime", "Date and time functions", "datetime"),
    group("hyperloglog", "HyperLogLog functions", "hyperloglog"),
    group("json", "JSON functions", "json"),
    group("lambda", "Functions that take lambdas", "lambda"),
    group("map", "Map functions", "map"),
    group("math", "Mathematical functions", "math"),
    group("misc", "IP address and UUID functions", "ipaddress"),
    group("regexp", "Regular expression functions", "regexp"),
    group("string", "String functions", "string"),
    group("url", "URL functions", "url"),
    group("window", "Window functions", "window"),
];

const fn group(folder: &'static str, title: &'static str, page: &'static str) -> Group {
    Group { folder, title, page }
}

/// Calls that are syntax and so have no file: group, name, signatures, what they do.
const SYNTAX: [(&str, &str, &str, &str); 9] = [
    (
        "aggregate",
        "count",
        "count(*);count(x)",
        "how many rows there are, or rows where `x` is not NULL, bigint.",
    ),
    (
        "aggregate",
        "reduce_agg",
        "reduce_agg(x, initial, (state, x) -> state, (state, state) -> state)",
        "folds the values that are not NULL; NULL if there are none. The last lambda, which joins \
         states of several workers, must be there and is not needed.",
    ),
    (
        "conditional",
        "coalesce",
        "coalesce(x, y, …)",
        "the first argument that is not NULL; later ones are not evaluated.",
    ),
    (
        "conditional",
        "if",
        "if(condition, x);if(condition, x, y)",
        "`x` where the condition is true, else `y` or NULL.",
    ),
    ("conditional", "nullif", "nullif(x, y)", "NULL if the two are equal, else `x`."),
    (
        "conditional",
        "try",
        "try(x)",
        "NULL on the rows where `x` fails by its values: a cast, a division, a range, an argument.",
    ),
    (
        "conversion",
        "cast",
        "cast(x AS type)",
        "`x` as another type; fails where it has no such value.",
    ),
    ("conversion", "try_cast", "try_cast(x AS type)", "as `cast`, and NULL where that fails."),
    (
        "aggregate",
        "grouping",
        "grouping(column, …)",
        "which of the columns are left out of the row's grouping set, as bits.",
    ),
];

/// The functions of all groups, by group and name.
///
/// # Errors
///
/// What reading the sources gives.
pub fn functions(project: &Path) -> io::Result<Vec<Function>> {
    let mut functions = Vec::new();
    for group in &GROUPS {
        let folder = project.join(SOURCES).join(group.folder);
        functions.extend(source::read_group(&folder, group.folder)?);
    }
    for (folder, name, signatures, text) in SYNTAX {
        let page = GROUPS.iter().find(|group| group.folder == folder).map_or("", |one| one.page);
        functions.push(Function {
            group: folder.to_owned(),
            name: name.to_owned(),
            aliases: Vec::new(),
            signatures: signatures.split(';').map(str::to_owned).collect(),
            summary: text.to_owned(),
            text: text.to_owned(),
            page: format!("https://trino.io/docs/current/functions/{page}.html"),
        });
    }
    functions.sort_by(|a, b| (&a.group, &a.name).cmp(&(&b.group, &b.name)));
    Ok(functions)
}

/// The files of the reference as they should be, by path in the project.
///
/// # Errors
///
/// What reading the sources gives.
pub fn files(project: &Path) -> io::Result<Vec<(PathBuf, String)>> {
    let functions = functions(project)?;
    let mut files = vec![(Path::new(SOURCES).join("reference.tsv"), table(&functions))];
    for group in &GROUPS {
        let of_group: Vec<&Function> =
            functions.iter().filter(|function| function.group == group.folder).collect();
        let path = Path::new(PAGES).join(format!("{}.md", group.folder));
        files.push((path, page(group, &of_group)));
    }
    files.push((Path::new(PAGES).join("README.md"), index(&functions)));
    Ok(files)
}

/// One line a function: group, name, aliases, signatures, summary, Trino's page.
fn table(functions: &[Function]) -> String {
    let mut table = String::new();
    for one in functions {
        let (aliases, signatures) = (one.aliases.join(";"), one.signatures.join(";"));
        let Function { group, name, summary, page, .. } = one;
        let _ = writeln!(table, "{group}\t{name}\t{aliases}\t{signatures}\t{summary}\t{page}");
    }
    table
}

fn page(group: &Group, functions: &[&Function]) -> String {
    let Group { title, page, .. } = group;
    let mut text = format!(
        "# {title}\n\nMade from the code by `cargo run -p towpath-benches --bin reference`; edit the \
         comments there.\nTrino's own page: \
         <https://trino.io/docs/current/functions/{page}.html>.\nWhat differs from Trino is in \
         [differences.md](../differences.md).\n"
    );
    for function in functions {
        let _ = write!(text, "\n## {}\n\n", function.name);
        for signature in &function.signatures {
            let _ = writeln!(text, "    {signature}");
        }
        let _ = write!(text, "\n{}\n", function.text);
        if !function.aliases.is_empty() {
            let names: Vec<String> =
                function.aliases.iter().map(|alias| format!("`{alias}`")).collect();
            let _ = write!(text, "\nAlso called {}.\n", names.join(", "));
        }
        let _ = write!(text, "\n[Trino]({})\n", function.page);
    }
    text
}

fn index(functions: &[Function]) -> String {
    let mut text = String::from(
        "# Functions\n\nThe functions that a statement can call, which are Trino's and no others. \
         Made from the code by\n`cargo run -p towpath-benches --bin reference`.\n\n\
         | group | functions |\n|---|---|\n",
    );
    for Group { folder, title, .. } in &GROUPS {
        let names: Vec<&str> = functions
            .iter()
            .filter(|function| function.group == *folder)
            .flat_map(|function| {
                std::iter::once(&function.name).chain(&function.aliases).map(String::as_str)
            })
            .collect();
        let _ = writeln!(text, "| [{title}]({folder}.md) | {} |", names.join(", "));
    }
    text
}

//! The path language of `json_exists`, `json_query` and `json_value`: text to tree.
//!
//! Trino: <https://trino.io/docs/current/functions/json.html#json-path-language>.
//!
//! The evaluation is in [`super::sql_json_path_eval`].

use datafusion::common::{Result, exec_datafusion_err};

use crate::functions::json::json_text::Json;

/// Deepest nesting of parentheses, filters and signs in a path; parsing recurses once a level.
const PATH_DEPTH_MAX: usize = 64;

/// A path with its mode.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SqlJsonPath {
    /// Lax mode adapts arrays and ignores missing members; strict mode errs.
    pub(crate) lax: bool,
    pub(crate) root: PathNode,
}

/// An expression that gives a sequence of items.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PathNode {
    Literal(Json<'static>),
    /// `$`
    Context,
    /// `$name`
    Variable(String),
    /// `@`
    Current,
    /// `last`
    Last,
    Negate(Box<PathNode>),
    Plus(Box<PathNode>),
    Arithmetic(Box<PathNode>, Arithmetic, Box<PathNode>),
    Member(Box<PathNode>, String),
    WildcardMember(Box<PathNode>),
    Descendant(Box<PathNode>, String),
    Subscripts(Box<PathNode>, Vec<(PathNode, Option<PathNode>)>),
    WildcardArray(Box<PathNode>),
    Filter(Box<PathNode>, Box<Predicate>),
    Method(Box<PathNode>, Method),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulus,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Abs,
    Ceiling,
    Double,
    Floor,
    KeyValue,
    Size,
    Type,
}

/// What stands in a filter: true, false or unknown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Predicate {
    And(Box<Predicate>, Box<Predicate>),
    Or(Box<Predicate>, Box<Predicate>),
    Not(Box<Predicate>),
    IsUnknown(Box<Predicate>),
    Exists(PathNode),
    Compare(PathNode, Comparison, PathNode),
    StartsWith(PathNode, PathNode),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl SqlJsonPath {
    /// Parses `text`.
    ///
    /// # Errors
    ///
    /// What was found and what was expected, as Trino's parser says it.
    pub(crate) fn parse(text: &str) -> Result<SqlJsonPath> {
        let mut parser = Parser { rest: text, depth: 0 };
        let lax = match parser.word() {
            Some("lax") => true,
            Some("strict") => false,
            other => {
                let found = other.map_or_else(|| parser.found(), str::to_owned);
                return Err(exec_datafusion_err!(
                    "invalid JSON path: mismatched input '{found}' expecting {{'lax', 'strict'}}"
                ));
            }
        };
        let root = parser.sum()?;
        if parser.peek().is_some() {
            return Err(parser.unexpected("<EOF>"));
        }
        Ok(SqlJsonPath { lax, root })
    }
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn found(&mut self) -> String {
        self.peek().map_or_else(|| "<EOF>".to_owned(), String::from)
    }

    fn unexpected(&mut self, expected: &str) -> datafusion::error::DataFusionError {
        let found = self.found();
        exec_datafusion_err!("invalid JSON path: mismatched input '{found}' expecting {expected}")
    }

    /// Consumes `symbol` if it comes next.
    fn take(&mut self, symbol: &str) -> bool {
        self.peek();
        match self.rest.strip_prefix(symbol) {
            Some(after) => {
                self.rest = after;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, symbol: &str) -> Result<()> {
        if self.take(symbol) { Ok(()) } else { Err(self.unexpected(&format!("'{symbol}'"))) }
    }

    /// Consumes a word of letters, digits and `_`.
    fn word(&mut self) -> Option<&'a str> {
        let first = self.peek()?;
        if !(first.is_alphabetic() || first == '_') {
            return None;
        }
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
        let (word, after) = self.rest.split_at_checked(end.unwrap_or(self.rest.len()))?;
        self.rest = after;
        Some(word)
    }

    /// Consumes `keyword` if the next word is it.
    fn take_word(&mut self, keyword: &str) -> bool {
        let before = self.rest;
        let found = self.word() == Some(keyword);
        if !found {
            self.rest = before;
        }
        found
    }

    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        if self.depth > PATH_DEPTH_MAX {
            return Err(exec_datafusion_err!(
                "JSON path nests deeper than {PATH_DEPTH_MAX} levels"
            ));
        }
        let parsed = parse(self)?;
        self.depth -= 1;
        Ok(parsed)
    }

    fn sum(&mut self) -> Result<PathNode> {
        let mut left = self.product()?;
        loop {
            let operator = if self.take("+") {
                Arithmetic::Add
            } else if self.take("-") {
                Arithmetic::Subtract
            } else {
                return Ok(left);
            };
            left = PathNode::Arithmetic(Box::new(left), operator, Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Result<PathNode> {
        let mut left = self.signed()?;
        loop {
            let operator = if self.take("*") {
                Arithmetic::Multiply
            } else if self.take("/") {
                Arithmetic::Divide
            } else if self.take("%") {
                Arithmetic::Modulus
            } else {
                return Ok(left);
            };
            left = PathNode::Arithmetic(Box::new(left), operator, Box::new(self.signed()?));
        }
    }

    fn signed(&mut self) -> Result<PathNode> {
        if self.take("-") {
            return Ok(PathNode::Negate(Box::new(self.nested(Self::signed)?)));
        }
        if self.take("+") {
            return Ok(PathNode::Plus(Box::new(self.nested(Self::signed)?)));
        }
        self.accessors()
    }

    fn accessors(&mut self) -> Result<PathNode> {
        let mut node = self.primary()?;
        loop {
            let base = Box::new(node);
            node = if self.take("..") {
                PathNode::Descendant(base, self.member_name()?)
            } else if self.take(".") {
                self.after_dot(base)?
            } else if self.take("[") {
                self.nested(|parser| parser.subscripts(base))?
            } else if self.take("?") {
                self.expect("(")?;
                let predicate = self.nested(Self::disjunction)?;
                self.expect(")")?;
                PathNode::Filter(base, Box::new(predicate))
            } else {
                return Ok(*base);
            };
        }
    }

    fn after_dot(&mut self, base: Box<PathNode>) -> Result<PathNode> {
        if self.take("*") {
            return Ok(PathNode::WildcardMember(base));
        }
        let name = self.member_name()?;
        if !self.take("(") {
            return Ok(PathNode::Member(base, name));
        }
        let method = match name.as_str() {
            "abs" => Method::Abs,
            "ceiling" => Method::Ceiling,
            "double" => Method::Double,
            "floor" => Method::Floor,
            "keyvalue" => Method::KeyValue,
            "size" => Method::Size,
            "type" => Method::Type,
            other => {
                return Err(exec_datafusion_err!("JSON path method `{other}()` is not supported"));
            }
        };
        self.expect(")")?;
        Ok(PathNode::Method(base, method))
    }

    fn member_name(&mut self) -> Result<String> {
        if self.peek() == Some('"') {
            return self.string();
        }
        match self.word() {
            Some(name) => Ok(name.to_owned()),
            None => Err(self.unexpected("<identifier>")),
        }
    }

    fn subscripts(&mut self, base: Box<PathNode>) -> Result<PathNode> {
        if self.take("*") {
            self.expect("]")?;
            return Ok(PathNode::WildcardArray(base));
        }
        let mut subscripts = Vec::new();
        loop {
            let from = self.sum()?;
            let to = if self.take_word("to") { Some(self.sum()?) } else { None };
            subscripts.push((from, to));
            if !self.take(",") {
                self.expect("]")?;
                return Ok(PathNode::Subscripts(base, subscripts));
            }
        }
    }

    fn primary(&mut self) -> Result<PathNode> {
        match self.peek() {
            Some('$') => {
                self.take("$");
                // A variable's name follows the sign without a space.
                let named =
                    self.rest.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '"');
                if !named {
                    return Ok(PathNode::Context);
                }
                self.member_name().map(PathNode::Variable)
            }
            Some('@') => {
                self.take("@");
                Ok(PathNode::Current)
            }
            Some('(') => {
                self.take("(");
                let inner = self.nested(Self::sum)?;
                self.expect(")")?;
                Ok(inner)
            }
            Some('"') => Ok(PathNode::Literal(Json::String(self.string()?.into()))),
            Some(digit) if digit.is_ascii_digit() => self.number(),
            _ => match self.word() {
                Some("last") => Ok(PathNode::Last),
                Some("null") => Ok(PathNode::Literal(Json::Null)),
                Some("true") => Ok(PathNode::Literal(Json::Bool(true))),
                Some("false") => Ok(PathNode::Literal(Json::Bool(false))),
                _ => Err(self.unexpected("a path expression")),
            },
        }
    }

    fn number(&mut self) -> Result<PathNode> {
        let bytes = self.rest.as_bytes();
        let digits = |from: usize| {
            from + bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count()
        };
        let mut end = digits(0);
        if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
            end = digits(end + 1);
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let signed = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            if bytes.get(signed).is_some_and(u8::is_ascii_digit) {
                end = digits(signed);
            }
        }
        let Some((text, after)) = self.rest.split_at_checked(end) else {
            return Err(self.unexpected("a number"));
        };
        self.rest = after;
        Ok(PathNode::Literal(Json::Number(text.to_owned().into())))
    }

    fn string(&mut self) -> Result<String> {
        let mut scanner = crate::functions::json::json_text::Scanner::new(self.rest);
        let Ok(text) = scanner.string() else {
            return Err(self.unexpected("a string"));
        };
        let text = text.into_owned();
        self.rest = scanner.rest();
        Ok(text)
    }

    fn disjunction(&mut self) -> Result<Predicate> {
        let mut left = self.conjunction()?;
        while self.take("||") {
            left = Predicate::Or(Box::new(left), Box::new(self.conjunction()?));
        }
        Ok(left)
    }

    fn conjunction(&mut self) -> Result<Predicate> {
        let mut left = self.predicate()?;
        while self.take("&&") {
            left = Predicate::And(Box::new(left), Box::new(self.predicate()?));
        }
        Ok(left)
    }

    fn predicate(&mut self) -> Result<Predicate> {
        if self.rest.trim_start().starts_with('!') && !self.rest.trim_start().starts_with("!=") {
            self.take("!");
            return Ok(Predicate::Not(Box::new(self.nested(Self::predicate)?)));
        }
        if self.take_word("exists") {
            self.expect("(")?;
            let path = self.nested(Self::sum)?;
            self.expect(")")?;
            return Ok(Predicate::Exists(path));
        }
        // `(` opens a predicate or a path; only what follows tells, so the first is tried first.
        let (before, depth) = (self.rest, self.depth);
        if self.take("(")
            && let Ok(inner) = self.nested(Self::disjunction)
            && self.take(")")
        {
            if self.take_word("is") {
                return if self.take_word("unknown") {
                    Ok(Predicate::IsUnknown(Box::new(inner)))
                } else {
                    Err(self.unexpected("'unknown'"))
                };
            }
            return Ok(inner);
        }
        (self.rest, self.depth) = (before, depth);
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Predicate> {
        const OPERATORS: [(&str, Comparison); 7] = [
            ("==", Comparison::Equal),
            ("<>", Comparison::NotEqual),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        let left = self.sum()?;
        for (symbol, comparison) in OPERATORS {
            if self.take(symbol) {
                return Ok(Predicate::Compare(left, comparison, self.sum()?));
            }
        }
        if self.take_word("starts") && self.take_word("with") {
            return Ok(Predicate::StartsWith(left, self.primary()?));
        }
        if self.take_word("like_regex") {
            return Err(exec_datafusion_err!("JSON path predicate `like_regex` is not supported"));
        }
        Err(self.unexpected("a comparison"))
    }
}

#[cfg(test)]
mod tests {
    use super::{PATH_DEPTH_MAX, PathNode, SqlJsonPath};

    #[test]
    fn modes_and_accessors_are_read() {
        let path = SqlJsonPath::parse("strict $.a").unwrap();
        assert!(!path.lax);
        assert_eq!(path.root, PathNode::Member(Box::new(PathNode::Context), "a".to_owned()));
        for text in [
            "lax $",
            "lax $array[0, 2 to last - 1].*",
            r#"lax $."a b"..c ? (@.x > 1 && !(exists(@.y)) || (@.z == "q") is unknown)"#,
            "lax -$.a.abs() * 2 + 1.5e3",
            r#"lax $[*] ? ((@.a + 1) > 2 && @.b starts with $p)"#,
        ] {
            assert!(SqlJsonPath::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_path_is_refused() {
        let deep = format!("lax {}", "(".repeat(PATH_DEPTH_MAX + 1));
        for text in
            ["", "certainly not", "lax", "lax $[", "lax $.", "lax $ ? (@)", "lax $ x", &deep]
        {
            assert!(SqlJsonPath::parse(text).is_err(), "{text}");
        }
        let error = SqlJsonPath::parse("certainly not").unwrap_err().to_string();
        assert!(error.contains("mismatched input 'certainly' expecting {'lax', 'strict'}"));
    }
}

//! The syntax tree: Trino's query grammar and nothing else.
//!
//! Every node that an error can be about knows the byte it starts at; for binary operators that is
//! the operator, as in Trino.

use crate::data_type::Type;

/// An identifier as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ident {
    pub(crate) text: String,
    pub(crate) at: usize,
}

impl Ident {
    /// The form names are compared in; Trino ignores case even of quoted names.
    pub(crate) fn key(&self) -> String {
        self.text.to_lowercase()
    }
}

/// The name of a relation as written in a statement.
///
/// `text` is the whole name without quotes in its original case: an event data store id, a name
/// with hyphens, an ARN, or identifiers joined by dots; `parts` are those identifiers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RelationName {
    /// The whole name, unquoted, in its original case.
    pub text: String,
    /// The dot-separated parts; one for ids, hyphenated names and ARNs.
    pub parts: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) with: Option<With>,
    pub(crate) body: QueryBody,
    pub(crate) order_by: Vec<SortItem>,
    pub(crate) offset: Option<RowCount>,
    pub(crate) limit: Option<Limit>,
    pub(crate) at: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct With {
    pub(crate) recursive: bool,
    pub(crate) tables: Vec<CommonTable>,
}

#[derive(Clone, Debug)]
pub(crate) struct CommonTable {
    pub(crate) name: Ident,
    pub(crate) columns: Vec<Ident>,
    pub(crate) query: Query,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowCount {
    pub(crate) rows: usize,
    pub(crate) at: usize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    All,
    Rows(RowCount),
    WithTies(RowCount),
}

#[derive(Clone, Debug)]
pub(crate) enum QueryBody {
    Select(Box<Select>),
    SetOperation(Box<SetOperation>),
    Values(Vec<Vec<Expr>>, usize),
    Table(RelationName, usize),
    Nested(Box<Query>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetOperator {
    Union,
    Intersect,
    Except,
}

#[derive(Clone, Debug)]
pub(crate) struct SetOperation {
    pub(crate) operator: SetOperator,
    pub(crate) all: bool,
    pub(crate) left: QueryBody,
    pub(crate) right: QueryBody,
    pub(crate) at: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Select {
    pub(crate) distinct: bool,
    pub(crate) items: Vec<SelectItem>,
    pub(crate) from: Vec<Relation>,
    pub(crate) filter: Option<Expr>,
    pub(crate) group_by: Option<GroupBy>,
    pub(crate) having: Option<Expr>,
    pub(crate) windows: Vec<(Ident, WindowSpec)>,
    pub(crate) at: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum SelectItem {
    /// An expression with its alias.
    Expr(Expr, Option<Ident>),
    /// `*`
    All(usize),
    /// `t.*` or `row.*`, with the aliases of `t.* AS (a, b)`.
    AllOf(Expr, Vec<Ident>),
}

#[derive(Clone, Debug)]
pub(crate) struct GroupBy {
    pub(crate) distinct: bool,
    pub(crate) elements: Vec<GroupElement>,
}

#[derive(Clone, Debug)]
pub(crate) enum GroupElement {
    Simple(Vec<Expr>),
    Rollup(Vec<Vec<Expr>>),
    Cube(Vec<Vec<Expr>>),
    Sets(Vec<GroupElement>),
}

#[derive(Clone, Debug)]
pub(crate) struct SortItem {
    pub(crate) expr: Expr,
    pub(crate) descending: bool,
    pub(crate) nulls_first: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct TableAlias {
    pub(crate) name: Ident,
    pub(crate) columns: Vec<Ident>,
}

#[derive(Clone, Debug)]
pub(crate) struct Relation {
    pub(crate) kind: RelationKind,
    pub(crate) alias: Option<TableAlias>,
    pub(crate) at: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum RelationKind {
    Table(RelationName),
    Subquery(Box<Query>),
    Lateral(Box<Query>),
    Unnest { arrays: Vec<Expr>, ordinality: bool },
    Sample { relation: Box<Relation>, percent: Box<Expr> },
    Join(Box<Join>),
    Nested(Box<Relation>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JoinKind {
    Cross,
    Inner,
    Left,
    Right,
    Full,
}

#[derive(Clone, Debug)]
pub(crate) enum JoinCondition {
    None,
    On(Expr),
    Using(Vec<Ident>),
    Natural,
}

#[derive(Clone, Debug)]
pub(crate) struct Join {
    pub(crate) kind: JoinKind,
    pub(crate) left: Relation,
    pub(crate) right: Relation,
    pub(crate) condition: JoinCondition,
}

#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub(crate) kind: ExprKind,
    pub(crate) at: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulus,
}

impl Arithmetic {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Arithmetic::Add => "+",
            Arithmetic::Subtract => "-",
            Arithmetic::Multiply => "*",
            Arithmetic::Divide => "/",
            Arithmetic::Modulus => "%",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Comparison::Equal => "=",
            Comparison::NotEqual => "<>",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TrimSide {
    Both,
    Leading,
    Trailing,
}

#[derive(Clone, Debug)]
pub(crate) enum ExprKind {
    Null,
    /// `?` or `:name` that has no value yet.
    Parameter,
    Boolean(bool),
    Integer(String),
    Decimal(String),
    Double(f64),
    Text(String),
    Binary(Vec<u8>),
    /// `DATE '…'`, `DECIMAL '…'`, `IPADDRESS '…'` …
    Typed(Type, String),
    /// Months and milliseconds; one of them is zero by the field the literal names.
    Interval {
        months: Option<i32>,
        milliseconds: i64,
    },
    Name(Ident),
    Field(Box<Expr>, Ident),
    Subscript(Box<Expr>, Box<Expr>),
    Negate(Box<Expr>),
    Plus(Box<Expr>),
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    Concat(Box<Expr>, Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    Quantified {
        comparison: Comparison,
        all: bool,
        value: Box<Expr>,
        query: Box<Query>,
    },
    IsNull {
        value: Box<Expr>,
        negated: bool,
    },
    IsDistinct {
        left: Box<Expr>,
        right: Box<Expr>,
        negated: bool,
    },
    Between {
        value: Box<Expr>,
        low: Box<Expr>,
        high: Box<Expr>,
        negated: bool,
    },
    InList {
        value: Box<Expr>,
        list: Vec<Expr>,
        negated: bool,
    },
    InQuery {
        value: Box<Expr>,
        query: Box<Query>,
        negated: bool,
    },
    Like {
        value: Box<Expr>,
        pattern: Box<Expr>,
        escape: Option<Box<Expr>>,
        negated: bool,
    },
    Exists(Box<Query>),
    Subquery(Box<Query>),
    Case {
        operand: Option<Box<Expr>>,
        whens: Vec<(Expr, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
    Cast {
        value: Box<Expr>,
        target: Type,
        safe: bool,
    },
    Call(Box<Call>),
    Lambda {
        params: Vec<Ident>,
        body: Box<Expr>,
    },
    Row(Vec<Expr>),
    Array(Vec<Expr>),
    AtTimeZone(Box<Expr>, Box<Expr>),
    Trim {
        side: TrimSide,
        characters: Option<Box<Expr>>,
        value: Box<Expr>,
    },
    Grouping(Vec<Expr>),
    Json(Box<JsonCall>),
}

/// A call written as `name(…)`, or a piece of syntax that means one.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// As typed; looked up in lower case.
    pub(crate) name: String,
    pub(crate) args: Vec<Expr>,
    /// `count(*)`
    pub(crate) star: bool,
    pub(crate) distinct: bool,
    pub(crate) order_by: Vec<SortItem>,
    pub(crate) filter: Option<Expr>,
    pub(crate) ignore_nulls: bool,
    pub(crate) over: Option<Window>,
}

impl Call {
    pub(crate) fn plain(name: &str, args: Vec<Expr>) -> Call {
        Call {
            name: name.to_owned(),
            args,
            star: false,
            distinct: false,
            order_by: Vec::new(),
            filter: None,
            ignore_nulls: false,
            over: None,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Window {
    Named(Ident),
    Spec(Box<WindowSpec>),
}

#[derive(Clone, Debug)]
pub(crate) struct WindowSpec {
    pub(crate) base: Option<Ident>,
    pub(crate) partition_by: Vec<Expr>,
    pub(crate) order_by: Vec<SortItem>,
    pub(crate) frame: Option<Frame>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameUnits {
    Rows,
    Range,
    Groups,
}

#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) units: FrameUnits,
    pub(crate) start: FrameBound,
    pub(crate) end: Option<FrameBound>,
    pub(crate) at: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum FrameBound {
    UnboundedPreceding,
    UnboundedFollowing,
    CurrentRow,
    Preceding(Expr),
    Following(Expr),
}

/// `JSON_VALUE`, `JSON_QUERY`, `JSON_EXISTS`, `JSON_OBJECT` or `JSON_ARRAY` with its clauses.
#[derive(Clone, Debug)]
pub(crate) struct JsonCall {
    pub(crate) function: JsonFunction,
    pub(crate) returning: Option<Type>,
}

#[derive(Clone, Debug)]
pub(crate) enum JsonFunction {
    Exists {
        target: JsonPath,
        on_error: &'static str,
    },
    Value {
        target: JsonPath,
        on_empty: JsonDefault,
        on_error: JsonDefault,
    },
    Query {
        target: JsonPath,
        wrapper: &'static str,
        quotes: &'static str,
        on_empty: &'static str,
        on_error: &'static str,
    },
    Object {
        members: Vec<(Expr, JsonItem)>,
        null_on_null: bool,
        unique_keys: bool,
    },
    Array {
        elements: Vec<JsonItem>,
        null_on_null: bool,
    },
}

/// An input document, the path into it, and the values passed to the path by name.
#[derive(Clone, Debug)]
pub(crate) struct JsonPath {
    pub(crate) input: Expr,
    /// `FORMAT JSON ENCODING UTF8`: the input is binary.
    pub(crate) encoded: bool,
    pub(crate) path: Expr,
    pub(crate) passing: Vec<(Ident, JsonItem)>,
}

#[derive(Clone, Debug)]
pub(crate) enum JsonDefault {
    Null,
    Error,
    Default(Expr),
}

/// A value, and whether it is JSON text (`FORMAT JSON`).
#[derive(Clone, Debug)]
pub(crate) struct JsonItem {
    pub(crate) value: Expr,
    pub(crate) format_json: bool,
}

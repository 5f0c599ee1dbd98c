//! The named limits of the dialect. Every one exists so that no statement, however odd, can crash
//! or hang the process that plans it.

/// Longest statement, in bytes. CloudTrail's API stops at 10,000 characters; an embedding program
/// may generate longer ones, but nothing a person wrote comes near a mebibyte.
pub const STATEMENT_BYTES_MAX: usize = 1 << 20;

/// Most bytes of all values bound to one statement's parameters: as much as a statement that
/// spelled them out might have.
pub const PARAMETER_BYTES_MAX: usize = STATEMENT_BYTES_MAX;

/// Deepest nesting of expressions, subqueries and parentheses. Parsing and binding recurse, on a
/// stack of their own; a test plans statements this deep in a debug build.
pub const NESTING_MAX: usize = 200;

/// Stack given to parsing and binding of one statement, so that [`NESTING_MAX`] levels fit on any
/// caller's thread.
pub(crate) const STACK_BYTES: usize = 64 << 20;

/// Deepest nesting of subqueries inside expressions. DataFusion did not finish optimizing 40 of
/// them in four minutes; people write three or four.
pub const SUBQUERY_NESTING_MAX: usize = 8;

/// Most relations in one plan after every use of a common table expression is expanded in place.
/// Ten nested doublings make a thousand; a report joining all stores of a lake stays below it.
pub const RELATIONS_MAX: usize = 500;

/// Most nodes in the syntax tree of one statement. Bounds the memory of planning.
pub const NODES_MAX: usize = 200_000;

/// Most columns a select list may have once `*` is expanded.
pub const COLUMNS_MAX: usize = 2_000;

/// Most parts of one type: fields of its rows, elements, keys and values, at all levels. Thirty
/// steps of `ROW(x, x)` would make a thousand million.
pub const TYPE_PARTS_MAX: usize = 10_000;

/// Most grouping sets after `CUBE` and `ROLLUP` are expanded, as in Trino (`2048`).
pub const GROUPING_SETS_MAX: usize = 2_048;

/// Rounds a recursive common table expression may take, as in Trino (`max_recursion_depth`).
pub const RECURSION_DEPTH_MAX: usize = 10;

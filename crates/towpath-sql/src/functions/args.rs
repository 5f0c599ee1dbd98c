//! What every function file uses: argument columns, result columns, limits and Trino's errors.
//!
//! An argument is read through `Value`: `&str` reads `Utf8`, `LargeUtf8`, `Utf8View` and constants
//! alike, `i64` reads every integer width. A result is built through `Output`: strings become
//! `Utf8View`, bytes `Binary`. `map1` to `map4` join the two for functions that give NULL when
//! any argument is NULL; functions with other rules call `Args::column` and `collect`.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BinaryBuilder, BinaryViewArray, BooleanArray, BooleanBuilder,
    FixedSizeBinaryArray, LargeBinaryArray, LargeStringArray, PrimitiveArray, PrimitiveBuilder,
    StringArray, StringViewArray, StringViewBuilder,
};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Field, FieldRef, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type,
};
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_err};
use datafusion::logical_expr::ColumnarValue;

/// Longest string or binary one call may build, in bytes. CloudTrail's largest event is 256 kB and
/// a value of 10 MB must pass; Trino itself stops at its page size of the same order.
pub const STRING_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Most bytes all strings one call builds for one batch may take together. A batch has 8,192 rows,
/// so this allows 32 kB for each; what is built here is not yet seen by the memory pool.
pub const BATCH_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Bytes that each string of an array takes besides its text: an empty one is not free.
pub(crate) const VIEW_BYTES: usize = 16;

/// Most elements one generated array may have, as in Trino.
pub const ARRAY_ELEMENTS_MAX: usize = 10_000;

/// Trino's name of an error kind. `TRY` turns all of these but the last two into NULL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorCode {
    /// An argument has no meaning for the function.
    InvalidFunctionArgument,
    /// A text or number does not fit the type it is cast to.
    InvalidCastArgument,
    /// A number left the range of its type.
    NumericValueOutOfRange,
    /// A division by zero.
    DivisionByZero,
    /// The types of the arguments fit no form of the function.
    TypeMismatch,
    /// A named limit of this library was reached.
    ExceededFunctionMemoryLimit,
}

impl ErrorCode {
    /// Trino's spelling of the code.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ErrorCode::InvalidFunctionArgument => "INVALID_FUNCTION_ARGUMENT",
            ErrorCode::InvalidCastArgument => "INVALID_CAST_ARGUMENT",
            ErrorCode::NumericValueOutOfRange => "NUMERIC_VALUE_OUT_OF_RANGE",
            ErrorCode::DivisionByZero => "DIVISION_BY_ZERO",
            ErrorCode::TypeMismatch => "TYPE_MISMATCH",
            ErrorCode::ExceededFunctionMemoryLimit => "EXCEEDED_FUNCTION_MEMORY_LIMIT",
        }
    }

    /// Whether `TRY(...)` gives NULL for it.
    #[must_use]
    pub fn is_caught_by_try(self) -> bool {
        !matches!(self, ErrorCode::TypeMismatch | ErrorCode::ExceededFunctionMemoryLimit)
    }
}

/// An error of a function in Trino's words. Reaches the caller as `DataFusionError::External`.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct FunctionError {
    /// The kind of the error.
    pub code: ErrorCode,
    /// Trino's text.
    pub message: String,
}

impl FunctionError {
    /// The text of the error whose debug text is in `text`. Parquet's row filter keeps no more of
    /// an error than that.
    #[must_use]
    pub fn in_debug_text(text: &str) -> Option<&str> {
        let (_, error) = text.split_once("External(FunctionError(")?;
        error.split_once("): ")?.1.strip_suffix(')')
    }
}

/// `FunctionError(CODE): TEXT`, with the text as it is: see [`FunctionError::in_debug_text`].
impl fmt::Debug for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FunctionError({:?}): {}", self.code, self.message)
    }
}

/// An error of `code` with `message`.
pub(crate) fn error(code: ErrorCode, message: impl Into<String>) -> DataFusionError {
    DataFusionError::External(Box::new(FunctionError { code, message: message.into() }))
}

/// `INVALID_FUNCTION_ARGUMENT`.
pub(crate) fn invalid(message: impl Into<String>) -> DataFusionError {
    error(ErrorCode::InvalidFunctionArgument, message)
}

/// `INVALID_CAST_ARGUMENT`.
pub(crate) fn invalid_cast(message: impl Into<String>) -> DataFusionError {
    error(ErrorCode::InvalidCastArgument, message)
}

/// `NUMERIC_VALUE_OUT_OF_RANGE`.
pub(crate) fn out_of_range(message: impl Into<String>) -> DataFusionError {
    error(ErrorCode::NumericValueOutOfRange, message)
}

/// `DIVISION_BY_ZERO`.
pub(crate) fn division_by_zero() -> DataFusionError {
    error(ErrorCode::DivisionByZero, "Division by zero")
}

/// The error of a result of `bytes` that is past [`STRING_BYTES_MAX`] or [`BATCH_BYTES_MAX`].
fn too_large(function_limit: &str, bytes_max: usize) -> DataFusionError {
    error(
        ErrorCode::ExceededFunctionMemoryLimit,
        format!("{function_limit} exceeds the limit of {bytes_max} bytes"),
    )
}

/// Refuses a single value of `bytes` before it is built.
///
/// # Errors
///
/// `EXCEEDED_FUNCTION_MEMORY_LIMIT` past [`STRING_BYTES_MAX`].
pub(crate) fn check_bytes(bytes: usize) -> Result<()> {
    if bytes > STRING_BYTES_MAX {
        return Err(too_large("the value a function builds", STRING_BYTES_MAX));
    }
    Ok(())
}

/// The arguments of one call for one batch.
pub(crate) struct Args<'a> {
    /// The evaluated arguments.
    pub(crate) columns: &'a [ColumnarValue],
    /// The field of each argument, with extension types in its metadata.
    pub(crate) fields: &'a [FieldRef],
    /// What the planner was told the call returns.
    pub(crate) return_field: &'a FieldRef,
    /// Rows to compute: 1 when every argument is constant.
    pub(crate) rows: usize,
}

impl fmt::Debug for Args<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Args").field("fields", &self.fields).field("rows", &self.rows).finish()
    }
}

impl<'a> Args<'a> {
    /// Number of arguments.
    pub(crate) fn len(&self) -> usize {
        self.columns.len()
    }

    /// Argument `index` as it was evaluated.
    pub(crate) fn value(&self, index: usize) -> Result<&'a ColumnarValue> {
        match self.columns.get(index) {
            Some(value) => Ok(value),
            None => exec_err!("argument {index} is missing"),
        }
    }

    /// Argument `index` as a column of `V`.
    pub(crate) fn column<V: Value<'a>>(&self, index: usize) -> Result<V::Column> {
        V::column(self.value(index)?)
    }

    /// Argument `index` as an array of [`Args::rows`] rows.
    pub(crate) fn array(&self, index: usize) -> Result<ArrayRef> {
        self.value(index)?.to_array(self.rows)
    }

    /// The type of argument `index`.
    pub(crate) fn data_type(&self, index: usize) -> Result<DataType> {
        Ok(self.value(index)?.data_type())
    }

    /// Argument `index` if it is constant: the outer `None` says it varies by row, the inner one
    /// that it is NULL.
    pub(crate) fn constant<V: Value<'a>>(&self, index: usize) -> Result<Option<Option<V>>> {
        let value = self.value(index)?;
        if matches!(value, ColumnarValue::Scalar(_)) {
            return Ok(Some(V::get(&V::column(value)?, 0)));
        }
        Ok(None)
    }

    /// An array of NULLs of the return type.
    pub(crate) fn nulls(&self) -> ArrayRef {
        arrow::array::new_null_array(self.return_field.data_type(), self.rows)
    }
}

/// A type that rows of an argument are read as.
pub(crate) trait Value<'a>: Sized {
    /// The argument, ready for reading by row.
    type Column;
    /// Prepares an argument.
    fn column(value: &'a ColumnarValue) -> Result<Self::Column>;
    /// The value of a row, `None` for NULL.
    fn get(column: &Self::Column, row: usize) -> Option<Self>;
}

/// A varchar argument.
#[derive(Debug)]
pub(crate) enum Strings<'a> {
    Constant(Option<&'a str>),
    Utf8(&'a StringArray),
    Large(&'a LargeStringArray),
    View(&'a StringViewArray),
}

impl<'a> Strings<'a> {
    /// Reads an array of any string type.
    pub(crate) fn of_array(array: &'a dyn Array) -> Result<Strings<'a>> {
        let any = array.as_any();
        if let Some(view) = any.downcast_ref() {
            return Ok(Strings::View(view));
        }
        if let Some(utf8) = any.downcast_ref() {
            return Ok(Strings::Utf8(utf8));
        }
        if let Some(large) = any.downcast_ref() {
            return Ok(Strings::Large(large));
        }
        if array.data_type() == &DataType::Null {
            return Ok(Strings::Constant(None));
        }
        exec_err!("expected varchar, got {}", array.data_type())
    }

    /// The string of a row, `None` for NULL.
    pub(crate) fn get(&self, row: usize) -> Option<&'a str> {
        match self {
            Strings::Constant(value) => *value,
            Strings::Utf8(array) => array.is_valid(row).then(|| array.value(row)),
            Strings::Large(array) => array.is_valid(row).then(|| array.value(row)),
            Strings::View(array) => array.is_valid(row).then(|| array.value(row)),
        }
    }
}

impl<'a> Value<'a> for &'a str {
    type Column = Strings<'a>;

    fn column(value: &'a ColumnarValue) -> Result<Strings<'a>> {
        match value {
            ColumnarValue::Array(array) => Strings::of_array(array.as_ref()),
            ColumnarValue::Scalar(
                ScalarValue::Utf8(text)
                | ScalarValue::LargeUtf8(text)
                | ScalarValue::Utf8View(text),
            ) => Ok(Strings::Constant(text.as_deref())),
            ColumnarValue::Scalar(ScalarValue::Null) => Ok(Strings::Constant(None)),
            ColumnarValue::Scalar(other) => {
                exec_err!("expected varchar, got {}", other.data_type())
            }
        }
    }

    fn get(column: &Strings<'a>, row: usize) -> Option<&'a str> {
        column.get(row)
    }
}

/// A varbinary argument.
#[derive(Debug)]
pub(crate) enum Bytes<'a> {
    Constant(Option<&'a [u8]>),
    Binary(&'a BinaryArray),
    Large(&'a LargeBinaryArray),
    View(&'a BinaryViewArray),
    Fixed(&'a FixedSizeBinaryArray),
}

impl<'a> Bytes<'a> {
    /// The value of a row, `None` for NULL.
    pub(crate) fn get(&self, row: usize) -> Option<&'a [u8]> {
        match self {
            Bytes::Constant(value) => *value,
            Bytes::Binary(array) => array.is_valid(row).then(|| array.value(row)),
            Bytes::Large(array) => array.is_valid(row).then(|| array.value(row)),
            Bytes::View(array) => array.is_valid(row).then(|| array.value(row)),
            Bytes::Fixed(array) => array.is_valid(row).then(|| array.value(row)),
        }
    }
}

impl<'a> Value<'a> for &'a [u8] {
    type Column = Bytes<'a>;

    fn column(value: &'a ColumnarValue) -> Result<Bytes<'a>> {
        match value {
            ColumnarValue::Array(array) => {
                let any = array.as_any();
                if let Some(binary) = any.downcast_ref() {
                    return Ok(Bytes::Binary(binary));
                }
                if let Some(view) = any.downcast_ref() {
                    return Ok(Bytes::View(view));
                }
                if let Some(large) = any.downcast_ref() {
                    return Ok(Bytes::Large(large));
                }
                if let Some(fixed) = any.downcast_ref() {
                    return Ok(Bytes::Fixed(fixed));
                }
                if array.data_type() == &DataType::Null {
                    return Ok(Bytes::Constant(None));
                }
                exec_err!("expected varbinary, got {}", array.data_type())
            }
            ColumnarValue::Scalar(
                ScalarValue::Binary(bytes)
                | ScalarValue::LargeBinary(bytes)
                | ScalarValue::BinaryView(bytes)
                | ScalarValue::FixedSizeBinary(_, bytes),
            ) => Ok(Bytes::Constant(bytes.as_deref())),
            ColumnarValue::Scalar(ScalarValue::Null) => Ok(Bytes::Constant(None)),
            ColumnarValue::Scalar(other) => {
                exec_err!("expected varbinary, got {}", other.data_type())
            }
        }
    }

    fn get(column: &Bytes<'a>, row: usize) -> Option<&'a [u8]> {
        column.get(row)
    }
}

/// An argument of integers of any width.
#[derive(Debug)]
pub(crate) enum Integers<'a> {
    Constant(Option<i64>),
    Int8(&'a PrimitiveArray<Int8Type>),
    Int16(&'a PrimitiveArray<Int16Type>),
    Int32(&'a PrimitiveArray<Int32Type>),
    Int64(&'a PrimitiveArray<Int64Type>),
    Date(&'a PrimitiveArray<Date32Type>),
}

impl Integers<'_> {
    /// The value of a row, `None` for NULL.
    pub(crate) fn get(&self, row: usize) -> Option<i64> {
        match self {
            Integers::Constant(value) => *value,
            Integers::Int8(array) => array.is_valid(row).then(|| i64::from(array.value(row))),
            Integers::Int16(array) => array.is_valid(row).then(|| i64::from(array.value(row))),
            Integers::Int32(array) => array.is_valid(row).then(|| i64::from(array.value(row))),
            Integers::Int64(array) => array.is_valid(row).then(|| array.value(row)),
            Integers::Date(array) => array.is_valid(row).then(|| i64::from(array.value(row))),
        }
    }
}

impl<'a> Value<'a> for i64 {
    type Column = Integers<'a>;

    fn column(value: &'a ColumnarValue) -> Result<Integers<'a>> {
        let array = match value {
            ColumnarValue::Array(array) => array,
            ColumnarValue::Scalar(scalar) => return Ok(Integers::Constant(integer_of(scalar)?)),
        };
        let any = array.as_any();
        if let Some(int64) = any.downcast_ref() {
            return Ok(Integers::Int64(int64));
        }
        if let Some(int32) = any.downcast_ref() {
            return Ok(Integers::Int32(int32));
        }
        if let Some(int16) = any.downcast_ref() {
            return Ok(Integers::Int16(int16));
        }
        if let Some(int8) = any.downcast_ref() {
            return Ok(Integers::Int8(int8));
        }
        if let Some(date) = any.downcast_ref() {
            return Ok(Integers::Date(date));
        }
        if array.data_type() == &DataType::Null {
            return Ok(Integers::Constant(None));
        }
        exec_err!("expected bigint, got {}", array.data_type())
    }

    fn get(column: &Integers<'a>, row: usize) -> Option<i64> {
        column.get(row)
    }
}

/// The integer (or days of a date) in a constant.
fn integer_of(scalar: &ScalarValue) -> Result<Option<i64>> {
    match scalar {
        ScalarValue::Int8(value) => Ok(value.map(i64::from)),
        ScalarValue::Int16(value) => Ok(value.map(i64::from)),
        ScalarValue::Int32(value) | ScalarValue::Date32(value) => Ok(value.map(i64::from)),
        ScalarValue::Int64(value) => Ok(*value),
        ScalarValue::Null => Ok(None),
        other => exec_err!("expected bigint, got {}", other.data_type()),
    }
}

/// An argument whose rows are stored as fixed-width values of `T`.
#[derive(Debug)]
pub(crate) enum Primitives<'a, T: ArrowPrimitiveType> {
    Constant(Option<T::Native>),
    Array(&'a PrimitiveArray<T>),
}

impl<T: ArrowPrimitiveType> Primitives<'_, T> {
    /// The value of a row, `None` for NULL.
    pub(crate) fn get(&self, row: usize) -> Option<T::Native> {
        match self {
            Primitives::Constant(value) => *value,
            Primitives::Array(array) => array.is_valid(row).then(|| array.value(row)),
        }
    }
}

/// Reads an argument whose rows are stored as `T`.
pub(crate) fn primitives<T: ArrowPrimitiveType>(
    value: &ColumnarValue,
) -> Result<Primitives<'_, T>> {
    match value {
        ColumnarValue::Array(array) => {
            if let Some(array) = array.as_any().downcast_ref() {
                return Ok(Primitives::Array(array));
            }
            if array.data_type() == &DataType::Null {
                return Ok(Primitives::Constant(None));
            }
            exec_err!("expected {}, got {}", T::DATA_TYPE, array.data_type())
        }
        ColumnarValue::Scalar(ScalarValue::Null) => Ok(Primitives::Constant(None)),
        ColumnarValue::Scalar(scalar) => {
            let array = scalar.to_array()?;
            match array.as_any().downcast_ref::<PrimitiveArray<T>>() {
                Some(one) => Ok(Primitives::Constant(one.iter().next().flatten())),
                None => exec_err!("expected {}, got {}", T::DATA_TYPE, scalar.data_type()),
            }
        }
    }
}

impl<'a> Value<'a> for f64 {
    type Column = Primitives<'a, Float64Type>;

    fn column(value: &'a ColumnarValue) -> Result<Self::Column> {
        primitives(value)
    }

    fn get(column: &Self::Column, row: usize) -> Option<f64> {
        column.get(row)
    }
}

impl<'a> Value<'a> for f32 {
    type Column = Primitives<'a, Float32Type>;

    fn column(value: &'a ColumnarValue) -> Result<Self::Column> {
        primitives(value)
    }

    fn get(column: &Self::Column, row: usize) -> Option<f32> {
        column.get(row)
    }
}

/// A boolean argument.
#[derive(Debug)]
pub(crate) enum Booleans<'a> {
    Constant(Option<bool>),
    Array(&'a BooleanArray),
}

impl Booleans<'_> {
    /// The value of a row, `None` for NULL.
    pub(crate) fn get(&self, row: usize) -> Option<bool> {
        match self {
            Booleans::Constant(value) => *value,
            Booleans::Array(array) => array.is_valid(row).then(|| array.value(row)),
        }
    }
}

impl<'a> Value<'a> for bool {
    type Column = Booleans<'a>;

    fn column(value: &'a ColumnarValue) -> Result<Booleans<'a>> {
        match value {
            ColumnarValue::Scalar(ScalarValue::Boolean(value)) => Ok(Booleans::Constant(*value)),
            ColumnarValue::Scalar(ScalarValue::Null) => Ok(Booleans::Constant(None)),
            ColumnarValue::Array(array) if array.data_type() == &DataType::Null => {
                Ok(Booleans::Constant(None))
            }
            ColumnarValue::Array(array) => match array.as_any().downcast_ref() {
                Some(array) => Ok(Booleans::Array(array)),
                None => exec_err!("expected boolean, got {}", array.data_type()),
            },
            ColumnarValue::Scalar(other) => {
                exec_err!("expected boolean, got {}", other.data_type())
            }
        }
    }

    fn get(column: &Booleans<'a>, row: usize) -> Option<bool> {
        column.get(row)
    }
}

/// A type that rows of a result are given as.
pub(crate) trait Output: Sized {
    /// What gathers the rows.
    type Builder;
    /// An empty builder for about `rows` rows.
    fn builder(rows: usize) -> Self::Builder;
    /// Adds one row.
    fn append(builder: &mut Self::Builder, value: Option<Self>) -> Result<()>;
    /// The rows as an array.
    fn finish(builder: Self::Builder) -> ArrayRef;
}

/// Gathers strings into a `Utf8View` array within the limits.
#[derive(Debug)]
pub(crate) struct StringOutput {
    builder: StringViewBuilder,
    bytes: usize,
}

impl StringOutput {
    pub(crate) fn new(rows: usize) -> StringOutput {
        StringOutput { builder: StringViewBuilder::with_capacity(rows), bytes: 0 }
    }

    /// Adds one string or NULL.
    pub(crate) fn append(&mut self, value: Option<&str>) -> Result<()> {
        let Some(text) = value else {
            self.builder.append_null();
            return Ok(());
        };
        self.bytes = add_bytes(self.bytes, text.len())?;
        self.builder.append_value(text);
        Ok(())
    }

    pub(crate) fn finish(mut self) -> ArrayRef {
        Arc::new(self.builder.finish())
    }
}

/// Counts `added` bytes of one value against the limits of a value and of a batch.
pub(crate) fn add_bytes(so_far: usize, added: usize) -> Result<usize> {
    check_bytes(added)?;
    let total = so_far.saturating_add(added);
    if total > BATCH_BYTES_MAX {
        return Err(too_large("what a function builds for one batch", BATCH_BYTES_MAX));
    }
    Ok(total)
}

macro_rules! string_output {
    ($($type:ty),*) => {$(
        impl Output for $type {
            type Builder = StringOutput;
            fn builder(rows: usize) -> StringOutput {
                StringOutput::new(rows)
            }
            fn append(builder: &mut StringOutput, value: Option<Self>) -> Result<()> {
                builder.append(value.as_ref().map(|text| -> &str { text.as_ref() }))
            }
            fn finish(builder: StringOutput) -> ArrayRef {
                builder.finish()
            }
        }
    )*};
}
string_output!(&str, String, Cow<'_, str>);

macro_rules! bytes_output {
    ($($type:ty),*) => {$(
        impl Output for $type {
            type Builder = (BinaryBuilder, usize);
            fn builder(rows: usize) -> Self::Builder {
                (BinaryBuilder::with_capacity(rows, 0), 0)
            }
            fn append((builder, bytes): &mut Self::Builder, value: Option<Self>) -> Result<()> {
                if let Some(value) = &value {
                    *bytes = add_bytes(*bytes, value.len())?;
                }
                builder.append_option(value);
                Ok(())
            }
            fn finish((mut builder, _): Self::Builder) -> ArrayRef {
                Arc::new(builder.finish())
            }
        }
    )*};
}
bytes_output!(&[u8], Vec<u8>);

macro_rules! primitive_output {
    ($($native:ty => $arrow:ty),*) => {$(
        impl Output for $native {
            type Builder = PrimitiveBuilder<$arrow>;
            fn builder(rows: usize) -> Self::Builder {
                PrimitiveBuilder::with_capacity(rows)
            }
            fn append(builder: &mut Self::Builder, value: Option<Self>) -> Result<()> {
                builder.append_option(value);
                Ok(())
            }
            fn finish(mut builder: Self::Builder) -> ArrayRef {
                Arc::new(builder.finish())
            }
        }
    )*};
}
primitive_output!(i8 => Int8Type, i16 => Int16Type, i32 => Int32Type, i64 => Int64Type,
    f32 => Float32Type, f64 => Float64Type);

impl Output for bool {
    type Builder = BooleanBuilder;

    fn builder(rows: usize) -> BooleanBuilder {
        BooleanBuilder::with_capacity(rows)
    }

    fn append(builder: &mut BooleanBuilder, value: Option<bool>) -> Result<()> {
        builder.append_option(value);
        Ok(())
    }

    fn finish(mut builder: BooleanBuilder) -> ArrayRef {
        Arc::new(builder.finish())
    }
}

/// Builds a column from `row`, called for each of `rows` in order.
pub(crate) fn collect<R: Output>(
    rows: usize,
    row: impl Fn(usize) -> Result<Option<R>>,
) -> Result<ArrayRef> {
    let mut builder = R::builder(rows);
    for index in 0..rows {
        R::append(&mut builder, row(index)?)?;
    }
    Ok(R::finish(builder))
}

/// Applies `f` to the one argument of each row; NULL in, NULL out.
pub(crate) fn map1<'a, A: Value<'a>, R: Output>(
    args: &Args<'a>,
    f: impl Fn(A) -> Result<Option<R>>,
) -> Result<ArrayRef> {
    let a = args.column::<A>(0)?;
    collect(args.rows, |row| match A::get(&a, row) {
        Some(a) => f(a),
        None => Ok(None),
    })
}

/// Applies `f` to the two arguments of each row; any NULL in, NULL out.
pub(crate) fn map2<'a, A: Value<'a>, B: Value<'a>, R: Output>(
    args: &Args<'a>,
    f: impl Fn(A, B) -> Result<Option<R>>,
) -> Result<ArrayRef> {
    let (a, b) = (args.column::<A>(0)?, args.column::<B>(1)?);
    collect(args.rows, |row| match (A::get(&a, row), B::get(&b, row)) {
        (Some(a), Some(b)) => f(a, b),
        _ => Ok(None),
    })
}

/// Applies `f` to the three arguments of each row; any NULL in, NULL out.
pub(crate) fn map3<'a, A: Value<'a>, B: Value<'a>, C: Value<'a>, R: Output>(
    args: &Args<'a>,
    f: impl Fn(A, B, C) -> Result<Option<R>>,
) -> Result<ArrayRef> {
    let (a, b, c) = (args.column::<A>(0)?, args.column::<B>(1)?, args.column::<C>(2)?);
    collect(args.rows, |row| match (A::get(&a, row), B::get(&b, row), C::get(&c, row)) {
        (Some(a), Some(b), Some(c)) => f(a, b, c),
        _ => Ok(None),
    })
}

/// Applies `f` to the four arguments of each row; any NULL in, NULL out.
pub(crate) fn map4<'a, A: Value<'a>, B: Value<'a>, C: Value<'a>, D: Value<'a>, R: Output>(
    args: &Args<'a>,
    f: impl Fn(A, B, C, D) -> Result<Option<R>>,
) -> Result<ArrayRef> {
    let (a, b) = (args.column::<A>(0)?, args.column::<B>(1)?);
    let (c, d) = (args.column::<C>(2)?, args.column::<D>(3)?);
    collect(args.rows, |row| {
        match (A::get(&a, row), B::get(&b, row), C::get(&c, row), D::get(&d, row)) {
            (Some(a), Some(b), Some(c), Some(d)) => f(a, b, c, d),
            _ => Ok(None),
        }
    })
}

/// `array(element)` as functions return it.
#[must_use]
pub fn array_type(element: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(element, true)))
}

/// `map(key, value)` as functions return it.
#[must_use]
pub fn map_type(key: DataType, value: DataType) -> DataType {
    let entries = vec![Field::new("key", key, false), Field::new("value", value, true)];
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries.into()), false)), false)
}

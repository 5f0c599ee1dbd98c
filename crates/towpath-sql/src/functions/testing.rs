//! Calls of functions without a statement, for tests: as constants and as columns.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::config::ConfigOptions;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, Volatility,
};

use super::register_all;

/// The function of that name.
pub(crate) fn function(name: &str) -> Arc<ScalarUDF> {
    let named = |udf: &Arc<ScalarUDF>| {
        udf.name() == name || udf.aliases().iter().any(|alias| alias == name)
    };
    register_all().scalar.into_iter().find(named).unwrap()
}

/// Calls a function on constants.
pub(crate) fn call(name: &str, args: &[ScalarValue]) -> Result<ScalarValue> {
    let udf = function(name);
    match invoke(&udf, args, 1, true)? {
        ColumnarValue::Scalar(scalar) => Ok(scalar),
        ColumnarValue::Array(array) => ScalarValue::try_from_array(&array, 0),
    }
}

/// Calls a function on `rows` rows of the same arguments, constants or columns.
fn invoke(
    udf: &ScalarUDF,
    args: &[ScalarValue],
    rows: usize,
    constant: bool,
) -> Result<ColumnarValue> {
    let given: Vec<DataType> = args.iter().map(ScalarValue::data_type).collect();
    let wanted = udf.coerce_types(&given)?;
    let args: Vec<ScalarValue> = args
        .iter()
        .zip(&wanted)
        .map(|(one, to)| if to == &one.data_type() { Ok(one.clone()) } else { one.cast_to(to) })
        .collect::<Result<_>>()?;
    let fields: Vec<FieldRef> =
        wanted.iter().map(|to| Arc::new(Field::new("", to.clone(), true))).collect();
    let scalars: Vec<Option<&ScalarValue>> =
        args.iter().map(|one| constant.then_some(one)).collect();
    let return_field = udf.return_field_from_args(ReturnFieldArgs {
        arg_fields: &fields,
        scalar_arguments: &scalars,
    })?;
    let columns = args
        .iter()
        .map(|one| match constant {
            true => Ok(ColumnarValue::Scalar(one.clone())),
            false => one.to_array_of_size(rows).map(ColumnarValue::Array),
        })
        .collect::<Result<_>>()?;
    udf.invoke_with_args(ScalarFunctionArgs {
        args: columns,
        arg_fields: fields,
        number_rows: rows,
        return_field,
        config_options: Arc::new(ConfigOptions::new()),
    })
}

/// A varchar.
pub(crate) fn text(text: &str) -> ScalarValue {
    ScalarValue::Utf8View(Some(text.to_owned()))
}

/// A bigint.
pub(crate) fn bigint(number: i64) -> ScalarValue {
    ScalarValue::Int64(Some(number))
}

/// Values at the edges of every type that a function may be given.
fn samples() -> Vec<ScalarValue> {
    let zone = Some("America/New_York".into());
    let mut samples = vec![
        ScalarValue::Null,
        ScalarValue::Utf8(None),
        ScalarValue::Utf8(Some("10.0.0.0/8".into())),
        ScalarValue::LargeUtf8(Some("%d %s %tY".into())),
        ScalarValue::Boolean(Some(true)),
        ScalarValue::Int8(Some(i8::MIN)),
        ScalarValue::Int32(Some(-7)),
        ScalarValue::Float32(Some(f32::NAN)),
        ScalarValue::Decimal128(Some(-12_345), 38, 2),
        ScalarValue::Decimal128(Some(i128::MAX / 2), 38, 38),
        ScalarValue::Binary(Some(vec![0xff, 0, 0x80])),
        ScalarValue::BinaryView(Some(Vec::new())),
        ScalarValue::FixedSizeBinary(16, Some(vec![255; 16])),
        ScalarValue::Date32(Some(i32::MIN)),
        ScalarValue::Date32(Some(19_000)),
        ScalarValue::Time64Microsecond(Some(86_399_999_999)),
        ScalarValue::TimestampSecond(Some(i64::MAX), None),
        ScalarValue::TimestampMillisecond(Some(i64::MIN), zone.clone()),
        ScalarValue::TimestampMicrosecond(Some(1_700_000_000_000_000), Some("+05:30".into())),
        ScalarValue::TimestampNanosecond(Some(i64::MAX), zone),
        ScalarValue::IntervalYearMonth(Some(i32::MIN)),
        ScalarValue::DurationMillisecond(Some(i64::MIN)),
        ScalarValue::List(ScalarValue::new_list_nullable(
            &[text("a"), ScalarValue::Utf8View(None)],
            &DataType::Utf8View,
        )),
        ScalarValue::List(ScalarValue::new_list_nullable(
            &[ScalarValue::Float64(Some(0.0))],
            &DataType::Float64,
        )),
    ];
    samples.extend([0, 1, -1, 3, 64, 65, i64::MIN, i64::MAX].map(bigint));
    samples.extend(
        [0.0, -0.5, 1e308, f64::NAN, f64::NEG_INFINITY].map(|one| ScalarValue::Float64(Some(one))),
    );
    samples.extend(
        ["", "é(", "day", "%Y-%m-%d", "yyyy''MM", "2024-02-30T25:61", "a=1,b", "\u{0}$1\\"]
            .map(text),
    );
    samples
}

/// A number that looks random and is the same in every run.
fn next(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).unwrap()
}

#[test]
fn no_function_panics_and_columns_agree_with_constants() {
    let samples = samples();
    let mut state = 42;
    let mut answered = 0;
    let mut panicked = BTreeSet::new();
    for udf in register_all().scalar {
        for round in 0..600 {
            let count = round % 5;
            let args: Vec<ScalarValue> =
                (0..count).map(|_| samples[next(&mut state) % samples.len()].clone()).collect();
            let both = catch_unwind(AssertUnwindSafe(|| {
                (invoke(&udf, &args, 1, true), invoke(&udf, &args, 2, false))
            }));
            let Ok((constant, columns)) = both else {
                panicked.insert(format!("{}{args:?}", udf.name()));
                continue;
            };
            if udf.signature().volatility != Volatility::Immutable {
                continue;
            }
            let (Ok(constant), Ok(columns)) = (constant, columns) else { continue };
            // A zone that only a constant carries changes the type, not the moment.
            if constant.data_type() != columns.data_type() {
                continue;
            }
            let array = columns.into_array(2).unwrap();
            let both = [0, 1].map(|row| ScalarValue::try_from_array(&array, row).unwrap());
            let alone = constant.into_array(1).unwrap();
            let alone = ScalarValue::try_from_array(&alone, 0).unwrap();
            assert_eq!(both, [alone.clone(), alone], "{}{args:?}", udf.name());
            answered += 1;
        }
    }
    assert_eq!(panicked, BTreeSet::new());
    assert!(answered > 2_000, "only {answered} calls were answered");
}

#[test]
fn a_call_that_fits_no_form_names_the_forms() {
    let error = call("starts_with", &[bigint(1)]).unwrap_err().to_string();
    assert!(error.contains(
        "Unexpected parameters (bigint) for function starts_with. \
         Expected: starts_with(varchar, varchar)"
    ));
}

#[test]
fn forms_with_the_cheapest_conversions_are_taken() {
    assert_eq!(call("abs", &[ScalarValue::Int32(Some(-7))]).unwrap(), ScalarValue::Int32(Some(7)));
    assert_eq!(call("length", &[ScalarValue::Null]).unwrap(), ScalarValue::Int64(None));
    let half = ScalarValue::Decimal128(Some(25), 2, 1);
    assert_eq!(call("round", &[half]).unwrap(), ScalarValue::Decimal128(Some(3), 2, 0));
    let mixed = [ScalarValue::Int32(Some(7)), ScalarValue::Decimal128(Some(25), 2, 1)];
    assert_eq!(call("mod", &mixed).unwrap(), ScalarValue::Decimal128(Some(20), 2, 1));
    let day = ScalarValue::Date32(Some(0));
    let added = call("date_add", &[text("day"), bigint(1), day]).unwrap();
    assert_eq!(added, ScalarValue::Date32(Some(1)));
}

#[test]
fn an_ascii_text_is_padded_as_any_other() {
    for (target, padded) in [(1, "é"), (4, "xyxé"), (0, "")] {
        assert_eq!(call("lpad", &[text("é"), bigint(target), text("xy")]).unwrap(), text(padded));
    }
    let huge = call("rpad", &[text("a"), bigint(2_000_000_000), text("b")]);
    assert!(huge.unwrap_err().to_string().contains("exceeds the limit"));
}

#[test]
fn moments_of_constants_keep_their_zone() {
    let zoned = call("from_iso8601_timestamp", &[text("2020-05-11T11:15:05.055+01:00")]).unwrap();
    assert_eq!(
        zoned.data_type(),
        DataType::Timestamp(TimeUnit::Millisecond, Some("+01:00".into()))
    );
    let shown = call("format_datetime", &[zoned, text("yyyy-MM-dd'T'HH:mm:ss.SSS ZZ")]).unwrap();
    assert_eq!(shown, text("2020-05-11T11:15:05.055 +01:00"));
}

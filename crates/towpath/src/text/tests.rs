//! Every Arrow type that a result may have, as text.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray,
    DurationMillisecondArray, FixedSizeBinaryArray, Float32Array, Float64Array, Int8Array,
    Int64Array, IntervalMonthDayNanoArray, IntervalYearMonthArray, ListArray, MapBuilder,
    NullArray, StringArray, StringBuilder, StringViewArray, Time64MicrosecondArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
    TimestampSecondArray, UInt64Array,
};
use arrow::datatypes::{Int32Type, IntervalMonthDayNano};

use super::*;

fn texts(array: &dyn Array) -> Vec<String> {
    texts_of(array, &Field::new("x", array.data_type().clone(), true))
}

fn texts_of(array: &dyn Array, field: &Field) -> Vec<String> {
    (0..array.len())
        .map(|row| {
            let mut out = String::new();
            push_text(&mut out, array, field, row);
            out
        })
        .collect()
}

#[test]
fn doubles_print_as_java_prints_them() {
    let doubles = Float64Array::from(vec![
        0.0,
        -0.0,
        1.0,
        0.1,
        100.0,
        1e-3,
        9.999e-4,
        9_999_999.0,
        1e7,
        1.5e10,
        1e300,
        5e-324,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        123_456.789,
    ]);
    assert_eq!(
        texts(&doubles),
        [
            "0.0",
            "-0.0",
            "1.0",
            "0.1",
            "100.0",
            "0.001",
            "9.999E-4",
            "9999999.0",
            "1.0E7",
            "1.5E10",
            "1.0E300",
            "5.0E-324",
            "NaN",
            "Infinity",
            "-Infinity",
            "123456.789",
        ]
    );
    assert_eq!(texts(&Float32Array::from(vec![0.1, 1e10, -2.0])), ["0.1", "1.0E10", "-2.0"]);
}

#[test]
fn integers_decimals_and_booleans_are_exact() {
    assert_eq!(
        texts(&Int64Array::from(vec![i64::MIN, i64::MAX])),
        ["-9223372036854775808", "9223372036854775807"]
    );
    assert_eq!(texts(&UInt64Array::from(vec![u64::MAX])), ["18446744073709551615"]);
    assert_eq!(texts(&Int8Array::from(vec![-1])), ["-1"]);
    assert_eq!(
        texts(&BooleanArray::from(vec![Some(true), Some(false), None])),
        ["true", "false", "null"]
    );
    let decimals =
        Decimal128Array::from(vec![12_345, -5, 0]).with_precision_and_scale(38, 3).unwrap();
    assert_eq!(texts(&decimals), ["12.345", "-0.005", "0.000"]);
}

#[test]
fn timestamps_show_as_many_digits_as_their_precision() {
    let millis = 1_688_990_400_000;
    assert_eq!(texts(&TimestampSecondArray::from(vec![millis / 1000])), ["2023-07-10 12:00:00"]);
    assert_eq!(
        texts(&TimestampMillisecondArray::from(vec![millis, -1])),
        ["2023-07-10 12:00:00.000", "1969-12-31 23:59:59.999"]
    );
    assert_eq!(
        texts(&TimestampMicrosecondArray::from(vec![millis * 1000 + 7])),
        ["2023-07-10 12:00:00.000007"]
    );
    assert_eq!(
        texts(&TimestampNanosecondArray::from(vec![i64::MIN])),
        ["1677-09-21 00:12:43.145224192"]
    );
    assert_eq!(texts(&TimestampSecondArray::from(vec![i64::MAX])), ["9223372036854775807"]);
}

#[test]
fn timestamps_with_a_zone_show_its_wall_clock() {
    let at = |zone: &str| {
        texts(&TimestampMillisecondArray::from(vec![1_688_990_400_000]).with_timezone(zone))
            .remove(0)
    };
    assert_eq!(at("UTC"), "2023-07-10 12:00:00.000 UTC");
    assert_eq!(at("+00:00"), "2023-07-10 12:00:00.000 UTC");
    assert_eq!(at("+05:30"), "2023-07-10 17:30:00.000 +05:30");
    assert_eq!(at("America/New_York"), "2023-07-10 08:00:00.000 America/New_York");
    assert_eq!(at("Not/AZone"), "2023-07-10 12:00:00.000 UTC");
}

#[test]
fn dates_times_and_intervals() {
    assert_eq!(
        texts(&Date32Array::from(vec![0, 19_548, -1])),
        ["1970-01-01", "2023-07-10", "1969-12-31"]
    );
    assert_eq!(texts(&Date32Array::from(vec![i32::MAX])), ["2147483647"]);
    assert_eq!(
        texts(&Time64MicrosecondArray::from(vec![45_296_789_000, 45_296_789_001])),
        ["12:34:56.789", "12:34:56.789001"]
    );
    assert_eq!(texts(&IntervalYearMonthArray::from(vec![14, -14])), ["1-2", "-1-2"]);
    assert_eq!(
        texts(&DurationMillisecondArray::from(vec![183_845_678, -1, i64::MIN])),
        ["2 03:04:05.678", "-0 00:00:00.001", "-106751991167 07:12:55.808"]
    );
    let mixed = |months, days, nanoseconds| IntervalMonthDayNano { months, days, nanoseconds };
    assert_eq!(
        texts(&IntervalMonthDayNanoArray::from(vec![
            mixed(0, 2, 5_000_000),
            mixed(3, 0, 0),
            mixed(0, 0, 0),
            mixed(1, 1, 0),
        ])),
        ["2 00:00:00.005", "0-3", "0 00:00:00.000", "0-1 1 00:00:00.000"]
    );
}

#[test]
fn maps_arrays_and_rows_nest() {
    let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    map.keys().append_value("k");
    map.values().append_value("v");
    map.keys().append_value("n");
    map.values().append_null();
    map.append(true).unwrap();
    map.append(true).unwrap();
    assert_eq!(texts(&map.finish()), ["{k=v, n=null}", "{}"]);

    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([
        Some(vec![Some(1), None, Some(3)]),
        Some(vec![]),
        None,
    ]);
    assert_eq!(texts(&list), ["[1, null, 3]", "[]", "null"]);

    let row = StructArray::try_from(vec![
        ("arn", Arc::new(StringArray::from(vec!["a"])) as ArrayRef),
        ("", Arc::new(Int64Array::from(vec![7])) as ArrayRef),
    ])
    .unwrap();
    assert_eq!(texts(&row), ["{arn=a, 7}"]);
}

#[test]
fn bytes_uuids_and_addresses() {
    assert_eq!(texts(&BinaryArray::from(vec![&b"he\xff"[..], b""])), ["68 65 ff", ""]);
    let bytes: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
    let v4: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 1];
    let array = FixedSizeBinaryArray::try_from_iter([bytes, v4].iter()).unwrap();
    let field = |extension: &str| {
        Field::new("x", DataType::FixedSizeBinary(16), true)
            .with_metadata(HashMap::from([(EXTENSION_NAME.to_owned(), extension.to_owned())]))
    };
    assert_eq!(texts_of(&array, &field(UUID))[0], "00010203-0405-0607-0809-0a0b0c0d0e0f");
    assert_eq!(texts_of(&array, &field(IPADDRESS)), ["1:203:405:607:809:a0b:c0d:e0f", "192.0.2.1"]);
}

#[test]
fn encodings_do_not_show() {
    let dictionary: DictionaryArray<Int32Type> =
        vec![Some("a"), None, Some("b"), Some("a")].into_iter().collect();
    assert_eq!(texts(&dictionary), ["a", "null", "b", "a"]);
    assert_eq!(
        texts(&StringViewArray::from(vec!["a string longer than twelve bytes"])),
        ["a string longer than twelve bytes"]
    );
    assert_eq!(texts(&NullArray::new(2)), ["null", "null"]);
}

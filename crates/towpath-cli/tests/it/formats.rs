use std::fs::File;

use arrow::array::RecordBatch;
use arrow::ipc::reader::FileReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

use crate::harness::Dir;

/// A row with one of everything, and one with a `NULL` of everything.
const EVERYTHING: &str = "
    SELECT
        eventName,
        eventTime,
        count(*) AS n,
        CAST(count(*) AS double) / 4 AS half,
        CAST(1.50 AS decimal(5, 2)) AS price,
        eventName = 'CreateBucket' AS is_create,
        max_by(requestParameters, eventTime) AS parameters,
        array_agg(awsRegion) AS regions,
        CAST(NULL AS varchar) AS nothing
    FROM trail
    WHERE eventTime < '2024-03-01 09:00'
    GROUP BY eventName, eventTime
    ORDER BY eventTime";

fn text(dir: &Dir, sql: &str, format: &str) -> String {
    let ran = dir.towpath(["query", sql, "--format", format]).run().success();
    assert_eq!(ran.stderr, "", "{format}");
    ran.text()
}

#[test]
fn every_text_format_writes_the_same_rows() {
    let dir = Dir::with_sample();
    let all: String = ["table", "csv", "tsv", "json", "ndjson", "markdown", "line"]
        .iter()
        .map(|format| format!("-- {format}\n{}", text(&dir, EVERYTHING, format)))
        .collect();
    insta::with_settings!({
        snapshot_path => "expected",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!("every_text_format", all);
    });
}

#[test]
fn an_empty_result_is_written_in_every_format() {
    let dir = Dir::with_sample();
    let sql = "SELECT eventName, eventTime FROM trail WHERE eventName = 'Nothing'";
    for (format, expected) in [
        ("table", " eventName | eventTime\n-----------+-----------\n"),
        ("csv", "eventName,eventTime\n"),
        ("tsv", "eventName\teventTime\n"),
        ("json", "[]\n"),
        ("ndjson", ""),
        ("markdown", "| eventName | eventTime |\n| --- | --- |\n"),
        ("line", ""),
    ] {
        assert_eq!(text(&dir, sql, format), expected, "{format}");
    }
    dir.towpath(["query", sql, "-o", "empty.parquet"]).run().success();
    dir.towpath(["query", sql, "-o", "empty.arrow"]).run().success();
    assert_eq!(
        read_parquet(&dir, "empty.parquet").iter().map(RecordBatch::num_rows).sum::<usize>(),
        0
    );
    let reader =
        FileReader::try_new(File::open(dir.path().join("empty.arrow")).unwrap(), None).unwrap();
    assert_eq!(reader.schema().field(0).name(), "eventName");
    assert_eq!(reader.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 0);
}

#[test]
fn parquet_and_arrow_hold_the_rows_with_their_types() {
    let dir = Dir::with_sample();
    dir.towpath(["query", EVERYTHING, "-o", "all.parquet"]).run().success();
    dir.towpath(["query", EVERYTHING, "-o", "all.arrow"]).run().success();
    let parquet = read_parquet(&dir, "all.parquet");
    let arrow: Vec<RecordBatch> =
        FileReader::try_new(File::open(dir.path().join("all.arrow")).unwrap(), None)
            .unwrap()
            .map(Result::unwrap)
            .collect();
    for batches in [&parquet, &arrow] {
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 2);
        let schema = batches[0].schema();
        assert!(schema.field_with_name("eventTime").unwrap().data_type().is_temporal());
        assert!(schema.field_with_name("n").unwrap().data_type().is_integer());
        assert!(schema.field_with_name("parameters").unwrap().data_type().is_nested());
    }
    let ran = dir.towpath(["query", EVERYTHING, "--format", "parquet"]).run().success();
    assert!(ran.stdout.starts_with(b"PAR1") && ran.stdout.ends_with(b"PAR1"));
}

#[test]
fn repeated_headings_stay_in_csv_and_get_numbers_in_objects() {
    let dir = Dir::with_sample();
    let sql = "SELECT 1 AS x, 2 AS x, 3 AS x_2";
    assert_eq!(text(&dir, sql, "csv"), "x,x,x_2\n1,2,3\n");
    assert_eq!(text(&dir, sql, "ndjson"), "{\"x\":1,\"x_3\":2,\"x_2\":3}\n");
}

fn read_parquet(dir: &Dir, name: &str) -> Vec<RecordBatch> {
    let file = File::open(dir.path().join(name)).unwrap();
    ParquetRecordBatchReader::try_new(file, 1024).unwrap().map(Result::unwrap).collect()
}

use crate::support::{MONTH, append, local_store, rows};
use bytes::Bytes;
use object_store::ObjectStoreExt;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fs;
use std::sync::Arc;
use towpath_store::Error;

#[tokio::test]
async fn rows_come_back_as_they_were_given() {
    let (_folder, _catalog, store) = local_store().await;
    append(&store, &["b", "a", "c"]).await.unwrap();
    let snapshot = store.snapshot().await.unwrap();
    let path = &snapshot.data_files()[0].path;
    let content: Bytes = store.object_store().get(path).await.unwrap().bytes().await.unwrap();

    let reader = ParquetRecordBatchReaderBuilder::try_new(content).unwrap();
    let metadata = Arc::clone(reader.metadata());
    let found: Vec<_> = reader.build().unwrap().map(Result::unwrap).collect();

    assert_eq!(found, [rows(&["b", "a", "c"])]);
    let group = metadata.row_group(0);
    let column = |name: &str| {
        group.columns().iter().find(|column| column.column_path().string() == name).unwrap()
    };
    assert!(column("eventID").bloom_filter_offset().is_some(), "needles have a bloom filter");
    assert!(column("eventTime").bloom_filter_offset().is_none());
    assert!(column("eventTime").column_index_offset().is_some(), "pages have statistics");
    assert!(matches!(column("eventTime").compression(), parquet::basic::Compression::ZSTD(_)));
}

#[tokio::test]
async fn any_changed_byte_of_a_data_file_is_found() {
    let (_folder, _catalog, store) = local_store().await;
    append(&store, &["a", "b"]).await.unwrap();
    let snapshot = store.snapshot().await.unwrap();
    let file = &snapshot.data_files()[0];
    store.verify_data_file(file).await.unwrap();

    let path = format!("/{}", file.path);
    let whole = fs::read(&path).unwrap();
    for position in (0..whole.len()).step_by(7) {
        let mut damaged = whole.clone();
        damaged[position] ^= 1;
        fs::write(&path, &damaged).unwrap();
        let err = store.verify_data_file(file).await.unwrap_err();
        assert!(
            matches!(err, Error::DamagedDataFile { what: "SHA-256", .. }),
            "{position}: {err:?}"
        );
    }
    fs::write(&path, &whole[1..]).unwrap();
    let err = store.verify_data_file(file).await.unwrap_err();
    assert!(matches!(err, Error::DamagedDataFile { what: "size", .. }), "{err:?}");
    fs::remove_file(&path).unwrap();
    let err = store.verify_data_file(file).await.unwrap_err();
    assert!(matches!(err, Error::Damaged { .. }), "{err:?}");
}

#[tokio::test]
async fn data_file_without_a_commit_is_no_part_of_the_store() {
    let (_folder, catalog, store) = local_store().await;
    store.write_data_file(MONTH, &[rows(&["orphan"])]).await.unwrap();
    assert_eq!(store.snapshot().await.unwrap().rows(), 0);
    append(&store, &["a"]).await.unwrap();
    assert_eq!(catalog.store("trail").await.unwrap().latest().rows(), 1);
}

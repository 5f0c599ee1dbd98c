use super::DurableFiles;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{
    Error, MultipartUpload, ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, PutPayload,
};
use std::fs;

fn folder() -> (tempfile::TempDir, Path) {
    let folder = tempfile::tempdir().unwrap();
    let path = Path::from_absolute_path(folder.path()).unwrap();
    (folder, path)
}

#[tokio::test]
async fn create_makes_folders_and_refuses_what_exists() {
    let (folder, root) = folder();
    let files = DurableFiles::new();
    let path = root.clone().join("a").join("b").join("c.json");
    let put = |text: &'static str| files.put_opts(&path, text.into(), PutMode::Create.into());

    put("one").await.unwrap();
    assert!(matches!(put("two").await, Err(Error::AlreadyExists { .. })));

    let stored = fs::read_to_string(folder.path().join("a/b/c.json")).unwrap();
    assert_eq!(stored, "one");
    let names = fs::read_dir(folder.path().join("a/b")).unwrap().count();
    assert_eq!(names, 1, "no staging file stays behind");
}

#[tokio::test]
async fn of_racing_creators_exactly_one_wins() {
    let (_folder, root) = folder();
    let files = DurableFiles::new();
    let path = root.join("x");
    let racing = (0..32_u8).map(|writer| {
        let (files, path) = (files.clone(), path.clone());
        tokio::spawn(async move {
            let won =
                files.put_opts(&path, vec![writer].into(), PutMode::Create.into()).await.is_ok();
            won.then_some(writer)
        })
    });
    let mut winners = Vec::new();
    for task in racing.collect::<Vec<_>>() {
        winners.extend(task.await.unwrap());
    }
    let stored = files.get(&path).await.unwrap().bytes().await.unwrap();
    assert_eq!(winners, stored.to_vec());
}

#[tokio::test]
async fn overwrite_replaces_whole() {
    let (_folder, root) = folder();
    let files = DurableFiles::new();
    let path = root.join("x");
    files.put(&path, PutPayload::from_static(b"long text")).await.unwrap();
    files.put(&path, PutPayload::from_static(b"short")).await.unwrap();
    assert_eq!(files.get(&path).await.unwrap().bytes().await.unwrap(), "short");
}

#[tokio::test]
async fn multipart_is_visible_only_when_complete() {
    let (_folder, root) = folder();
    let files = DurableFiles::new();
    let path = root.clone().join("x");
    let mut upload = files.put_multipart_opts(&path, PutMultipartOptions::default()).await.unwrap();
    let second = {
        let first = upload.put_part("ab".into());
        let second = upload.put_part("cd".into());
        first.await.unwrap();
        second
    };
    second.await.unwrap();
    let seen: Vec<_> = files.list(Some(&root)).try_collect().await.unwrap();
    assert!(seen.is_empty(), "{seen:?}");
    upload.complete().await.unwrap();
    assert_eq!(files.get(&path).await.unwrap().bytes().await.unwrap(), "abcd");
}

#[tokio::test]
async fn dropped_upload_leaves_nothing() {
    let (folder, root) = folder();
    let files = DurableFiles::new();
    let mut upload =
        files.put_multipart_opts(&root.join("x"), PutMultipartOptions::default()).await.unwrap();
    upload.put_part("ab".into()).await.unwrap();
    drop(upload);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

//! Saved queries: kept in the lake under their names.

use towpath::{ErrorKind, SavedQuery, statement_parameters};

use crate::lab::Lab;

fn saved(name: &str, statement: &str) -> SavedQuery {
    SavedQuery { name: name.into(), statement: statement.into(), description: None }
}

#[tokio::test]
async fn a_saved_query_is_found_by_its_name_in_any_case() {
    let lab = Lab::new();
    let lake = lab.lake().await;
    let mut query = saved("Root-Use", "SELECT ? FROM not-there-yet WHERE x = :who");
    query.description = Some("who was root".into());
    lake.save_query(&query, false).await.unwrap();
    lake.save_query(&saved("a", "SELECT 1"), false).await.unwrap();

    let other = lab.lake().await;
    assert_eq!(other.saved_query("root-use").await.unwrap(), query);
    let names: Vec<String> =
        other.saved_queries().await.unwrap().into_iter().map(|query| query.name).collect();
    assert_eq!(names, ["a", "Root-Use"]);
    assert_eq!(statement_parameters(&query.statement).unwrap(), (1, vec!["who".to_owned()]));

    let taken = lake.save_query(&saved("ROOT-USE", "SELECT 2"), false).await.unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::Exists);
    lake.save_query(&saved("ROOT-USE", "SELECT 2"), true).await.unwrap();
    assert_eq!(lake.saved_query("Root-Use").await.unwrap().statement, "SELECT 2");

    lake.delete_saved_query("root-USE").await.unwrap();
    for gone in ["root-use", "../../towpath", ""] {
        let error = lake.saved_query(gone).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{gone}");
        let error = lake.delete_saved_query(gone).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{gone}");
    }
}

#[tokio::test]
async fn what_is_no_statement_or_no_name_is_not_saved() {
    let lab = Lab::new();
    let lake = lab.lake().await;
    let error = lake.save_query(&saved("a", "DELETE FROM x"), false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    let error = lake.save_query(&saved("a/b", "SELECT 1"), false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(lake.saved_queries().await.unwrap().is_empty());
}

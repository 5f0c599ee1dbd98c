use std::ffi::OsString;

use super::*;

fn environment(variables: &[(&str, &str)]) -> Environment {
    let variables =
        variables.iter().map(|(name, value)| ((*name).to_owned(), OsString::from(value))).collect();
    Environment { variables }
}

fn args(lake: Option<&str>) -> GlobalArgs {
    GlobalArgs { lake: lake.map(str::to_owned), config: None, verbose: 0 }
}

fn config(lake: Option<&str>, variables: &[(&str, &str)]) -> Config {
    Config::join(&args(lake), &environment(variables), None, Origin::Default).unwrap()
}

/// What is meant where `towpath.toml` in `/etc/x` holds `text`.
fn with_file(text: &str, variables: &[(&str, &str)]) -> Result<Config> {
    let file = ConfigFile::parse(Path::new("/etc/x/towpath.toml"), text.to_owned())?;
    Config::join(&args(None), &environment(variables), Some(&file), Origin::Default)
}

#[test]
fn a_flag_beats_the_variable_and_the_variable_beats_the_default() {
    let variables = [("TOWPATH_LAKE", "s3://b/lake"), ("HOME", "/home/me")];
    assert_eq!(config(Some("x"), &variables).lake().unwrap(), "x");
    assert_eq!(config(None, &variables).lake().unwrap(), "s3://b/lake");
}

#[cfg(not(windows))]
#[test]
fn the_default_lake_lies_in_the_data_folder() {
    let home = ("HOME", "/home/me");
    let default = "/home/me/.local/share/towpath/lake";
    assert_eq!(config(None, &[home]).lake().unwrap(), default);
    assert_eq!(config(None, &[home, ("TOWPATH_LAKE", "")]).lake().unwrap(), default);
    assert_eq!(config(None, &[home, ("XDG_DATA_HOME", "rel")]).lake().unwrap(), default);
    assert_eq!(
        config(None, &[home, ("XDG_DATA_HOME", "/data")]).lake().unwrap(),
        "/data/towpath/lake"
    );
    assert_eq!(config(None, &[home]).history, Some("/home/me/.local/state/towpath/history".into()));
    assert!(config(None, &[]).lake().is_err());
}

#[test]
fn storage_options_are_the_variables_of_the_clouds() {
    let config = config(
        None,
        &[
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("AZURE_STORAGE_ACCOUNT_NAME", "a"),
            ("GOOGLE_SERVICE_ACCOUNT", "g"),
            ("AWS_REGION", ""),
            ("PATH", "/bin"),
        ],
    );
    let names: Vec<_> = config.storage_options.keys().map(String::as_str).collect();
    assert_eq!(names, ["aws_endpoint_url", "azure_storage_account_name", "google_service_account"]);
}

#[test]
fn the_file_stands_between_variables_and_defaults() {
    let text = "lake = \"s3://b/file\"\nformat = \"ndjson\"\nrun_secs_max = 5\npager = \"\"\n\
                [storage]\naws_region = \"eu-central-1\"\naws_secret_access_key = \"hush\"\n";
    let config = with_file(text, &[]).unwrap();
    assert_eq!(config.lake().unwrap(), "s3://b/file");
    assert_eq!(config.format(), Format::Ndjson);
    assert_eq!(config.pager(), None);
    assert_eq!(config.limits(LimitArgs::default()).run_secs_max, 5);
    assert_eq!(config.limits(LimitArgs::default()).memory_mib_max, MEMORY_MIB_DEFAULT);
    let typed = LimitArgs { run_secs_max: Some(7), ..LimitArgs::default() };
    assert_eq!(config.limits(typed).run_secs_max, 7);

    let variables = [
        ("TOWPATH_LAKE", "s3://b/variable"),
        ("TOWPATH_FORMAT", "CSV"),
        ("TOWPATH_RUN_SECS_MAX", "6"),
        ("TOWPATH_PAGER", "more"),
        ("AWS_REGION", "us-east-1"),
    ];
    let config = with_file(text, &variables).unwrap();
    assert_eq!(config.lake().unwrap(), "s3://b/variable");
    assert_eq!(config.format(), Format::Csv);
    assert_eq!(config.pager(), Some("more"));
    assert_eq!(config.limits(LimitArgs::default()).run_secs_max, 6);
    assert_eq!(config.storage_options["aws_region"].value, "us-east-1");
    assert_eq!(config.storage_options["aws_secret_access_key"].value, "hush");
}

#[test]
fn every_setting_shows_where_it_comes_from_and_no_secret() {
    let text = "result_rows_max = 10\n\n[storage]\naws_secret_access_key = \"hush\"\n";
    let variables = [("TOWPATH_LAKE", "l"), ("AWS_REGION", "r"), ("AWS_SESSION_TOKEN", "hush")];
    let shown: Vec<String> = with_file(text, &variables)
        .unwrap()
        .shown()
        .into_iter()
        .map(|(name, setting)| format!("{name}={:?} {}", setting.value, setting.origin))
        .collect();
    for line in [
        "lake=Some(\"l\") variable TOWPATH_LAKE",
        "format=Some(\"table\") default",
        "result_rows_max=Some(\"10\") file `/etc/x/towpath.toml` line 1",
        "result_bytes_max=None default",
        "storage.aws_region=Some(\"r\") variable AWS_REGION",
        "storage.aws_secret_access_key=Some(\"****\") file `/etc/x/towpath.toml` line 4",
        "storage.aws_session_token=Some(\"****\") variable AWS_SESSION_TOKEN",
    ] {
        assert!(shown.iter().any(|one| one == line), "{line}\n{shown:#?}");
    }
    assert!(!shown.concat().contains("hush"));
}

#[test]
fn a_mistake_in_the_file_is_named_with_its_line_and_without_its_text() {
    for (text, expected) in [
        ("format = \"table\"\nlaek = \"x\"\n", "line 2: unknown field `laek`"),
        ("lake = 7\n", "line 1: invalid type: integer `7`, expected a string"),
        ("\n\nformat = \"xml\"\n", "line 3: invalid value: string \"xml\", expected a format: "),
        ("run_secs_max = 0\n", "line 1: `run_secs_max` is 0, not in 1 to "),
        ("memory_mib_max = -1\n", "line 1: invalid value: "),
        ("[storage]\nregion = \"x\"\n", "line 2: `region` is no storage option"),
        ("lake = \"\"\n", "line 1: `lake` is empty"),
        ("lake = \"a\"\nlake = \"b\"\n", "line 2: duplicate key"),
    ] {
        let error = with_file(text, &[]).unwrap_err();
        assert!(error.downcast_ref::<Misconfigured>().is_some(), "{error}");
        let expected = format!("file `/etc/x/towpath.toml` {expected}");
        assert!(error.to_string().starts_with(&expected), "{error}\n{expected}");
    }
    let error = with_file("[storage]\naws_secret_access_key = \"hush\n", &[]).unwrap_err();
    assert!(!format!("{error:#}").contains("hush"), "{error:#}");
}

#[test]
fn a_variable_that_cannot_be_meant_is_an_error() {
    for (name, value, expected) in [
        ("TOWPATH_FORMAT", "xml", "variable TOWPATH_FORMAT: `xml` is no format; table, csv"),
        ("TOWPATH_RUN_SECS_MAX", "soon", "variable TOWPATH_RUN_SECS_MAX: `soon` is not a whole"),
        ("TOWPATH_MEMORY_MIB_MAX", "1", "variable TOWPATH_MEMORY_MIB_MAX: `memory_mib_max` is 1"),
    ] {
        let error = with_file("", &[(name, value)]).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn a_relative_lake_lies_beside_its_file() {
    assert_eq!(with_file("lake = \"my/lake\"", &[]).unwrap().lake().unwrap(), "/etc/x/my/lake");
    assert_eq!(with_file("lake = \"/a\"", &[]).unwrap().lake().unwrap(), "/a");
    assert_eq!(with_file("lake = \"gs://b/a\"", &[]).unwrap().lake().unwrap(), "gs://b/a");
}

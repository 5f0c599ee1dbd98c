//! The drawing of `crates/README.md` as a test: who may depend on whom, and on what.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// Who may depend on whom. Lowest crate first; an arrow only ever points upwards in this list.
const ARROWS: &[(&str, &[&str])] = &[
    ("towpath-event", &[]),
    ("towpath-store", &["towpath-event"]),
    ("towpath-ingest", &["towpath-event", "towpath-store"]),
    ("towpath-sql", &[]),
    ("towpath", &["towpath-event", "towpath-ingest", "towpath-sql", "towpath-store"]),
    ("towpath-server", &["towpath"]),
    ("towpath-cli", &["towpath", "towpath-server"]),
    ("towpath-python", &["towpath"]),
];

/// Packages that only these crates may name.
const RESERVED: &[(&str, &[&str])] = &[
    ("anyhow", &["towpath-cli"]),
    ("clap", &["towpath-cli"]),
    ("console", &["towpath-cli"]),
    ("datafusion", &["towpath", "towpath-sql"]),
    ("deltalake", &["towpath-store"]),
    ("hyper", &["towpath-server"]),
    ("indicatif", &["towpath-cli"]),
    ("libdeflater", &["towpath-ingest"]),
    ("object_store", &["towpath", "towpath-ingest", "towpath-store"]),
    ("pyo3", &["towpath-python"]),
    ("rustyline", &["towpath-cli"]),
    ("sqlparser", &[]),
    ("tracing-subscriber", &["towpath-cli"]),
];

/// The benchmarks may use anything.
const UNBOUND: &str = "towpath-benches";

#[test]
fn our_crates_depend_only_on_the_crates_below_them() {
    let direct = direct_dependencies();
    for (package, allowed) in ARROWS {
        let siblings: Vec<&String> =
            direct[*package].iter().filter(|name| name.starts_with("towpath")).collect();
        let extra: Vec<_> =
            siblings.iter().filter(|name| !allowed.contains(&name.as_str())).collect();
        assert!(
            extra.is_empty(),
            "{package} names {extra:?}: see crates/README.md before adding an arrow"
        );
    }
}

#[test]
fn every_crate_has_its_place_in_the_drawing() {
    let direct = direct_dependencies();
    let mut drawn: Vec<&str> = ARROWS.iter().map(|(package, _)| *package).collect();
    drawn.push(UNBOUND);
    drawn.sort_unstable();
    assert_eq!(direct.keys().collect::<Vec<_>>(), drawn);
}

#[test]
fn heavy_packages_are_named_only_where_they_belong() {
    let direct = direct_dependencies();
    for (package, dependencies) in direct.iter().filter(|(package, _)| *package != UNBOUND) {
        for (reserved, allowed) in RESERVED {
            let names_it = dependencies.iter().any(|name| name == reserved);
            assert!(
                !names_it || allowed.contains(&package.as_str()),
                "{package} must not name {reserved}: see crates/README.md"
            );
        }
    }
}

/// Per package of the workspace, the sorted names of the packages it needs outside of its tests.
fn direct_dependencies() -> BTreeMap<String, Vec<String>> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .args(["--manifest-path", manifest])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| {
            let mut names: Vec<String> = package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|dependency| dependency["kind"].is_null())
                .map(|dependency| dependency["name"].as_str().unwrap().to_owned())
                .collect();
            names.sort();
            (package["name"].as_str().unwrap().to_owned(), names)
        })
        .collect()
}

//! Ingests a folder of log files into a new lake and prints the report.
//!
//! ```text
//! cargo run --release -p towpath-ingest --example ingest_folder -- FOLDER LAKE
//! ```

#![expect(clippy::print_stdout, reason = "an example that prints is the point")]

use std::{collections::BTreeMap, env, error::Error, path::Path, sync::Arc};

use chrono::Utc;
use towpath_event::data_file_schema;
use towpath_ingest::{IngestOptions, ingest};
use towpath_store::{Catalog, Location, NewStore, Retention};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1);
    let (Some(folder), Some(lake)) = (arguments.next(), arguments.next()) else {
        return Err("give a folder of log files and a folder for the lake".into());
    };
    let catalog = Catalog::create(Location::local(Path::new(&lake))?, Utc::now()).await?;
    let new = NewStore {
        name: "org-trail".into(),
        id: None,
        retention: Retention::days(Retention::DAYS_MAX)?,
        schema: data_file_schema(),
        attributes: BTreeMap::new(),
        termination_protection: false,
    };
    let store = match catalog.create_store(new, Utc::now()).await {
        Err(towpath_store::Error::StoreExists { .. }) => catalog.store("org-trail").await?,
        created => created?,
    };
    let sources = [Location::local(Path::new(&folder))?];
    let report =
        ingest(&store, &sources, &IngestOptions::default(), Arc::new(Utc::now), &|_| ()).await?;
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(())
}

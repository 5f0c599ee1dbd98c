//! Writes the bundled trail: `cargo run -p towpath-benches --bin trail -- data/trail`.
//!
//! The folder is made, or must be empty; the manifest is written beside it, as
//! `trail-manifest.json`.

#![expect(clippy::print_stdout, reason = "a command says what it wrote")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use towpath_benches::trail::{Trail, build};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.ok_or("say where to write: `trail FOLDER`")?;
    if folder.is_dir() && fs::read_dir(&folder)?.next().is_some() {
        return Err(format!("folder `{}` is not empty", folder.display()).into());
    }
    let trail = build();
    let bytes = write_files(&trail, &folder)?;
    let manifest = folder.with_file_name("trail-manifest.json");
    fs::write(&manifest, format!("{:#}\n", trail.manifest))?;
    println!("{} files, {bytes} bytes in {}", trail.files.len(), folder.display());
    Ok(())
}

/// Writes every file and returns how many bytes they have.
fn write_files(trail: &Trail, folder: &Path) -> io::Result<usize> {
    let mut total = 0;
    for file in &trail.files {
        let path = folder.join(&file.key);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let bytes = file.bytes()?;
        total += bytes.len();
        fs::write(path, bytes)?;
    }
    Ok(total)
}

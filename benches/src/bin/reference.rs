//! Writes the reference of the SQL functions: `cargo run -p towpath-benches --bin reference`.

#![expect(clippy::print_stdout, reason = "a command says what it wrote")]

use std::error::Error;
use std::fs;
use std::path::Path;

use towpath_benches::reference::files;

fn main() -> Result<(), Box<dyn Error>> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (path, text) in files(&project)? {
        let path = project.join(&path);
        if fs::read_to_string(&path).is_ok_and(|known| known == text) {
            continue;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, text)?;
        println!("wrote {}", path.display());
    }
    Ok(())
}

//! Where a result goes: stdout, or a file that appears whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Stdout, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use console::Term;
use tempfile::{Builder, NamedTempFile};

/// Bytes collected before they are handed to the system.
const BUFFER_BYTES: usize = 64 * 1024;

/// Width of the terminal that stdout is, or `None` if it is none.
pub(crate) fn terminal_width() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    Term::stdout().size_checked().map(|(_rows, columns)| usize::from(columns))
}

/// Where output goes.
pub(crate) enum Destination {
    /// The standard output of the process.
    Stdout(BufWriter<Stdout>),
    /// A file that takes its name when it is complete.
    File(BufWriter<NamedTempFile>, PathBuf),
    /// Something that cannot be replaced, such as `/dev/null` or a named pipe.
    Device(BufWriter<File>, PathBuf),
}

impl Destination {
    /// Standard output.
    pub(crate) fn stdout() -> Destination {
        Destination::Stdout(BufWriter::with_capacity(BUFFER_BYTES, io::stdout()))
    }

    /// The file `path`, or standard output for `-`.
    ///
    /// Nothing is seen at `path` until [`Destination::commit`]; a file that is there stays as it is
    /// until then. Fails at once where no file can be made, so it is worth calling before the work.
    pub(crate) fn create(path: &Path) -> Result<Destination> {
        if path == Path::new("-") {
            return Ok(Destination::stdout());
        }
        let describe = || format!("could not create file `{}`", path.display());
        // Replacing the name of a symbolic link would leave the file it points at as it was.
        let target = match fs::canonicalize(path) {
            Ok(target) => target,
            Err(err) if err.kind() == ErrorKind::NotFound => path.to_path_buf(),
            Err(err) => return Err(err).with_context(describe),
        };
        let existing = fs::metadata(&target).ok();
        if existing.as_ref().is_some_and(|existing| !existing.is_file()) {
            let file = OpenOptions::new().write(true).open(&target).with_context(describe)?;
            return Ok(Destination::Device(BufWriter::with_capacity(BUFFER_BYTES, file), target));
        }
        let folder = match target.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let temporary = temporary_file(folder).with_context(describe)?;
        if let Some(existing) = existing {
            temporary.as_file().set_permissions(existing.permissions()).with_context(describe)?;
        }
        Ok(Destination::File(BufWriter::with_capacity(BUFFER_BYTES, temporary), target))
    }

    /// Writes out what is buffered and gives the file its name.
    pub(crate) fn commit(self) -> Result<()> {
        match self {
            Destination::Stdout(mut stdout) => stdout.flush().context("could not write to stdout"),
            Destination::Device(mut file, path) => {
                file.flush().with_context(|| format!("could not write `{}`", path.display()))
            }
            Destination::File(writer, path) => {
                let describe = || format!("could not write file `{}`", path.display());
                let temporary = writer
                    .into_inner()
                    .map_err(io::IntoInnerError::into_error)
                    .with_context(describe)?;
                temporary.as_file().sync_all().with_context(describe)?;
                temporary.persist(&path).map_err(|err| err.error).with_context(describe)?;
                Ok(())
            }
        }
    }
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Destination::Stdout(stdout) => stdout.write(bytes),
            Destination::File(file, _) => file.write(bytes),
            Destination::Device(file, _) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Destination::Stdout(stdout) => stdout.flush(),
            Destination::File(file, _) => file.flush(),
            Destination::Device(file, _) => file.flush(),
        }
    }
}

/// A new file in `folder` with the permissions of any new file; temporary files are private else.
fn temporary_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(".towpath-").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_only_when_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        fs::write(&path, "old").unwrap();

        let mut destination = Destination::create(&path).unwrap();
        destination.write_all(b"half").unwrap();
        drop(destination);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["out.csv"], "nothing is left behind");

        let mut destination = Destination::create(&path).unwrap();
        destination.write_all(b"new").unwrap();
        destination.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn a_missing_folder_is_an_error_before_any_work() {
        let folder = tempfile::tempdir().unwrap();
        let error = Destination::create(&folder.path().join("no/out.csv")).err().unwrap();
        assert!(format!("{error:#}").starts_with("could not create file `"), "{error:#}");
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_written_to_and_not_replaced() {
        use std::os::unix::fs::FileTypeExt;

        let mut destination = Destination::create(Path::new("/dev/null")).unwrap();
        destination.write_all(b"x").unwrap();
        destination.commit().unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_stays_one_and_the_file_behind_it_is_written() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        symlink(&file, &link).unwrap();
        let mut destination = Destination::create(&link).unwrap();
        destination.write_all(b"new").unwrap();
        destination.commit().unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}

//! Files of the data folder: private, and never half written.

use crate::error::Failure;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

const PRIVATE_FOLDER: u32 = 0o700;
const PRIVATE_FILE: u32 = 0o600;

/// Makes a folder, and those above it, that only its owner can enter. One that
/// exists and that others can enter is closed.
pub fn private_folder(path: &Path) -> Result<(), Failure> {
    DirBuilder::new()
        .recursive(true)
        .mode(PRIVATE_FOLDER)
        .create(path)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(PRIVATE_FOLDER)))
        .map_err(|error| Failure::file("create the folder", path, error))
}

/// Replaces a file as a whole: whoever reads it sees the old text or the new one.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let half = beside(path);
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(PRIVATE_FILE)
        .open(&half)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&half, path))
        .map_err(|error| Failure::file("write", path, error))
}

/// A name for a file that is to become `path`.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

/// Opens a file to append to, private if it is new.
pub fn append_private(path: &Path) -> Result<File, Failure> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(PRIVATE_FILE)
        .open(path)
        .map_err(|error| Failure::file("open", path, error))
}

/// Largest file that [`read_small`] reads, in bytes: a chain of certificates is
/// some KiB.
const SMALL_BYTES_MAX: u64 = 1 << 20;

/// Reads a file whole, if it is not larger than 1 MiB.
pub fn read_small(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(SMALL_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > SMALL_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 1 MiB"));
    }
    Ok(bytes)
}

/// Puts what the process's own folder is before a relative path.
pub fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| Failure::file("find", path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_the_owner_reads() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("a/data");
        private_folder(&data).unwrap();
        assert_eq!(mode(&data), 0o700);
        let file = data.join("token");
        write_private(&file, b"first").unwrap();
        write_private(&file, b"second").unwrap();
        assert_eq!(mode(&file), 0o600);
        assert_eq!(fs::read(&file).unwrap(), b"second");
        assert_eq!(fs::read_dir(&data).unwrap().count(), 1);
    }

    #[test]
    fn an_open_folder_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        private_folder(folder.path()).unwrap();
        assert_eq!(mode(folder.path()), 0o700);
    }

    #[test]
    fn what_is_small_is_read_and_what_has_no_end_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("small");
        write_private(&file, b"text").unwrap();
        assert_eq!(read_small(&file).unwrap(), b"text");
        let endless = read_small(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(endless.to_string(), "larger than 1 MiB");
    }

    #[test]
    fn an_error_names_the_file() {
        let missing = Path::new("does/not/exist");
        let message = write_private(missing, b"").unwrap_err().to_string();
        assert!(message.starts_with("cannot write does/not/exist: "), "{message}");
    }
}

//! A Unix socket that only its owner can connect to.

use crate::error::Failure;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;
use tokio::net::{UnixListener, UnixSocket, UnixStream};

/// Longest path: `sun_path` of unix(7) without its last zero.
const PATH_BYTES_MAX: usize = 107;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;
const PRIVATE: u32 = 0o600;

/// Listens at `path`. A socket that nobody listens on any more is replaced;
/// anything else that lies there stays.
pub async fn bind(path: &Path) -> Result<UnixListener, Failure> {
    let refused = |why: String| Failure::Refused(format!("control.xds: {}: {why}", path.display()));
    let bytes = path.as_os_str().as_bytes().len();
    if bytes > PATH_BYTES_MAX {
        return Err(refused(format!(
            "has {bytes} bytes; the path of a Unix socket has {PATH_BYTES_MAX} at most"
        )));
    }
    remove_left_over(path).await.map_err(&refused)?;
    listen(path).map_err(|error| refused(error.to_string()))
}

async fn remove_left_over(path: &Path) -> Result<(), String> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    if !found.file_type().is_socket() {
        return Err("is there, and is not a Unix socket".to_owned());
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(|error| error.to_string())
        }
        Ok(_) => Err("somebody listens there".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Nobody can connect before the mode is set: a bound socket refuses everybody
/// until it is listened on.
fn listen(path: &Path) -> io::Result<UnixListener> {
    let socket = UnixSocket::new_stream()?;
    socket.bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(PRIVATE))?;
    socket.listen(BACKLOG)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn why(path: &Path) -> String {
        bind(path).await.err().map(|why| why.to_string()).unwrap_or_default()
    }

    #[tokio::test]
    async fn it_is_private_and_replaces_what_nobody_listens_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("xds.sock");
        let first = bind(&path).await.unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(why(&path).await.ends_with("somebody listens there"));
        assert!(UnixStream::connect(&path).await.is_ok(), "the first goes on");
        drop(first);
        assert!(path.exists(), "it is left over");
        bind(&path).await.unwrap();
    }

    #[tokio::test]
    async fn what_is_no_socket_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("notes.txt");
        fs::write(&file, "mine").unwrap();
        assert!(why(&file).await.ends_with("is there, and is not a Unix socket"));
        assert_eq!(fs::read(&file).unwrap(), b"mine");
    }

    #[tokio::test]
    async fn a_path_has_an_end() {
        let folder = tempfile::tempdir().unwrap();
        let room = PATH_BYTES_MAX - folder.path().as_os_str().len() - 1;
        assert!(bind(&folder.path().join("x".repeat(room))).await.is_ok());
        let told = why(&folder.path().join("x".repeat(room + 1))).await;
        assert!(
            told.ends_with("has 108 bytes; the path of a Unix socket has 107 at most"),
            "{told}"
        );
        assert!(why(Path::new("/does/not/exist/s")).await.contains("No such file"));
    }
}

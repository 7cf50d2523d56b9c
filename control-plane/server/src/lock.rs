//! One Tollgate a data folder.

use crate::error::Failure;
use crate::files;
use rustix::fs::{FlockOperation, flock};
use std::fs::File;
use std::path::Path;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Name of the file that is locked.
const NAME: &str = "lock";

/// Held as long as it lives; the system lets go of it when the process ends,
/// however that comes.
pub struct DataLock {
    _file: File,
}

/// How long the one that holds it may take to be gone: one that was killed a
/// moment ago is still being buried.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is tried.
const TRY_EVERY: Duration = Duration::from_millis(20);

/// Takes the data folder.
pub async fn take(data: &Path) -> Result<DataLock, Failure> {
    let file = files::append_private(&data.join(NAME))?;
    let deadline = Instant::now() + PATIENCE;
    while flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        if Instant::now() >= deadline {
            return Err(Failure::AlreadyRunning(data.to_owned()));
        }
        sleep(TRY_EVERY).await;
    }
    Ok(DataLock { _file: file })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_second_is_refused_unless_the_first_goes() {
        let folder = tempfile::tempdir().unwrap();
        let first = take(folder.path()).await.unwrap();
        assert!(matches!(take(folder.path()).await, Err(Failure::AlreadyRunning(_))));
        let going = async {
            sleep(TRY_EVERY * 2).await;
            drop(first);
        };
        let (second, ()) = tokio::join!(take(folder.path()), going);
        assert!(second.is_ok());
    }
}

//! Endpoints in a file that is watched.

mod eds;
mod listing;
mod tree;

use crate::error::Error;
use crate::file_events::{FileEvents, LOOK_EVERY, Occasion, QUIET};
use crate::source::Sink;
use listing::read as read_listing;
use model::Endpoint;
use std::fs::Metadata;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tokio::time::sleep;

/// Largest file that is read: 100,000 endpoints as Envoy writes them.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// How old a file must be before its time of change tells it from a later one:
/// file systems count in ticks, some in seconds.
const SETTLED: Duration = Duration::from_secs(3);

/// Watches `file` for ever.
pub(crate) async fn run(file: PathBuf, tls: bool, sink: Sink) {
    let mut events = FileEvents::of([file.as_path()]);
    let mut seen = Seen::default();
    loop {
        if let Some(content) = news(&file, &mut seen).await {
            tell(&sink, &file, content, tls).await;
        }
        if events.next().await == Occasion::Event {
            seen.stamp = None;
        }
    }
}

/// What the file was when it was read last.
#[derive(Default)]
struct Seen {
    /// How it looked from outside, if that tells it from a later one.
    stamp: Option<Stamp>,
    /// Of its content, or of why there was none.
    digest: Option<u64>,
}

/// The content of a file, or why it cannot be read.
type Content = Result<String, io::Error>;

/// The content, if it is another one than was seen and stays as it is: nobody is
/// writing the file, and one that is away is not just being replaced.
async fn news(file: &Path, seen: &mut Seen) -> Option<Content> {
    let stamp = stamp(file).await;
    if stamp.is_some() && stamp == seen.stamp {
        return None;
    }
    let content = read(file).await;
    let digest = digest(&content);
    if Some(digest) != seen.digest {
        sleep(if content.is_ok() { QUIET / 2 } else { LOOK_EVERY }).await;
        if self::digest(&read(file).await) != digest {
            return None;
        }
    }
    seen.stamp = stamp;
    (seen.digest.replace(digest) != Some(digest)).then_some(content)
}

/// Tells what the file lists. Reading a large one takes long enough to do it
/// beside the tasks of others.
async fn tell(sink: &Sink, file: &Path, content: Content, tls: bool) {
    let path = file.to_owned();
    let listed = tokio::task::spawn_blocking(move || list(&path, content, tls)).await;
    match listed {
        Ok(listed) => sink.read(listed),
        Err(error) => sink.failing(error.to_string()),
    }
}

fn list(file: &Path, content: Content, tls: bool) -> Result<Vec<Endpoint>, Error> {
    let file = file.to_owned();
    let text = content.map_err(|error| Error::Unreadable { file: file.clone(), error })?;
    read_listing(&text, tls).map_err(|fault| {
        let tree::Fault { line, column, what } = fault;
        Error::Text { file, line, column, what }
    })
}

async fn read(file: &Path) -> Content {
    let file = file.to_owned();
    let read = tokio::task::spawn_blocking(move || read_bounded(&file)).await;
    read.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// The kind is looked at first, because opening a pipe waits for its writer.
fn read_bounded(file: &Path) -> Content {
    if !std::fs::metadata(file)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(file)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other(format!("it is larger than {FILE_BYTES_MAX} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        io::Error::other(format!("it is not UTF-8 at byte {place}"))
    })
}

fn digest(content: &Content) -> u64 {
    let mut hasher = DefaultHasher::new();
    match content {
        Ok(text) => text.hash(&mut hasher),
        Err(error) => (0_u8, error.to_string()).hash(&mut hasher),
    }
    hasher.finish()
}

/// Length, time of change and, where there is one, number of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp(u64, SystemTime, u64);

/// The stamp of the file that a link leads to; `None` for one that is away or
/// that may change without its stamp doing so.
async fn stamp(file: &Path) -> Option<Stamp> {
    let metadata = tokio::fs::metadata(file).await.ok()?;
    let changed = metadata.modified().ok()?;
    let age = changed.elapsed().ok()?;
    (age > SETTLED).then_some(Stamp(metadata.len(), changed, number(&metadata)))
}

#[cfg(unix)]
fn number(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn number(_metadata: &Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests;

use super::*;
use crate::source::Listed;
use std::fs;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A watched file in a folder of its own.
struct Watched {
    folder: TempDir,
    listed: watch::Receiver<Listed>,
    task: JoinHandle<()>,
}

impl Watched {
    /// Watches `name` in a folder that `prepare` has put things into.
    fn start(name: &str, prepare: impl Fn(&Path)) -> Watched {
        let folder = TempDir::new().unwrap();
        prepare(folder.path());
        let (sink, listed) = Sink::new();
        let task = tokio::spawn(run(folder.path().join(name), false, sink));
        Watched { folder, listed, task }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// As editors and tools do: a new file is put in the place of the old one.
    fn replace(&self, name: &str, text: &str) {
        fs::write(self.path("new"), text).unwrap();
        fs::rename(self.path("new"), self.path(name)).unwrap();
    }

    /// Waits until the endpoints are `expected` and there is an error, or none.
    async fn until(&mut self, expected: &str, error: bool) -> Option<String> {
        let as_expected =
            |listed: &Listed| shown(listed) == expected && listed.error.is_some() == error;
        let waiting = timeout(Duration::from_secs(30), self.listed.wait_for(as_expected));
        let reached = waiting.await.map(|listed| listed.unwrap().error.clone());
        reached.unwrap_or_else(|_| panic!("{expected} expected, not {:?}", *self.listed.borrow()))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn shown(listed: &Listed) -> String {
    let Some(endpoints) = &listed.endpoints else { return "unknown".to_owned() };
    endpoints.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

#[tokio::test]
async fn a_file_is_followed_as_it_is_written_and_replaced() {
    let mut file = Watched::start("a.yaml", |folder| write(folder, "a.yaml", "- a:1\n"));
    file.until("http://a:1", false).await;
    fs::write(file.path("a.yaml"), "- a:1\n- b:2\n").unwrap();
    file.until("http://a:1 http://b:2", false).await;
    file.replace("a.yaml", "[\"c:3\"]");
    file.until("http://c:3", false).await;
    file.replace("a.yaml", "[]");
    file.until("", false).await;
}

#[tokio::test]
async fn what_cannot_be_used_changes_nothing_and_is_told() {
    let mut file = Watched::start("a.json", |folder| write(folder, "a.json", "[\"a:1\"]"));
    file.until("http://a:1", false).await;
    let path = file.path("a.json");

    fs::write(&path, "[\"a:1\",\n \"b:2").unwrap();
    let half = file.until("http://a:1", true).await.unwrap();
    assert!(half.starts_with(&format!("{}:2:", path.display())), "{half}");
    fs::write(&path, "[\"a:1\"]").unwrap();
    file.until("http://a:1", false).await;

    fs::remove_file(&path).unwrap();
    let away = file.until("http://a:1", true).await.unwrap();
    assert!(away.starts_with(&format!("{} cannot be read: ", path.display())), "{away}");
    file.replace("a.json", "[\"b:2\"]");
    file.until("http://b:2", false).await;

    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let folder = file.until("http://b:2", true).await.unwrap();
    assert!(!folder.is_empty());
}

#[tokio::test]
async fn a_file_that_comes_later_is_found() {
    let mut file = Watched::start("a.yaml", |_| ());
    file.until("unknown", true).await;
    write(file.folder.path(), "a.yaml", "- a:1\n");
    file.until("http://a:1", false).await;
}

#[tokio::test]
async fn a_folder_that_comes_later_is_found() {
    let mut file = Watched::start("later/a.yaml", |_| ());
    file.until("unknown", true).await;
    fs::create_dir(file.path("later")).unwrap();
    write(file.folder.path(), "later/a.yaml", "- a:1\n");
    file.until("http://a:1", false).await;
}

/// As Kubernetes mounts a `ConfigMap`: the file is a link through `..data`, which
/// is exchanged for a link to another folder.
#[cfg(unix)]
#[tokio::test]
async fn a_mount_of_kubernetes_is_followed() {
    use std::os::unix::fs::symlink;
    let mut file = Watched::start("a.yaml", |folder| {
        fs::create_dir(folder.join("..1")).unwrap();
        write(folder, "..1/a.yaml", "- a:1\n");
        symlink("..1", folder.join("..data")).unwrap();
        symlink("..data/a.yaml", folder.join("a.yaml")).unwrap();
    });
    file.until("http://a:1", false).await;
    fs::create_dir(file.path("..2")).unwrap();
    write(file.folder.path(), "..2/a.yaml", "- b:2\n");
    symlink("..2", file.path("..data_tmp")).unwrap();
    fs::rename(file.path("..data_tmp"), file.path("..data")).unwrap();
    fs::remove_dir_all(file.path("..1")).unwrap();
    file.until("http://b:2", false).await;
}

/// A user has 128 of them as a rule.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn many_files_take_one_watcher() {
    let prepare = |folder: &Path| write(folder, "a.yaml", "- a:1\n");
    let mut files: Vec<_> = (0..20).map(|_| Watched::start("a.yaml", prepare)).collect();
    for file in &mut files {
        file.until("http://a:1", false).await;
    }
    let open = fs::read_dir("/proc/self/fd").unwrap().flatten();
    let kinds = open.filter_map(|entry| fs::read_link(entry.path()).ok());
    let watchers = kinds.filter(|kind| kind == Path::new("anon_inode:inotify")).count();
    assert_eq!(watchers, 1);
}

#[test]
fn what_is_read_is_bounded() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("large");
    fs::File::create(&path).unwrap().set_len(FILE_BYTES_MAX + 1).unwrap();
    assert_eq!(read_bounded(&path).unwrap_err().to_string(), "it is larger than 16777216 bytes");
    fs::write(&path, b"- a:1\n- \xff\n").unwrap();
    assert_eq!(read_bounded(&path).unwrap_err().to_string(), "it is not UTF-8 at byte 8");
    assert_eq!(read_bounded(folder.path()).unwrap_err().to_string(), "it is no regular file");
}

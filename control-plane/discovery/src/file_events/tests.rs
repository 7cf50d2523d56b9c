use super::*;
use notify::event::RemoveKind;
use notify::{Config, Error, Event, EventHandler, EventKind, RecursiveMode, Watcher, WatcherKind};
use std::fs;
use std::sync::Mutex;
use tempfile::TempDir;
use tokio::time::Instant;

/// Longest time that a test waits for word.
const SOON: Duration = Duration::from_secs(20);

/// What a made-up system was asked for, and how many folders it can watch.
#[derive(Clone)]
struct System {
    asked: Arc<Mutex<Vec<String>>>,
    most: usize,
}

impl Watcher for System {
    fn new<F: EventHandler>(_: F, _: Config) -> notify::Result<Self> {
        Err(Error::generic("made by the test"))
    }

    fn watch(&mut self, path: &Path, _: RecursiveMode) -> notify::Result<()> {
        let mut asked = self.asked.lock().unwrap();
        asked.push(format!("+{}", name(path)));
        let all = asked.iter().filter(|line| line.starts_with('+')).count();
        if all > self.most { Err(Error::new(notify::ErrorKind::MaxFilesWatch)) } else { Ok(()) }
    }

    fn unwatch(&mut self, path: &Path) -> notify::Result<()> {
        self.asked.lock().unwrap().push(format!("-{}", name(path)));
        Ok(())
    }

    fn kind() -> WatcherKind {
        WatcherKind::NullWatcher
    }
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// Folders `a` and `b`, watched by a system that can watch `most`.
struct World {
    root: TempDir,
    system: System,
    folders: Arc<Folders>,
    listeners: Arc<Mutex<Vec<Arc<folders::Listeners>>>>,
}

impl World {
    fn new(most: usize) -> World {
        let root = TempDir::new().unwrap();
        for name in ["a", "b"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        let system = System { asked: Arc::default(), most };
        let listeners = Arc::<Mutex<Vec<_>>>::default();
        let (given, opened) = (system.clone(), Arc::clone(&listeners));
        let folders = Folders::new(Box::new(move |listeners| {
            opened.lock().unwrap().push(listeners);
            Ok(Box::new(given.clone()))
        }));
        World { root, system, folders: Arc::new(folders), listeners }
    }

    fn watch(&self, files: &[&str]) -> FileEvents {
        let files: Vec<PathBuf> = files.iter().map(|file| self.root.path().join(file)).collect();
        FileEvents::within(&self.folders, files.iter().map(PathBuf::as_path))
    }

    fn asked(&self) -> String {
        self.system.asked.lock().unwrap().join(" ")
    }

    fn tell(&self, event: &Event) {
        for listeners in self.listeners.lock().unwrap().iter() {
            listeners.tell(event);
        }
    }
}

#[tokio::test]
async fn folders_are_shared_and_left_with_their_last_user() {
    let world = World::new(9);
    let first = world.watch(&["a/1", "a/2", "b/1"]);
    let second = world.watch(&["a/3"]);
    assert_eq!(world.asked(), "+a +b");
    drop(first);
    assert_eq!(world.asked(), "+a +b -b");
    let third = world.watch(&["a/1", "b/2"]);
    drop((second, third));
    assert_eq!(world.asked(), "+a +b -b +b -a -b");
    assert_eq!(world.listeners.lock().unwrap().len(), 1, "one watcher for all");
}

#[tokio::test(start_paused = true)]
async fn a_system_without_watches_is_not_asked_again() {
    let world = World::new(1);
    let mut first = world.watch(&["a/1"]);
    let mut second = world.watch(&["b/1"]);
    assert_eq!(world.asked(), "+a +b");
    for _ in 0..10 {
        assert_eq!(first.next().await, Occasion::Silence);
        assert_eq!(second.next().await, Occasion::Silence);
    }
    assert_eq!(world.asked(), "+a +b");
    drop(second);
    assert_eq!(world.asked(), "+a +b", "what was never watched is not left");
}

#[tokio::test(start_paused = true)]
async fn every_user_of_a_folder_is_told_and_nobody_else() {
    let world = World::new(9);
    let (mut first, mut second) = (world.watch(&["a/1"]), world.watch(&["a/2"]));
    let mut other = world.watch(&["b/1"]);
    let path = world.root.path().canonicalize().unwrap().join("a/1");
    world.tell(&Event::new(EventKind::Any).add_path(path));
    assert_eq!(first.next().await, Occasion::Event);
    assert_eq!(second.next().await, Occasion::Event);
    assert_eq!(other.next().await, Occasion::Silence);
    // The system lost events.
    world.tell(&Event::new(EventKind::Other));
    assert_eq!(other.next().await, Occasion::Event);
    world.tell(&Event::new(EventKind::Access(notify::event::AccessKind::Read)));
    assert_eq!(other.next().await, Occasion::Silence, "reading changes nothing");
}

#[tokio::test(start_paused = true)]
async fn folders_that_come_later_or_again_are_watched() {
    let world = World::new(9);
    let mut later = world.watch(&["later/1"]);
    assert_eq!(world.asked(), "");
    fs::create_dir(world.root.path().join("later")).unwrap();
    assert_eq!(later.next().await, Occasion::Silence);
    assert_eq!(world.asked(), "+later");
    let path = world.root.path().canonicalize().unwrap().join("later");
    world.tell(&Event::new(EventKind::Remove(RemoveKind::Folder)).add_path(path));
    assert_eq!(later.next().await, Occasion::Event);
    assert_eq!(world.asked(), "+later +later");
}

#[tokio::test]
async fn a_change_is_heard_of_before_the_next_look() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("a.pem");
    let (mut one, mut two) = (FileEvents::of([file.as_path()]), FileEvents::of([file.as_path()]));
    fs::write(&file, "x").unwrap();
    assert_eq!(one.next().await, Occasion::Event);
    assert_eq!(two.next().await, Occasion::Event);
}

#[tokio::test]
async fn a_folder_that_was_put_in_the_place_of_another_is_heard_of() {
    let root = TempDir::new().unwrap();
    let (folder, file) = (root.path().join("a"), root.path().join("a/b.pem"));
    fs::create_dir(&folder).unwrap();
    let mut events = FileEvents::of([file.as_path()]);
    fs::remove_dir(&folder).unwrap();
    assert_eq!(events.next().await, Occasion::Event);
    fs::create_dir(&folder).unwrap();
    let heard = async {
        loop {
            fs::write(&file, "x").unwrap();
            if events.next().await == Occasion::Event {
                break;
            }
        }
    };
    timeout(SOON, heard).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn without_word_there_is_a_look() {
    let mut events = FileEvents::of([Path::new("/does/not/exist/a.pem")]);
    let begun = Instant::now();
    assert_eq!(events.next().await, Occasion::Silence);
    assert_eq!(begun.elapsed(), LOOK_EVERY);
}

#[test]
fn folders_of_files() {
    for (file, folder) in [("a.yaml", "."), ("b/a.yaml", "b"), ("/a.yaml", "/"), ("/", "/")] {
        assert_eq!(folder_of(Path::new(file)), Path::new(folder), "{file}");
    }
}

//! The folders that are watched, who listens to each of them, and the one
//! watcher over all.

use notify::event::{ModifyKind, RenameMode};
use notify::{ErrorKind, Event, EventKind, RecursiveMode, Watcher};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// What tells of events.
pub(super) type System = Box<dyn Watcher + Send>;

/// Opens what tells the listeners of events.
pub(super) type Open = Box<dyn Fn(Arc<Listeners>) -> notify::Result<System> + Send + Sync>;

/// The watched folders, each once however many listen to it.
pub(super) struct Folders {
    open: Open,
    watch: Mutex<Watch>,
    listeners: Arc<Listeners>,
}

/// Held by whoever adds or removes a folder. Never taken by who tells of events,
/// for which the system waits meanwhile.
#[derive(Default)]
struct Watch {
    /// `None` until the first folder, or the system has none to give.
    system: Option<System>,
    /// Whether it was said that the system does not help.
    complained: bool,
}

impl Folders {
    pub(super) fn of_the_system() -> Self {
        Self::new(Box::new(|listeners| {
            let tell = move |event: notify::Result<Event>| event.map_or((), |e| listeners.tell(&e));
            Ok(Box::new(notify::recommended_watcher(tell)?))
        }))
    }

    pub(super) fn new(open: Open) -> Self {
        Folders { open, watch: Mutex::default(), listeners: Arc::default() }
    }

    /// From now on `touched` is told of what happens in `folder`. Returns its path
    /// without links; `None`: it is not there.
    ///
    /// # Errors
    /// When the system does not help; the first time that is in the log.
    pub(super) fn listen(
        &self,
        folder: &Path,
        touched: &Arc<Notify>,
    ) -> notify::Result<Option<PathBuf>> {
        let Ok(real) = folder.canonicalize() else { return Ok(None) };
        let mut watch = lock(&self.watch);
        // Before the system is asked, so that no event is missed.
        if self.listeners.add(&real, touched)
            && let Err(error) = watch.add(&real, || (self.open)(Arc::clone(&self.listeners)))
        {
            self.listeners.remove(&real, touched);
            return if is_missing(&error) { Ok(None) } else { Err(watch.complain(folder, error)) };
        }
        Ok(Some(real))
    }

    /// The folder `real` is not listened to by `touched` any more.
    pub(super) fn leave(&self, real: &Path, touched: &Arc<Notify>) {
        let mut watch = lock(&self.watch);
        if self.listeners.remove(real, touched) {
            watch.remove(real);
        }
    }

    /// Whether `touched` is told of the folder `real`: not if that was removed.
    pub(super) fn is_heard_by(&self, real: &Path, touched: &Arc<Notify>) -> bool {
        let heard = lock(&self.listeners.0);
        heard.get(real).is_some_and(|all| all.iter().any(|one| Arc::ptr_eq(one, touched)))
    }
}

impl Watch {
    fn add(
        &mut self,
        folder: &Path,
        open: impl FnOnce() -> notify::Result<System>,
    ) -> notify::Result<()> {
        let system = match &mut self.system {
            Some(system) => system,
            none => none.insert(open()?),
        };
        system.watch(folder, RecursiveMode::NonRecursive)?;
        self.complained = false;
        Ok(())
    }

    /// A folder that was removed is no longer known to the system.
    fn remove(&mut self, folder: &Path) {
        if let Some(system) = &mut self.system
            && let Err(error) = system.unwatch(folder)
        {
            tracing::debug!(%error, "this folder was not watched any more");
        }
    }

    fn complain(&mut self, folder: &Path, error: notify::Error) -> notify::Error {
        if !self.complained {
            let folder = folder.display();
            tracing::warn!(%folder, %error, "no word of changes from the system; looking instead");
        }
        self.complained = true;
        error
    }
}

/// Who listens, by folders without links.
#[derive(Default)]
pub(super) struct Listeners(Mutex<BTreeMap<PathBuf, Vec<Arc<Notify>>>>);

impl Listeners {
    /// Whether that is the first of the folder.
    fn add(&self, folder: &Path, touched: &Arc<Notify>) -> bool {
        let mut heard = lock(&self.0);
        let all = heard.entry(folder.to_owned()).or_default();
        all.push(Arc::clone(touched));
        all.len() == 1
    }

    /// Whether that was the last of the folder.
    fn remove(&self, folder: &Path, touched: &Arc<Notify>) -> bool {
        let mut heard = lock(&self.0);
        let Some(all) = heard.get_mut(folder) else { return false };
        all.retain(|one| !Arc::ptr_eq(one, touched));
        let is_last = all.is_empty();
        if is_last {
            heard.remove(folder);
        }
        is_last
    }

    /// Tells those that an event concerns; everybody, if it does not say where it was.
    pub(super) fn tell(&self, event: &Event) {
        // Our own reading is an event as well.
        if event.kind.is_access() {
            return;
        }
        let mut heard = lock(&self.0);
        for path in &event.paths {
            let places = [Some(path.as_path()), path.parent()];
            let concerned = places.into_iter().flatten().filter_map(|place| heard.get(place));
            concerned.flatten().for_each(|touched| touched.notify_one());
            if is_gone(event.kind) {
                heard.retain(|folder, _| !folder.starts_with(path));
            }
        }
        if event.paths.is_empty() {
            heard.values().flatten().for_each(|touched| touched.notify_one());
        }
    }
}

/// Whether what was there is not any more. The watcher then forgets the folder and
/// those in it; another one under that name is to be watched anew.
fn is_gone(kind: EventKind) -> bool {
    kind.is_remove() || kind == EventKind::Modify(ModifyKind::Name(RenameMode::From))
}

fn is_missing(error: &notify::Error) -> bool {
    match &error.kind {
        ErrorKind::PathNotFound => true,
        ErrorKind::Io(error) => error.kind() == std::io::ErrorKind::NotFound,
        _ => false,
    }
}

/// What is locked here is whole between any two statements, so a panic elsewhere
/// does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

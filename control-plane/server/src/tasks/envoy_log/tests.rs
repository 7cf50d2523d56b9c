use super::*;
use std::os::unix::fs::MetadataExt as _;
use tempfile::TempDir;

const USAGE: &str = "[1][info][wasm] [x.cc:1] wasm log gateway: tollgate-usage {\"id\":\"a\"}\n";

struct World {
    folder: TempDir,
    log: EnvoyLog,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let log = EnvoyLog::new(folder.path(), folder.path().join("envoy.log"));
        World { folder, log }
    }

    fn says(&self, text: &str) {
        files::append_private(self.log.journal()).unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn log(&self) -> String {
        fs::read_to_string(self.log.path()).unwrap_or_default()
    }

    /// The Tollgate that comes next.
    fn restart(&mut self) {
        self.log = EnvoyLog::new(self.folder.path(), self.folder.path().join("envoy.log"));
    }

    fn close(&self) {
        let to = self.folder.path().join("usage.1.journal");
        self.log
            .close(|| {
                fs::rename(self.log.journal(), to).unwrap();
                Ok(())
            })
            .unwrap();
    }
}

#[test]
fn whole_lines_that_are_not_usage_are_copied_once() {
    let mut world = World::new();
    world.log.look(true).unwrap();
    world.says(&format!("first\n{USAGE}second\n{USAGE}thi"));
    world.log.look(true).unwrap();
    assert_eq!(world.log(), "first\nsecond\n");
    world.restart();
    world.says("rd\n");
    world.log.look(true).unwrap();
    world.log.look(false).unwrap();
    assert_eq!(world.log(), "first\nsecond\nthird\n");
}

#[test]
fn the_last_words_of_a_dead_one_are_copied_and_the_next_begins_anew() {
    let world = World::new();
    world.says(&format!("first\n{USAGE}assertion failed"));
    world.close();
    assert_eq!(world.log(), "first\nassertion failed\n");
    world.says("a\n");
    world.log.look(false).unwrap();
    assert_eq!(world.log(), "first\nassertion failed\na\n");
}

#[test]
fn a_torn_end_of_usage_is_not_for_people() {
    let world = World::new();
    world.says(USAGE.trim_end());
    world.close();
    assert_eq!(world.log(), "");
}

#[test]
fn a_rotation_that_fails_is_told_and_may_be_tried_again() {
    let world = World::new();
    world.says("first\n");
    let refused =
        || ledger::rotate_for_dead_gateway(&world.folder.path().join("envoy.log")).map(drop);
    assert!(world.log.close(refused).is_err());
    world.close();
    assert_eq!(world.log(), "first\n");
}

#[test]
fn a_line_without_end_stops_nothing() {
    let world = World::new();
    let long = "x".repeat(usize::try_from(CHUNK_BYTES).unwrap() + 10);
    world.says(&format!("{long}\nnext\n"));
    world.log.look(false).unwrap();
    assert!(world.log().ends_with("\nnext\n"));
}

#[test]
fn a_long_journal_gives_the_disk_back_and_keeps_its_end() {
    let mut world = World::new();
    let many = USAGE.repeat(10_000);
    let length = many.len() as u64 * (3 * KEPT_BYTES / many.len() as u64);
    for _ in 0..length / many.len() as u64 {
        world.says(&many);
    }
    let held = |world: &World| {
        let found = fs::metadata(world.log.journal()).unwrap();
        (found.len(), found.blocks() * 512)
    };
    assert!(held(&world).1 >= length);
    world.log.look(true).unwrap();
    assert!(held(&world).1 >= length, "what is new is not old");
    world.log.look(true).unwrap();
    let (long, on_disk) = held(&world);
    assert_eq!(long, length);
    assert!((KEPT_BYTES..KEPT_BYTES + 2 * RETURN_BYTES).contains(&on_disk), "{on_disk}");
    // Also after a position was lost, nothing that was given back is copied.
    fs::remove_file(world.folder.path().join("usage.journal.position")).unwrap();
    world.restart();
    world.says("last\n");
    world.log.look(true).unwrap();
    assert!(world.log().ends_with("last\n"));
    assert!(!world.log().contains('\0') && world.log().len() < 2 * USAGE.len());
}

use super::*;

fn folder(names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        std::fs::write(folder.path().join(name), name).unwrap();
    }
    folder
}

fn names(folder: &tempfile::TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn places() {
    let rotated = |fate, newer| Place::Rotated { fate, newer };
    let table: &[(&[&str], u64, Place)] = &[
        (&[], 1, Place::Live),
        (&["usage.jsonl"], 1, Place::Live),
        (&["usage.jsonl", "usage.4.done"], 5, Place::Live),
        (&["usage.4.jsonl"], 4, rotated(Fate::Rotated, false)),
        (&["usage.4.jsonl", "usage.jsonl"], 4, rotated(Fate::Rotated, true)),
        (&["usage.4.jsonl", "usage.5.closed.jsonl"], 4, rotated(Fate::Rotated, true)),
        (&["usage.4.closed.jsonl"], 4, rotated(Fate::Closed, false)),
        (&["usage.4.closed.jsonl"], 5, Place::Live),
        // Files that are missing in between, and numbers that begin anew.
        (&["usage.4.jsonl", "usage.jsonl"], 2, Place::Gone(4)),
        (&["usage.4.done", "usage.jsonl"], 2, Place::Gone(5)),
        (&["usage.jsonl"], 7, Place::Gone(1)),
        (&["usage.1.closed.jsonl", "usage.jsonl"], 7, Place::Gone(1)),
        (&["usage.x.jsonl", "usage.3.gz", "other", "usage."], 1, Place::Live),
    ];
    for (names, generation, expected) in table {
        let listing = list(folder(names).path()).unwrap();
        assert_eq!(listing.place(*generation), *expected, "{names:?} {generation}");
    }
}

#[test]
fn a_folder_that_is_not_there_is_empty() {
    let missing = folder(&[]).path().join("missing");
    assert_eq!(list(&missing).unwrap(), Listing::default());
    assert_eq!(live_bytes(&missing).unwrap(), 0);
}

#[test]
fn a_live_file_is_rotated_once() {
    let spool = folder(&["usage.jsonl", "usage.2.done"]);
    assert_eq!(live_bytes(spool.path()).unwrap(), 11);
    assert!(!awaits_reopen(spool.path()).unwrap());
    let path = rotate_live(spool.path()).unwrap().unwrap();
    assert_eq!(path, spool.path().join("usage.3.jsonl"));
    assert!(awaits_reopen(spool.path()).unwrap());
    assert_eq!(rotate_live(spool.path()).unwrap(), None);
    assert_eq!(names(&spool), ["usage.2.done", "usage.3.jsonl"]);
}

#[test]
fn a_dead_gateways_last_file_is_closed_and_no_other() {
    let table: &[(&[&str], Option<&str>)] = &[
        (&[], None),
        (&["usage.jsonl"], Some("usage.1.closed.jsonl")),
        (&["usage.4.jsonl", "usage.jsonl"], Some("usage.5.closed.jsonl")),
        (&["usage.4.jsonl"], Some("usage.4.closed.jsonl")),
        (&["usage.4.jsonl", "usage.5.closed.jsonl"], None),
        (&["usage.6.done"], None),
        // An Envoy that died before it had opened the spool.
        (&["usage.journal"], Some("usage.1.closed.jsonl")),
        (&["usage.journal", "usage.5.closed.jsonl"], Some("usage.6.closed.jsonl")),
        (&["usage.journal", "usage.6.done"], Some("usage.7.closed.jsonl")),
        // A Tollgate that died between the journal and the file.
        (&["usage.7.journal", "usage.6.done"], Some("usage.7.closed.jsonl")),
        (&["usage.7.journal", "usage.6.done", "usage.jsonl"], Some("usage.7.closed.jsonl")),
        (&["usage.4.journal", "usage.4.jsonl"], Some("usage.4.closed.jsonl")),
        // A journal that waits for its generation to be read.
        (&["usage.4.journal", "usage.4.closed.jsonl"], None),
    ];
    for (names, expected) in table {
        let spool = folder(names);
        let closed = rotate_for_dead_gateway(spool.path()).unwrap();
        assert_eq!(closed, expected.map(|name| spool.path().join(name)), "{names:?}");
        assert_eq!(rotate_for_dead_gateway(spool.path()).unwrap(), None, "{names:?}");
    }
}

#[test]
fn a_dead_gateways_journal_gets_the_generation_that_is_closed() {
    let table: &[(&[&str], &str)] = &[
        (&["usage.journal"], "usage.1.journal"),
        (&["usage.journal", "usage.4.jsonl", "usage.jsonl"], "usage.5.journal"),
        (&["usage.journal", "usage.4.jsonl"], "usage.4.journal"),
        (&["usage.4.journal", "usage.4.closed.jsonl", "usage.journal"], "usage.5.journal"),
    ];
    for (before, expected) in table {
        let spool = folder(before);
        rotate_for_dead_gateway(spool.path()).unwrap();
        let text = std::fs::read_to_string(spool.path().join(expected)).unwrap();
        assert_eq!(text, "usage.journal", "{before:?}");
        let after = names(&spool);
        assert!(!after.contains(&"usage.journal".to_owned()), "{after:?}");
        rotate_for_dead_gateway(spool.path()).unwrap();
        assert_eq!(names(&spool), after, "{before:?}");
    }
}

#[test]
fn a_running_gateways_journal_is_left_alone() {
    let spool = folder(&["usage.jsonl", "usage.journal"]);
    rotate_live(spool.path()).unwrap();
    assert_eq!(names(&spool), ["usage.1.jsonl", "usage.journal"]);
}

#[test]
fn what_is_retired_takes_its_journal_along() {
    let journals = ["usage.2.journal", "usage.3.journal", "usage.4.journal", "usage.journal"];
    let spool = folder(&journals);
    retire(spool.path(), 3).unwrap();
    assert_eq!(names(&spool), ["usage.3.done", "usage.4.journal", "usage.journal"]);
}

#[test]
fn what_is_retired_leaves_one_empty_mark() {
    let spool = folder(&["usage.2.done", "usage.3.closed.jsonl", "usage.jsonl"]);
    retire(spool.path(), 3).unwrap();
    assert_eq!(names(&spool), ["usage.3.done", "usage.jsonl"]);
    assert_eq!(std::fs::metadata(spool.path().join("usage.3.done")).unwrap().len(), 0);
    retire(spool.path(), 3).unwrap();
    assert_eq!(list(spool.path()).unwrap().live_generation(), 4);
}

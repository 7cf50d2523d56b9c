use super::*;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// A memory of one worker.
#[derive(Default)]
pub(crate) struct Shelf(pub(crate) RefCell<BTreeMap<String, Vec<u8>>>);

impl Memory for Shelf {
    fn read(&self, name: &str) -> Option<Vec<u8>> {
        self.0.borrow().get(name).cloned()
    }

    fn change<T>(&self, name: &str, change: &mut dyn FnMut(Option<&[u8]>) -> Said<T>) -> Option<T> {
        let before = self.read(name);
        let (value, said) = change(before.as_deref());
        if let Some(value) = value {
            self.0.borrow_mut().insert(name.to_owned(), value);
        }
        Some(said)
    }
}

fn holders(shelf: &Shelf, hash: u64, now_s: u32) -> Vec<u32> {
    Holders::of(shelf, hash, now_s, 600).servers().collect()
}

#[test]
fn the_last_holder_stands_first_and_the_oldest_is_forgotten() {
    let shelf = Shelf::default();
    for server in 1..=10 {
        assert!(remember(&shelf, 7, server, 1_000 + server, 600));
    }
    assert_eq!(holders(&shelf, 7, 1_020), [10, 9, 8, 7, 6, 5, 4, 3]);
    assert!(remember(&shelf, 7, 5, 1_020, 600));
    assert_eq!(holders(&shelf, 7, 1_020), [5, 10, 9, 8, 7, 6, 4, 3]);
    assert!(holders(&shelf, 8, 1_020).is_empty(), "nothing is known of others");
}

#[test]
fn holders_expire_and_are_not_written_anew_every_time() {
    let shelf = Shelf::default();
    assert!(remember(&shelf, 7, 1, 1_000, 600));
    assert!(!remember(&shelf, 7, 1, 1_074, 600));
    assert_eq!(holders(&shelf, 7, 1_600), [1]);
    assert!(holders(&shelf, 7, 1_601).is_empty());
    assert!(remember(&shelf, 7, 1, 1_075, 600));
    assert_eq!(holders(&shelf, 7, 1_675), [1]);
}

#[test]
fn what_many_have_lately_may_be_anywhere() {
    let shelf = Shelf::default();
    let are_many = |now_s| Holders::of(&shelf, 7, now_s, 600).are_many(now_s, 600);
    (1..8).for_each(|server| assert!(remember(&shelf, 7, server, 1_000, 600)));
    assert!(!are_many(1_000));
    remember(&shelf, 7, 8, 1_000, 600);
    assert!(are_many(1_149));
    assert!(!are_many(1_150), "that is a quarter of the time");
}

/// Hashes that meet in a slot; callers choose them.
#[test]
fn a_slot_is_bounded_and_forgets_the_oldest() {
    let shelf = Shelf::default();
    let hash = |number: u64| number << 32 | 5;
    (0..100).for_each(|number| assert!(remember(&shelf, hash(number), 1, 1_000, 600)));
    assert_eq!(shelf.0.borrow().len(), 1);
    assert_eq!(holders(&shelf, hash(99), 1_000), [1]);
    assert_eq!(holders(&shelf, hash(84), 1_000), [1]);
    assert!(holders(&shelf, hash(83), 1_000).is_empty());
    assert!(shelf.0.borrow().values().all(|slot| slot.len() <= 16 * 68));
}

#[test]
fn requests_under_way_are_counted_and_taken_back() {
    let shelf = Shelf::default();
    let counts = |now_ms| under_way(&shelf, "p", now_ms);
    let begin = |server, now_ms| begin(&shelf, "p", server, now_ms).unwrap();
    let (one, again, other) = (begin(1, 0), begin(1, 61_000), begin(2, 61_000));
    assert_eq!(counts(61_000), [(1, 2), (2, 1)].into_iter().collect());
    end(&shelf, "p", one, 62_000);
    end(&shelf, "p", other, 62_000);
    assert_eq!(counts(62_000), [(1, 1)].into_iter().collect());
    end(&shelf, "p", other, 62_000);
    assert_eq!(counts(62_000).len(), 1, "below nothing there is nothing");
    end(&shelf, "p", again, 62_000);
    assert!(counts(62_000).is_empty());
    assert!(under_way(&shelf, "q", 62_000).is_empty(), "another pool");
}

#[test]
fn what_nobody_takes_back_is_forgotten() {
    let shelf = Shelf::default();
    begin(&shelf, "p", 1, 0);
    assert_eq!(under_way(&shelf, "p", 599_999).len(), 1);
    assert!(under_way(&shelf, "p", 600_000).is_empty());
    begin(&shelf, "p", 2, 600_000);
    assert_eq!(shelf.read("affinity/under-way/p").unwrap().len(), 12);
}

#[test]
fn rubbish_is_nothing() {
    let shelf = Shelf::default();
    for value in [vec![1; 5], vec![0xff; 200]] {
        shelf.0.borrow_mut().insert("affinity/7".into(), value.clone());
        shelf.0.borrow_mut().insert("affinity/under-way/p".into(), value);
        assert!(holders(&shelf, 7, 1_000).is_empty());
        assert!(under_way(&shelf, "p", 0).is_empty());
        assert!(remember(&shelf, 7, 1, 1_000, 600));
        assert_eq!(holders(&shelf, 7, 1_000), [1]);
    }
}

//! What the engine has delivered, request by request: what a gateway's bill is held
//! against.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// One request, by the `x-request-id` that it came with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    /// The id; a number of the engine's own where none came.
    pub id: String,
    /// Path without its query.
    pub path: String,
    /// Each time that it came, in order: a gateway that retries sends it again.
    pub attempts: Vec<Attempt>,
}

/// One of the times that a request came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Tokens read; 0 where it failed before.
    pub prompt_tokens: u64,
    /// Tokens in events, or in a whole answer, that the socket has taken. After a kill:
    /// those that it may have taken.
    pub output_tokens: u64,
    /// The most tokens that it asked for.
    pub max_tokens: Option<u64>,
    /// Seconds of sound that were heard.
    pub audio_seconds: u64,
    /// Whether the answer was written to its end.
    pub whole: bool,
}

/// Sums over all requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// Ids that came.
    pub requests: u64,
    /// Times that they came.
    pub attempts: u64,
    /// Attempts that were answered to the end.
    pub whole: u64,
    /// Tokens read.
    pub prompt_tokens: u64,
    /// Tokens sent.
    pub output_tokens: u64,
}

/// All of it; also in a file, where it is to outlive the process.
#[derive(Debug, Default)]
pub(super) struct Account(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    entries: Vec<Delivered>,
    places: HashMap<String, usize>,
    file: Option<File>,
}

/// A line of the file: how an attempt stands, or is about to.
#[derive(Debug, Serialize, Deserialize)]
struct Noted {
    id: String,
    path: String,
    number: usize,
    attempt: Attempt,
}

/// An attempt that is under way.
pub(super) struct Entry<'a> {
    account: &'a Account,
    place: usize,
    number: usize,
}

impl Account {
    /// Goes on with what the file has, and writes what is new to it.
    pub fn in_file(path: &Path) -> io::Result<Account> {
        let mut file = File::options().read(true).append(true).create(true).open(path)?;
        let mut book = Book::default();
        for line in BufReader::new(&file).lines() {
            if let Ok(noted) = serde_json::from_str::<Noted>(&line?) {
                book.restore(noted);
            }
        }
        // The last line may be torn, the process was killed: the next one is not a part of it.
        file.write_all(b"\n")?;
        book.file = Some(file);
        Ok(Account(Mutex::new(book)))
    }

    /// A request came.
    pub fn begin(&self, id: &str, path: &str) -> Entry<'_> {
        let mut book = self.book();
        let place = book.place(id, path);
        let attempts = &mut book.entries[place].attempts;
        attempts.push(Attempt::default());
        let number = attempts.len() - 1;
        Entry { account: self, place, number }
    }

    /// Everything so far.
    pub fn delivered(&self) -> Vec<Delivered> {
        self.book().entries.clone()
    }

    /// The sums of it.
    pub fn sums(&self) -> Sums {
        let book = self.book();
        let attempts = || book.entries.iter().flat_map(|it| &it.attempts);
        Sums {
            requests: book.entries.len() as u64,
            attempts: attempts().count() as u64,
            whole: attempts().filter(|it| it.whole).count() as u64,
            prompt_tokens: attempts().map(|it| it.prompt_tokens).sum(),
            output_tokens: attempts().map(|it| it.output_tokens).sum(),
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn place(&mut self, id: &str, path: &str) -> usize {
        if let Some(place) = self.places.get(id) {
            return *place;
        }
        let place = self.entries.len();
        self.places.insert(id.to_owned(), place);
        self.entries.push(Delivered { id: id.into(), path: path.into(), attempts: Vec::new() });
        place
    }

    fn restore(&mut self, noted: Noted) {
        let place = self.place(&noted.id, &noted.path);
        let attempts = &mut self.entries[place].attempts;
        if attempts.len() <= noted.number {
            attempts.resize(noted.number + 1, Attempt::default());
        }
        attempts[noted.number] = noted.attempt;
    }

    fn note(&mut self, place: usize, number: usize, attempt: Attempt) {
        let Some(file) = &mut self.file else { return };
        let Delivered { id, path, .. } = &self.entries[place];
        let noted = Noted { id: id.clone(), path: path.clone(), number, attempt };
        let line = serde_json::to_string(&noted).unwrap_or_default() + "\n";
        let _ = file.write_all(line.as_bytes());
    }
}

impl Entry<'_> {
    /// The prompt was read; the answer may have so many tokens.
    pub fn read(&self, prompt_tokens: u64, max_tokens: Option<u64>) {
        self.change(|attempt| {
            (attempt.prompt_tokens, attempt.max_tokens) = (prompt_tokens, max_tokens);
        });
    }

    /// So many seconds of sound were heard.
    pub fn heard(&self, seconds: u64) {
        self.change(|attempt| attempt.audio_seconds = seconds);
    }

    /// The file has to know of tokens before they go: a process that is killed
    /// between cannot say whether they went.
    pub fn about_to_send(&self, tokens: u64) {
        let mut book = self.account.book();
        if book.file.is_some() {
            let mut next = book.entries[self.place].attempts[self.number];
            next.output_tokens += tokens;
            book.note(self.place, self.number, next);
        }
    }

    /// The socket has taken so many tokens more.
    pub fn sent(&self, tokens: u64) {
        let mut book = self.account.book();
        book.entries[self.place].attempts[self.number].output_tokens += tokens;
    }

    /// The answer was written to its end.
    pub fn whole(&self) {
        self.change(|attempt| attempt.whole = true);
    }

    fn change(&self, change: impl FnOnce(&mut Attempt)) {
        let mut book = self.account.book();
        let attempt = &mut book.entries[self.place].attempts[self.number];
        change(attempt);
        let now = *attempt;
        book.note(self.place, self.number, now);
    }
}

impl Drop for Entry<'_> {
    /// What was about to be sent and was not is taken back.
    fn drop(&mut self) {
        self.change(|_| {});
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attempt_of_an_id_is_kept() {
        let account = Account::default();
        drop(account.begin("a", "/v1/x"));
        let second = account.begin("a", "/v1/x");
        second.read(3, Some(9));
        second.sent(2);
        second.whole();
        drop(second);
        let told = account.delivered();
        assert_eq!((told.len(), told[0].attempts[0]), (1, Attempt::default()));
        let Attempt { output_tokens, max_tokens, whole, .. } = told[0].attempts[1];
        assert_eq!((output_tokens, max_tokens, whole), (2, Some(9), true));
        let sums = account.sums();
        assert_eq!((sums.requests, sums.attempts, sums.whole), (1, 2, 1));
        assert_eq!((sums.prompt_tokens, sums.output_tokens), (3, 2));
    }

    #[test]
    fn a_file_goes_on_after_a_kill() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("account");
        let before = Account::in_file(&file).unwrap();
        let entry = before.begin("a", "/v1/x");
        entry.read(3, None);
        entry.about_to_send(1);
        entry.sent(1);
        entry.about_to_send(1);
        std::mem::forget(entry);
        File::options().append(true).open(&file).unwrap().write_all(b"{\"id\":\"b").unwrap();
        let after = Account::in_file(&file).unwrap();
        let told = after.delivered();
        assert_eq!((told.len(), told[0].attempts[0].output_tokens), (1, 2), "{told:?}");
        drop(after.begin("a", "/v1/x"));
        assert_eq!(Account::in_file(&file).unwrap().sums().attempts, 2);
    }

    #[test]
    fn what_did_not_go_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("account");
        let account = Account::in_file(&file).unwrap();
        let entry = account.begin("a", "/v1/x");
        entry.about_to_send(5);
        drop(entry);
        assert_eq!(Account::in_file(&file).unwrap().sums().output_tokens, 0);
    }
}

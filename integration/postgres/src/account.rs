//! Whom the server runs as: PostgreSQL refuses to be root.

use crate::Error;
use rustix::process::geteuid;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::{fs, io};

/// Those that are taken, the first that there is.
const NAMES: [&str; 2] = ["postgres", "nobody"];

/// An account of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    user: u32,
    group: u32,
}

/// Whom to run the server as; `None`: as who runs this.
pub fn unprivileged() -> Result<Option<Account>, Error> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    NAMES.iter().find_map(|name| named(&accounts, name)).map(Some).ok_or(Error::NoAccount)
}

/// The account `name` in the text of `/etc/passwd`, passwd(5).
fn named(accounts: &str, name: &str) -> Option<Account> {
    let fields = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>());
    fields.into_iter().find_map(|fields| match fields.as_slice() {
        [found, _, user, group, ..] if *found == name => {
            Some(Account { user: user.parse().ok()?, group: group.parse().ok()? })
        }
        _ => None,
    })
}

impl Account {
    /// Gives it a file or folder.
    pub fn own(self, path: &Path) -> io::Result<()> {
        chown(path, Some(self.user), Some(self.group))
    }

    /// Lets a program run as it.
    pub fn runs(self, command: &mut Command) {
        command.uid(self.user).gid(self.group);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_name() {
        let text = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65533:nobody:/:/bin/false\nbad\n";
        assert_eq!(named(text, "nobody"), Some(Account { user: 65_534, group: 65_533 }));
        assert_eq!(named(text, "bad"), None);
        assert_eq!(named(text, "nobod"), None);
        assert_eq!(named("x:x:one:two:", "x"), None);
    }

    #[test]
    fn root_gets_somebody_else_and_others_stay() {
        let account = unprivileged().unwrap();
        assert_eq!(account.is_some(), geteuid().is_root());
        assert!(account.is_none_or(|account| account.user != 0));
    }
}

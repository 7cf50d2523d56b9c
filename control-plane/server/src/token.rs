//! The admin token: the configured one, else a random one. Either lies in the
//! data folder, where only the owner's commands find it.

use crate::error::Failure;
use crate::files;
use model::Secret;
use std::path::Path;

/// Its name in the data folder.
pub const NAME: &str = "admin-token";

/// The token in force: the configured one, else the one that lies in the data
/// folder, else a new one. It lies in the data folder afterwards.
pub fn settle(data: &Path, configured: Option<&Secret>) -> Result<Secret, Failure> {
    let path = data.join(NAME);
    let token = match configured {
        Some(token) => token.reveal().to_owned(),
        None => match read(data) {
            Some(token) => return Ok(token),
            None => random()?,
        },
    };
    files::write_private(&path, token.as_bytes())?;
    Ok(Secret::new(token))
}

/// The token in the data folder, if there is one.
pub fn read(data: &Path) -> Option<Secret> {
    let text = std::fs::read_to_string(data.join(NAME)).ok()?;
    let token = text.trim();
    (!token.is_empty()).then(|| Secret::new(token.to_owned()))
}

fn random() -> Result<String, Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(Failure::internal)?;
    Ok(hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_token_stays() {
        let folder = tempfile::tempdir().unwrap();
        let first = settle(folder.path(), None).unwrap();
        let second = settle(folder.path(), None).unwrap();
        assert_eq!(first.reveal(), second.reveal());
        assert_eq!(first.reveal().len(), 64);
        let elsewhere = tempfile::tempdir().unwrap();
        assert_ne!(settle(elsewhere.path(), None).unwrap().reveal(), first.reveal());
    }

    #[test]
    fn the_configured_token_wins_and_is_found() {
        let folder = tempfile::tempdir().unwrap();
        settle(folder.path(), None).unwrap();
        settle(folder.path(), Some(&Secret::new("made-up".into()))).unwrap();
        assert_eq!(read(folder.path()).unwrap().reveal(), "made-up");
    }

    #[test]
    fn an_empty_file_is_no_token() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(NAME), "\n").unwrap();
        assert!(read(folder.path()).is_none());
        assert_eq!(settle(folder.path(), None).unwrap().reveal().len(), 64);
    }
}

//! The key of the placeholders' tags: the configured one, else one that lies in the data
//! folder, made once. Handed to the gateways with the keyring, and nowhere else: it is in
//! no resource of xDS, no database and no log.

use crate::error::Failure;
use crate::files;
use contract::keyring::MaskingKey;
use hmac::{Hmac, Mac as _};
use model::{Config, Secret, UserSource};
use sha2::Sha256;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;

/// Its name in the data folder.
const NAME: &str = "masking.key";

/// Random bytes of a key that is made.
const RANDOM_BYTES: usize = 32;

/// What a version is the HMAC of, with the key: it tells one key from another, and
/// nothing of it.
const VERSION_OF: &[u8] = b"tollgate masking key version";

/// Hexadecimal digits of a version.
const VERSION_CHARS: usize = 16;

/// The key in force. Clones share it.
#[derive(Clone)]
pub struct TagKeys {
    file: PathBuf,
    key: Arc<watch::Sender<Option<MaskingKey>>>,
    /// Whether every user of this machine can ask for it.
    in_clear: bool,
}

impl TagKeys {
    /// None is in force yet.
    pub fn new(data: &Path, in_clear: bool) -> TagKeys {
        TagKeys { file: data.join(NAME), key: Arc::new(watch::Sender::new(None)), in_clear }
    }

    /// The key that goes with `config`: none where nothing can be masked. One that is made
    /// lies in the data folder afterwards.
    pub fn of(&self, config: &Config) -> Result<Option<MaskingKey>, Failure> {
        if config.masking.policies.is_empty() && !keeps_users_of_bodies(config) {
            return Ok(None);
        }
        let key = match &config.masking.key {
            Some(key) => key.clone(),
            None => kept(&self.file)?,
        };
        masking_key(key.reveal()).map(Some)
    }

    /// From now on `key` is what the gateways are told. Returns what it was before.
    pub fn in_force(&self, key: Option<MaskingKey>) -> Option<MaskingKey> {
        if self.in_clear && key.is_some() && self.key.borrow().is_none() {
            tracing::warn!(
                "the key of placeholders (masking.key) can be asked for by every user of this \
                 machine: put control.xds on a Unix socket, or give it a token"
            );
        }
        self.key.send_replace(key)
    }

    /// The key in force, and each change of it.
    pub fn watch(&self) -> watch::Receiver<Option<MaskingKey>> {
        self.key.subscribe()
    }
}

/// A line where the key is another one; nothing of it.
pub fn changes(old: Option<&MaskingKey>, new: Option<&MaskingKey>) -> Vec<String> {
    match (old, new) {
        (Some(old), Some(new)) if old != new => {
            vec!["masking: another key; the same values get other placeholders".to_owned()]
        }
        _ => Vec::new(),
    }
}

/// The key in `file`, or a new one that lies there afterwards. One that cannot be read is
/// never replaced: the next key would make other placeholders of the same values.
fn kept(file: &Path) -> Result<Secret, Failure> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text.trim().to_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Failure::file("read", file, error)),
    };
    if !text.is_empty() {
        return model::tag_key(&text).map_err(|why| {
            Failure::Refused(format!("masking.key: the content of {} {why}", file.display()))
        });
    }
    let mut random = [0; RANDOM_BYTES];
    getrandom::fill(&mut random).map_err(Failure::internal)?;
    let text = hex::encode(random);
    files::write_private(file, text.as_bytes())?;
    Ok(Secret::new(text))
}

/// Whether users may be kept who look like personal data: as digests by the same key.
fn keeps_users_of_bodies(config: &Config) -> bool {
    config.tenants.values().any(|tenant| tenant.users.from == UserSource::Body)
}

/// The key as it travels. Its bytes are those of the text, wherever that stands: what lies
/// in one control plane's data folder can be written into another one's configuration.
fn masking_key(text: &str) -> Result<MaskingKey, Failure> {
    let mut mac = Hmac::<Sha256>::new_from_slice(text.as_bytes()).map_err(Failure::internal)?;
    mac.update(VERSION_OF);
    let mut version = hex::encode(mac.finalize().into_bytes());
    version.truncate(VERSION_CHARS);
    Ok(MaskingKey { version, key: hex::encode(text) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config_file;
    use std::os::unix::fs::PermissionsExt as _;

    fn config(masking: &str) -> Config {
        let text = format!("version: 1\nmasking: {{ {masking} }}\n");
        match config_file::load_text(Path::new("tollgate.yaml"), &text) {
            Ok(loaded) => loaded.config,
            Err(why) => panic!("{why:?}"),
        }
    }

    #[test]
    fn a_key_is_made_once_and_for_the_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let keys = || TagKeys::new(folder.path(), false);
        let first = keys().of(&config("policies: { p: }")).unwrap().unwrap();
        let second = keys().of(&config("policies: { p: , q: }")).unwrap().unwrap();
        assert_eq!((first.key.len(), &first), (2 * 2 * RANDOM_BYTES, &second));
        let file = folder.path().join(NAME);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let elsewhere = tempfile::tempdir().unwrap();
        let other = TagKeys::new(elsewhere.path(), false).of(&config("policies: { p: }"));
        assert_ne!(other.unwrap().unwrap(), first);
        // What lies there can be written into the configuration of another gateway.
        let text = fs::read_to_string(file).unwrap();
        let written = config(&format!("key: {text}, policies: {{ p: }}"));
        assert_eq!(TagKeys::new(Path::new("/nowhere"), false).of(&written).unwrap(), Some(second));
    }

    #[test]
    fn no_key_where_nothing_can_be_masked() {
        let folder = tempfile::tempdir().unwrap();
        let keys = TagKeys::new(folder.path(), false);
        assert_eq!(keys.of(&config("")).unwrap(), None);
        assert_eq!(keys.of(&config("key: made-up-key-of-tags")).unwrap(), None);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn versions_are_of_keys_and_tell_nothing_of_them() {
        let of = |text: &str| masking_key(text).unwrap();
        // Computed by `openssl dgst -sha256 -hmac`.
        assert_eq!(of("made-up-key-of-tags").version, "f28d357e9c147466");
        assert_eq!(of("made-up-key-of-tags").key, hex::encode("made-up-key-of-tags"));
        assert_ne!(of("made-up-key-of-tags").version, of("made-up-key-of-tagt").version);
    }

    #[test]
    fn a_key_that_cannot_be_read_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let keys = TagKeys::new(folder.path(), false);
        let file = folder.path().join(NAME);
        fs::write(&file, "too-short\n").unwrap();
        let why = keys.of(&config("policies: { p: }")).unwrap_err().to_string();
        assert!(
            why.contains("is not a key of placeholders") && !why.contains("too-short"),
            "{why}"
        );
        assert_eq!(fs::read_to_string(&file).unwrap(), "too-short\n");
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        assert!(keys.of(&config("policies: { p: }")).is_err());
    }

    #[test]
    fn a_change_is_told_without_the_key() {
        let keys = TagKeys::new(Path::new("/nowhere"), false);
        let mut told = keys.watch();
        let [one, other] = ["made-up-key-of-one", "made-up-key-of-two"].map(masking_key);
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_eq!(keys.in_force(Some(one.clone())), None);
        assert!(told.has_changed().unwrap());
        assert_eq!(told.borrow_and_update().as_ref(), Some(&one));
        let lines = changes(Some(&one), Some(&other));
        assert_eq!(lines, ["masking: another key; the same values get other placeholders"]);
        for (old, new) in [(None, Some(&one)), (Some(&one), None), (Some(&one), Some(&one))] {
            assert_eq!(changes(old, new), Vec::<String>::new());
        }
    }
}

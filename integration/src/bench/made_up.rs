//! API keys that nobody has made: the form is right, the rest is chance.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};

const PREFIX: &str = "tg_";
/// Of 256 random bits.
const RANDOM_CHARS: usize = 43;
const CHECKSUM_CHARS: usize = 6;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The bytes in which the keys of one series are the same.
const SHARED_BYTES: usize = 24;

/// Keys that differ in their last bytes alone, each another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    shared: [u8; SHARED_BYTES],
    next: u64,
}

impl Series {
    /// Keys that begin by chance.
    ///
    /// # Panics
    /// Where the system has no random numbers.
    pub fn any() -> Series {
        let mut random = [0; SHARED_BYTES + 8];
        SystemRandom::new().fill(&mut random).expect("random numbers");
        Series::after(&random)
    }

    /// Keys that begin as `key` does, and are not it; `None` where it is no key of Tollgate.
    pub fn like(key: &str) -> Option<Series> {
        let random = key.strip_prefix(PREFIX)?.get(..RANDOM_CHARS)?;
        let random: [u8; 32] = URL_SAFE_NO_PAD.decode(random).ok()?.try_into().ok()?;
        let mut series = Series::after(&random);
        series.next = series.next.wrapping_add(1);
        Some(series)
    }

    fn after(random: &[u8; SHARED_BYTES + 8]) -> Series {
        let [.., a, b, c, d, e, f, g, h] = *random;
        let shared = random.first_chunk().copied().unwrap_or_default();
        Series { shared, next: u64::from_be_bytes([a, b, c, d, e, f, g, h]) }
    }

    /// The next key.
    pub fn next(&mut self) -> String {
        let random = [&self.shared[..], &self.next.to_be_bytes()].concat();
        self.next = self.next.wrapping_add(1);
        let mut key = PREFIX.to_owned();
        URL_SAFE_NO_PAD.encode_string(random, &mut key);
        let checksum = checksum(&key);
        key.extend(checksum.map(char::from));
        key
    }
}

/// CRC-32 of what stands before it, in base 62.
fn checksum(body: &str) -> [u8; CHECKSUM_CHARS] {
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut digits = [0; CHECKSUM_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[rest as usize % BASE62.len()];
        rest /= BASE62.len() as u32;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_the_right_form_and_is_another() {
        let mut series = Series::any();
        let keys: Vec<String> = (0..100).map(|_| series.next()).collect();
        assert!(keys.iter().all(|key| auth::key::is_well_formed(key)), "{keys:?}");
        let distinct: std::collections::BTreeSet<&String> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
    }

    #[test]
    fn a_series_can_begin_like_a_key_and_never_gives_it() {
        let real = auth::key::generate(&[0xFF; 32]);
        let mut series = Series::like(&real).unwrap();
        let like = series.next();
        assert_eq!(like[..PREFIX.len() + 32], real[..PREFIX.len() + 32]);
        assert!(like != real && auth::key::is_well_formed(&like));
        assert_eq!(Series::like("sk-other"), None);
    }
}

//! Makes API keys: the only place that has one in clear.

use admin::Minted;

/// Random bytes of an id: unique without asking anybody.
const ID_BYTES: usize = 8;

/// A new key with its id and digest; `None` without randomness.
pub fn mint() -> Option<Minted> {
    let (mut secret, mut id) = ([0; 32], [0; ID_BYTES]);
    getrandom::fill(&mut secret).ok()?;
    getrandom::fill(&mut id).ok()?;
    let key = auth::key::generate(&secret);
    let sha256 = hex::encode(auth::key::digest(&key));
    Some(Minted { id: format!("key_{}", hex::encode(id)), key, sha256 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_another_and_well_formed() {
        let (one, two) = (mint().unwrap(), mint().unwrap());
        assert!(auth::key::is_well_formed(&one.key));
        assert_ne!(one.key, two.key);
        assert_ne!(one.id, two.id);
        assert_eq!(one.sha256, hex::encode(auth::key::digest(&one.key)));
    }
}

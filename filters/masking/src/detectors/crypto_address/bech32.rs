//! Bech32 (BIP 173) and Bech32m (BIP 350).

use super::Of;

const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
const BECH32: u32 = 1;
const BECH32M: u32 = 0x2bc8_30a3;
/// Characters of a checksum.
const SUM_CHARS: usize = 6;
/// What stands before the separator of an address; keys of nostr that only look alike and
/// invoices are not among them.
const PREFIXES: [&str; 20] = [
    "bc", "tb", "bcrt", "ltc", "tltc", "addr", "stake", "cosmos", "osmo", "terra", "bnb",
    "celestia", "inj", "sei", "juno", "kava", "thor", "one", "erd", "zil",
];
/// The same of private keys: nostr's.
const PRIVATE: &str = "nsec";

/// What a text is, if its checksum holds.
pub fn proven(text: &str) -> Option<Of> {
    let lower = text.to_ascii_lowercase();
    if lower != text && text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return None;
    }
    let (prefix, body) = lower.rsplit_once('1')?;
    let of = if prefix == PRIVATE {
        Of::PrivateKey
    } else {
        PREFIXES.contains(&prefix).then_some(Of::Address)?
    };
    (body.len() > SUM_CHARS && holds(prefix, body)).then_some(of)
}

fn holds(prefix: &str, body: &str) -> bool {
    let mut sum = 1;
    let high = prefix.bytes().map(|byte| byte >> 5);
    let low = prefix.bytes().map(|byte| byte & 31);
    for value in high.chain([0]).chain(low) {
        sum = step(sum, value);
    }
    for byte in body.bytes() {
        let Some(value) = ALPHABET.iter().position(|known| *known == byte) else { return false };
        sum = step(sum, value as u8);
    }
    matches!(sum, BECH32 | BECH32M)
}

fn step(sum: u32, value: u8) -> u32 {
    let top = sum >> 25;
    let shifted = (sum & 0x01ff_ffff) << 5 ^ u32::from(value);
    GENERATOR
        .iter()
        .enumerate()
        .filter(|(bit, _)| top >> bit & 1 == 1)
        .fold(shifted, |sum, (_, generator)| sum ^ generator)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(prefix: &str, values: &[u8], constant: u32) -> String {
        let expanded =
            prefix.bytes().map(|b| b >> 5).chain([0]).chain(prefix.bytes().map(|b| b & 31));
        let all = expanded.chain(values.iter().copied()).chain([0; SUM_CHARS]);
        let sum = all.fold(1, step) ^ constant;
        let check = (0..SUM_CHARS).map(|index| (sum >> (5 * (5 - index)) & 31) as u8);
        let body = values.iter().copied().chain(check);
        let body: String = body.map(|value| char::from(ALPHABET[usize::from(value)])).collect();
        format!("{prefix}1{body}")
    }

    proptest! {
        #[test]
        fn an_encoded_one_is_proven_and_a_changed_one_not(
            prefix in prop::sample::select(PREFIXES.to_vec()),
            values in prop::collection::vec(0_u8..32, 32..60),
            modern: bool,
            place in 0_usize..30,
        ) {
            let text = encode(prefix, &values, if modern { BECH32M } else { BECH32 });
            prop_assert_eq!(proven(&text), Some(Of::Address));
            prop_assert_eq!(proven(&text.to_ascii_uppercase()), Some(Of::Address));
            let mut changed = text.clone().into_bytes();
            let place = prefix.len() + 1 + place;
            changed[place] = if changed[place] == b'q' { b'p' } else { b'q' };
            prop_assert_eq!(proven(std::str::from_utf8(&changed).unwrap()), None);
        }
    }

    #[test]
    fn only_private_keys_of_nostr_count() {
        assert_eq!(proven(&encode("nsec", &[3; 52], BECH32)), Some(Of::PrivateKey));
        assert_eq!(proven(&encode("npub", &[3; 52], BECH32)), None);
    }
}

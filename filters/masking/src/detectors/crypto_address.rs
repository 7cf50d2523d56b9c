//! Addresses of crypto currencies that their checksum proves, or words around them.
//!
//! Base58Check (Bitcoin developer reference, "Address conversion"; Tron, Litecoin, Doge,
//! Dash, Zcash, Ripple alike), Bech32 and Bech32m (BIP 173, BIP 350), Ethereum (EIP-55).
//! Hashes of transactions have sixty-four digits and stay.

mod base58;
mod bech32;
mod ethereum;

use std::ops::Range;

use contract::masking::PiiType;

use super::runs::{alnum, long_runs};
use crate::evidence::words;
use crate::resolve::{Candidates, Level};
use crate::scene::Scene;

/// The shortest address: a Bitcoin one of Base58.
const CHARS_MIN: usize = 26;
/// The longest: Cardano's and Monero's.
const CHARS_MAX: usize = 112;

words!(
    /// What makes an address one where no checksum does.
    WALLETS = [
        "bitcoin", "btc", "비트코인", "ethereum", "eth", "ether", "이더리움", "erc20", "erc-20", "지갑",
        "wallet", "solana", "sol", "솔라나", "tron", "trx", "트론", "usdt", "usdc", "테더", "crypto",
        "가상자산", "암호화폐", "코인", "coin", "xrp", "ripple", "리플", "metamask", "메타마스크", "입금 주소", "출금 주소",
        "입금주소", "출금주소", "monero", "xmr", "litecoin", "ltc", "deposit address", "contract", "0x 주소",
    ]
);
words!(
    /// What makes forty digits a digest.
    DIGESTS = ["commit", "sha1", "sha-1", "checksum", "커밋", "체크섬", "git", "color", "memory"]
);

/// Puts down every address.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    for run in long_runs(scene.bytes(), CHARS_MIN, alnum) {
        if run.len() > CHARS_MAX || !scene.stands_alone(&run) {
            continue;
        }
        match read(scene, &run) {
            Some((Of::Address, level)) => found.pii(PiiType::CryptoAddress, run, level),
            Some((Of::PrivateKey, level)) => found.pii(PiiType::Secret, run, level),
            None => {}
        }
    }
}

/// What a text of this build opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// Where to send to.
    Address,
    /// Who may spend.
    PrivateKey,
}

fn read(scene: &Scene<'_>, run: &Range<usize>) -> Option<(Of, Level)> {
    let text = scene.slice(run.clone());
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return ethereum(scene, run, digits).map(|level| (Of::Address, level));
    }
    if let Some(of) = base58::proven(text).or_else(|| bech32::proven(text)) {
        return Some((of, Level::Certain));
    }
    let likely = base58::shaped(text) && scene.says_near(run, &WALLETS);
    likely.then_some((Of::Address, Level::Likely))
}

fn ethereum(scene: &Scene<'_>, run: &Range<usize>, digits: &str) -> Option<Level> {
    if !ethereum::shaped(digits) {
        return None;
    }
    let proven = ethereum::checksum_holds(digits);
    let named = || scene.says_near(run, &WALLETS);
    match proven {
        Some(true) => Some(Level::Certain),
        Some(false) => named().then_some(Level::Likely),
        None if named() => Some(Level::Strong),
        None => (!scene.says_near(run, &DIGESTS)).then_some(Level::Likely),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::trial::{hits, misses};

    #[test]
    fn finds_addresses() {
        hits(
            PiiType::CryptoAddress,
            &[
                // Examples of the wiki of Bitcoin, BIP 173, BIP 350 and EIP-55.
                "BTC: ⟦1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2⟧로 보내 주세요",
                "⟦3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy⟧",
                "wallet ⟦bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4⟧.",
                "⟦BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4⟧",
                "⟦bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0⟧",
                "이더리움 ⟦0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed⟧",
                "eth ⟦0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed⟧입니다",
                "지갑 주소는 ⟦1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3⟧",
            ],
        );
    }

    #[test]
    fn leaves_what_nothing_proves() {
        misses(&[
            "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD",
            "commit 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
            "tx 0x5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060",
            "Supercalifragilisticexpialidocious",
        ]);
    }
}

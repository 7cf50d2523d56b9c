//! Nonces are remembered while somebody would take them.

use crate::store::Store;

const TAG: [u8; 16] = *b"made-up nonce  1";

pub async fn a_nonce_is_fresh_once(store: &impl Store) {
    let other = *b"made-up nonce  2";
    // Tag, remembered until, asked at, fresh.
    for (tag, until_s, now_s, fresh) in [
        (TAG, 1_300, 1_000, true),
        (TAG, 1_300, 1_000, false),
        (other, 1_300, 1_000, true),
        // A replay does not make it last longer.
        (TAG, 9_000, 1_300, false),
        (TAG, 1_600, 1_301, true),
        (TAG, 1_600, 1_302, false),
        // Long after all are over, and removed.
        (TAG, 9_900, 9_000, true),
        (other, 9_900, 9_000, true),
        (other, 9_900, 9_000, false),
    ] {
        let found = store.remember_nonce(&tag, until_s, now_s).await.unwrap();
        assert_eq!(found, fresh, "{tag:?} {until_s} {now_s}");
    }
}

/// The end of all is that of the last, whoever came last.
pub async fn the_end_of_all_nonces_is_known(store: &impl Store) {
    assert_eq!(store.nonces_until().await.unwrap(), 0);
    for (tag, until_s, now_s, last) in [
        (b"a", 1_300, 1_000, 1_300),
        (b"b", 1_200, 1_000, 1_300),
        (b"c", 1_900, 1_000, 1_900),
        // A replay moves nothing.
        (b"c", 9_000, 1_100, 1_900),
        (b"a", 2_000, 1_301, 2_000),
    ] {
        store.remember_nonce(tag, until_s, now_s).await.unwrap();
        let found = store.nonces_until().await.unwrap();
        assert_eq!(found, last, "{tag:?} {until_s} {now_s}");
    }
}

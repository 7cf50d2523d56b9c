//! Moments that all workers have to know: when the control plane was heard of last, when
//! the process began, and how far the nonces reach that others have seen.

/// Where `sync` notes when it heard of the control plane last.
pub const FRESH_NAME: &str = "fresh";

/// Where the first VM of a process notes when that was. Written once: a VM that is
/// loaded later finds it there.
pub const STARTED_NAME: &str = "started";

/// Where `sync` notes up to which Unix second some nonce was remembered by the control
/// plane when this process began. Written once, before the keyring counts.
pub const REMEMBERED_NAME: &str = "remembered";

/// A moment as it stands in shared data, in decimal digits.
#[must_use]
pub fn encode_moment(moment: u64) -> Vec<u8> {
    moment.to_string().into_bytes()
}

/// Reads what [`encode_moment`] wrote; `None` for anything else.
#[must_use]
pub fn decode_moment(stored: &[u8]) -> Option<u64> {
    std::str::from_utf8(stored).ok()?.parse().ok()
}

/// Whether what is known of credentials no longer counts: the control plane was silent
/// for more than `stale_for_ms`, or has never spoken (`None`).
#[must_use]
pub fn is_stale(fresh_ms: Option<u64>, now_ms: u64, stale_for_ms: u64) -> bool {
    fresh_ms.is_none_or(|fresh_ms| now_ms.saturating_sub(fresh_ms) > stale_for_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_come_back() {
        for moment in [0, 1, 1_700_000_000_000, u64::MAX] {
            assert_eq!(decode_moment(&encode_moment(moment)), Some(moment));
        }
        for bad in ["", " 1", "1 ", "-1", "0x1", "18446744073709551616"] {
            assert_eq!(decode_moment(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(decode_moment(b"\xff"), None);
    }

    #[test]
    fn staleness() {
        let table = [
            (None, 0, 1_000, true),
            (Some(5_000), 5_000, 1_000, false),
            (Some(5_000), 6_000, 1_000, false),
            (Some(5_000), 6_001, 1_000, true),
            // The clock was set back.
            (Some(5_000), 4_000, 1_000, false),
            (Some(0), u64::MAX, u64::MAX, false),
        ];
        for (fresh_ms, now_ms, stale_for_ms, expected) in table {
            assert_eq!(is_stale(fresh_ms, now_ms, stale_for_ms), expected, "{fresh_ms:?} {now_ms}");
        }
    }
}

//! Inflating a stream of a PDF within a bound.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// What a buffer begins with: a hundred objects fit.
const BUFFER_BYTES: usize = 64 * 1024;

/// Inflates a zlib stream (RFC 1950) that begins at the start of `data` and
/// ends where it says so. Returns what is in it, and how many bytes of `data` it
/// took; `None` when it is broken, cut, or larger than `bytes_max`.
pub(super) fn zlib(data: &[u8], bytes_max: usize) -> Option<(Vec<u8>, usize)> {
    const FLAGS: u32 = TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let mut state = Box::<DecompressorOxide>::default();
    let mut out = vec![0; BUFFER_BYTES.min(bytes_max)];
    let (mut read, mut written) = (0, 0);
    loop {
        let rest = data.get(read..)?;
        let (status, consumed, produced) = decompress(&mut state, rest, &mut out, written, FLAGS);
        read += consumed;
        written += produced;
        match status {
            TINFLStatus::Done => {
                out.truncate(written);
                return Some((out, read));
            }
            TINFLStatus::HasMoreOutput if out.len() < bytes_max => {
                out.resize(out.len().saturating_mul(2).min(bytes_max), 0);
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use miniz_oxide::deflate::compress_to_vec_zlib;
    use proptest::prelude::*;

    #[test]
    fn the_bound_is_exact() {
        let zeros = vec![0; 1_000_000];
        let small = compress_to_vec_zlib(&zeros, 9);
        assert!(small.len() < 2000);
        assert_eq!(zlib(&small, 999_999), None);
        assert_eq!(zlib(&small, 1_000_000), Some((zeros, small.len())));
        assert_eq!(zlib(&small, 0), None);
    }

    #[test]
    fn broken_and_cut_streams_are_refused() {
        let whole = compress_to_vec_zlib(b"some text, some text", 6);
        for end in 0..whole.len() {
            assert_eq!(zlib(&whole[..end], 1000), None, "{end}");
        }
        assert_eq!(zlib(b"not zlib at all", 1000), None);
    }

    proptest! {
        #[test]
        fn reads_back_whatever_stands_behind(text in any::<Vec<u8>>(), behind in any::<Vec<u8>>()) {
            let mut data = compress_to_vec_zlib(&text, 6);
            let size = data.len();
            data.extend(behind);
            prop_assert_eq!(zlib(&data, text.len().max(1)), Some((text, size)));
        }

        #[test]
        fn garbage_does_not_panic(data in any::<Vec<u8>>(), bytes_max in 0..5000_usize) {
            let header = [&[0x78, 0x9c][..], &data].concat();
            prop_assert!(zlib(&header, bytes_max).is_none_or(|(out, _)| out.len() <= bytes_max));
        }
    }
}

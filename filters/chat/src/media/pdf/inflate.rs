//! Inflating the streams of PDFs within bounds.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY,
    TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use super::work::Work;

/// What the buffer begins with: a hundred objects fit. So much may come out of any
/// stream, however short.
const BUFFER_BYTES: usize = 64 * 1024;

/// Beyond that, bytes that may come out of one. Objects that are much alike, as
/// those of tables are, become some 40 times smaller.
const RATIO_MAX: usize = 100;

/// Inflates one stream after the other in the same memory.
pub(super) struct Inflater {
    state: Box<DecompressorOxide>,
    out: Vec<u8>,
}

impl Default for Inflater {
    fn default() -> Self {
        Self { state: Box::default(), out: vec![0; BUFFER_BYTES] }
    }
}

impl Inflater {
    /// Inflates a zlib stream (RFC 1950) that begins at the start of `data` and ends
    /// where it says so. `None` when it is broken, cut, inflates beyond measure, or is
    /// more than `work` has left; what it takes of that is taken off.
    pub(super) fn zlib(&mut self, data: &[u8], work: &mut Work) -> Option<&[u8]> {
        const FLAGS: u32 = TINFL_FLAG_PARSE_ZLIB_HEADER
            | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF
            | TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY;
        self.state.init();
        let bytes_max = work.inflatable;
        let (mut read, mut written) = (0, 0);
        work.begin_block()?;
        loop {
            let room = self.out.len().min(bytes_max);
            let (rest, out) = (data.get(read..)?, self.out.get_mut(..room)?);
            let (status, consumed, produced) =
                decompress(&mut self.state, rest, out, written, FLAGS);
            read += consumed;
            written += produced;
            work.inflatable = bytes_max.checked_sub(written)?;
            if written > BUFFER_BYTES && written > read.saturating_mul(RATIO_MAX) {
                return None;
            }
            match status {
                TINFLStatus::Done => return self.out.get(..written),
                TINFLStatus::BlockBoundary => work.begin_block()?,
                TINFLStatus::HasMoreOutput if room < bytes_max => {
                    self.out.resize(room.saturating_mul(2), 0);
                }
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use miniz_oxide::deflate::compress_to_vec_zlib;
    use proptest::prelude::*;

    /// What is in a stream, when this many bytes may come out of it, and how many
    /// are left.
    fn zlib(data: &[u8], bytes_max: usize) -> Option<(Vec<u8>, usize)> {
        let mut work = Work { inflatable: bytes_max, ..Work::default() };
        let out = Inflater::default().zlib(data, &mut work)?.to_vec();
        Some((out, work.inflatable))
    }

    /// Bytes that differ enough to stay as many.
    fn noise(bytes: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..bytes).map(|_| next()).collect()
    }

    #[test]
    fn the_bound_is_exact() {
        let text = noise(300_000);
        let small = compress_to_vec_zlib(&text, 9);
        assert_eq!(zlib(&small, 299_999), None);
        assert_eq!(zlib(&small, 300_000), Some((text.clone(), 0)));
        assert_eq!(zlib(&small, 300_001), Some((text, 1)));
        assert_eq!(zlib(&small, 0), None);
    }

    #[test]
    fn streams_beyond_measure_are_refused() {
        let zeros = |bytes| compress_to_vec_zlib(&vec![0; bytes], 9);
        assert!(zlib(&zeros(BUFFER_BYTES), 1 << 20).is_some());
        assert_eq!(zlib(&zeros(BUFFER_BYTES + 1), 1 << 20), None);
        assert_eq!(zlib(&zeros(1 << 20), 1 << 21), None);
    }

    #[test]
    fn empty_blocks_are_counted() {
        // Of the fixed codes: ten bits each, 0 11 and seven zeros from the lowest on;
        // so five bytes are four of them.
        let four: u64 = (0..4).fold(0, |bits, block| bits | 0b010 << (10 * block));
        let blocks = |times: usize| {
            let empty = four.to_le_bytes()[..5].repeat(times);
            // The last one, and the checksum of nothing.
            [b"\x78\x9c", &empty[..], b"\x03\0\0\0\0\x01"].concat()
        };
        let mut work = Work::default();
        let left = work.blocks;
        assert_eq!(Inflater::default().zlib(&blocks(3), &mut work), Some(&[][..]));
        assert_eq!(left - work.blocks, 13);
        assert_eq!(Inflater::default().zlib(&blocks(1 << 20), &mut work), None);
        assert_eq!(work.blocks, 0);
        assert_eq!(Inflater::default().zlib(&blocks(0), &mut work), None);
    }

    #[test]
    fn one_stream_leaves_nothing_to_the_next() {
        let mut inflater = Inflater::default();
        let mut work = Work::default();
        let long = noise(200_000);
        assert_eq!(inflater.zlib(&compress_to_vec_zlib(&long, 6), &mut work), Some(&long[..]));
        assert_eq!(inflater.zlib(b"\x78\x9c\x03", &mut work), None);
        assert_eq!(inflater.zlib(&compress_to_vec_zlib(b"a", 6), &mut work), Some(&b"a"[..]));
        // A distance of 32,768 at the start: into the stream before.
        let before = b"\x78\x9c\x03\xfe\xff\x1f\0";
        assert_eq!(inflater.zlib(before, &mut work), None);
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
            data.extend(behind);
            prop_assert_eq!(zlib(&data, text.len().max(1)), Some((text.clone(), usize::from(text.is_empty()))));
        }

        #[test]
        fn garbage_does_not_panic(data in any::<Vec<u8>>(), bytes_max in 0..5000_usize) {
            let header = [&[0x78, 0x9c][..], &data].concat();
            prop_assert!(zlib(&header, bytes_max).is_none_or(|(out, _)| out.len() <= bytes_max));
        }
    }
}

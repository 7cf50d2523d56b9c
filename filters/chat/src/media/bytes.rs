//! Numbers out of a file's bytes, and a cursor over them: every read says
//! whether it was there.

/// `N` bytes at a place.
pub(super) fn array<const N: usize>(file: &[u8], at: usize) -> Option<[u8; N]> {
    file.get(at..at.checked_add(N)?)?.try_into().ok()
}

pub(super) fn be16(file: &[u8], at: usize) -> Option<u64> {
    array(file, at).map(|bytes| u64::from(u16::from_be_bytes(bytes)))
}

pub(super) fn be32(file: &[u8], at: usize) -> Option<u64> {
    array(file, at).map(|bytes| u64::from(u32::from_be_bytes(bytes)))
}

pub(super) fn le16(file: &[u8], at: usize) -> Option<u64> {
    array(file, at).map(|bytes| u64::from(u16::from_le_bytes(bytes)))
}

pub(super) fn le24(file: &[u8], at: usize) -> Option<u64> {
    array(file, at).map(|[a, b, c]| u64::from(u32::from_le_bytes([a, b, c, 0])))
}

pub(super) fn le32(file: &[u8], at: usize) -> Option<u64> {
    array(file, at).map(|bytes| u64::from(u32::from_le_bytes(bytes)))
}

/// A place that moves forward through a file.
pub(super) struct Cursor<'a> {
    file: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(file: &'a [u8], at: usize) -> Self {
        Self { file, at }
    }

    pub(super) fn at_end(&self) -> bool {
        self.at >= self.file.len()
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        let byte = *self.file.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// The next `count` bytes, passed by.
    pub(super) fn take(&mut self, count: u64) -> Option<&'a [u8]> {
        let end = self.at.checked_add(usize::try_from(count).ok()?)?;
        let taken = self.file.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_orders_and_nothing_beyond_the_end() {
        let file = [1, 2, 3, 4];
        assert_eq!(be16(&file, 0), Some(0x0102));
        assert_eq!(be32(&file, 0), Some(0x0102_0304));
        assert_eq!(le16(&file, 2), Some(0x0403));
        assert_eq!(le24(&file, 1), Some(0x04_0302));
        assert_eq!(le32(&file, 0), Some(0x0403_0201));
        assert_eq!(be16(&file, 3), None);
        assert_eq!(be32(&file, usize::MAX), None);
    }

    #[test]
    fn a_cursor_stops_at_the_end() {
        let mut cursor = Cursor::new(&[1, 2, 3], 0);
        assert_eq!(cursor.byte(), Some(1));
        assert_eq!(cursor.take(u64::MAX), None);
        assert_eq!(cursor.take(3), None);
        assert_eq!(cursor.take(2), Some(&[2, 3][..]));
        assert!(cursor.at_end());
        assert_eq!(cursor.byte(), None);
    }
}

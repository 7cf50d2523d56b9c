//! How a value of the table is laid out: a version, then records one after another, all
//! little-endian. What cannot be read is as nothing.

/// Reads a value from its front.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// What follows the version byte, if it is that version.
    pub(crate) fn of_version(version: u8, bytes: &'a [u8]) -> Option<Reader<'a>> {
        let mut reader = Reader(bytes);
        (reader.u8()? == version).then_some(reader)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.take().map(u8::from_le_bytes)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    pub(crate) fn u128(&mut self) -> Option<u128> {
        self.take().map(u128::from_le_bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One of the records of a value.
pub(crate) trait Record: Sized {
    /// The layout that this release writes; any other is not read.
    const VERSION: u8;

    /// Bytes of a usual one.
    const BYTES: usize;

    fn read(reader: &mut Reader) -> Option<Self>;

    fn write(&self, bytes: &mut Vec<u8>);
}

/// The records of a value; none where the value is not whole.
pub(crate) fn read<R: Record>(value: Option<&[u8]>) -> Vec<R> {
    value.and_then(read_whole).unwrap_or_default()
}

fn read_whole<R: Record>(value: &[u8]) -> Option<Vec<R>> {
    let mut reader = Reader::of_version(R::VERSION, value)?;
    let mut records = Vec::with_capacity(value.len() / R::BYTES + 1);
    while !reader.is_empty() {
        records.push(R::read(&mut reader)?);
    }
    Some(records)
}

/// The value of these records.
pub(crate) fn write<R: Record>(records: &[R]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + records.len() * R::BYTES);
    bytes.push(R::VERSION);
    for record in records {
        record.write(&mut bytes);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Pair(u32, u16);

    impl Record for Pair {
        const VERSION: u8 = 7;
        const BYTES: usize = 6;

        fn read(reader: &mut Reader) -> Option<Pair> {
            Some(Pair(reader.u32()?, reader.u16()?))
        }

        fn write(&self, bytes: &mut Vec<u8>) {
            bytes.extend_from_slice(&self.0.to_le_bytes());
            bytes.extend_from_slice(&self.1.to_le_bytes());
        }
    }

    #[test]
    fn records_are_read_as_they_were_written() {
        let pairs = vec![Pair(1, 2), Pair(u32::MAX, 0)];
        assert_eq!(read::<Pair>(Some(&write(&pairs))), pairs);
        assert_eq!(read::<Pair>(Some(&write::<Pair>(&[]))), []);
        assert_eq!(read::<Pair>(None), []);
    }

    #[test]
    fn what_is_not_whole_is_nothing() {
        let whole = write(&[Pair(1, 2)]);
        for broken in [&whole[..6], &[8, 1, 0, 0, 0, 2, 0], &[], &[7, 7]] {
            assert_eq!(read::<Pair>(Some(broken)), [], "{broken:?}");
        }
    }
}

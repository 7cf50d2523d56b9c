//! What is remembered of who has served what: a port, and what stands there.

mod holders;
#[cfg(test)]
pub(crate) mod tests;
mod under_way;

pub(crate) use holders::{Holders, remember};
pub use under_way::Sent;
pub(crate) use under_way::{begin, end, under_way};

/// What shall stand under a name, `None` for what stands there already; and what else there
/// is to say.
pub type Said<T> = (Option<Vec<u8>>, T);

/// Values by name that all workers of a gateway share, changed by compare-and-swap: Envoy's
/// shared data. The names are bounded in number, the values in size; to lose one costs a
/// little speed and nothing else.
pub trait Memory {
    /// What stands there.
    fn read(&self, name: &str) -> Option<Vec<u8>>;

    /// Changes a value as if no other worker were there. `change` is given what stands there,
    /// and says what shall, or `None` for no change; it is asked again when somebody else was
    /// faster. Returns what it said last beside that; `None`: somebody else always was, and
    /// nothing has changed.
    fn change<T>(&self, name: &str, change: &mut dyn FnMut(Option<&[u8]>) -> Said<T>) -> Option<T>;
}

/// What a server is called there: 32 bits are enough to tell the servers of a pool apart, and
/// who is taken for another is only picked for nothing.
pub(crate) fn server_id(address: &str) -> u32 {
    crate::rendezvous::hash(0, address.as_bytes()) as u32
}

/// A number at a place of a record.
fn number(record: &[u8], at: usize) -> u32 {
    let bytes = record.get(at..).and_then(|rest| rest.first_chunk());
    u32::from_le_bytes(bytes.copied().unwrap_or_default())
}

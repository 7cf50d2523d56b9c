//! What `sync` tells the workers about limits, as it stands in the table.

/// Where [`Shares`] stand.
pub const SHARES_NAME: &str = "shares";

/// How this gateway shares with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// How many gateways there are, this one included.
    pub gateways: u32,
    /// Whether usage can hardly be written any more.
    pub spool_full: bool,
}

impl Default for Shares {
    fn default() -> Shares {
        Shares { gateways: 1, spool_full: false }
    }
}

impl Shares {
    /// As they stand in the table.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        let mut stored = self.gateways.to_le_bytes().to_vec();
        stored.push(u8::from(self.spool_full));
        stored
    }

    /// Reads what [`Shares::encode`] wrote; anything else is what a gateway alone has.
    #[must_use]
    pub fn decode(stored: &[u8]) -> Shares {
        match *stored {
            [a, b, c, d, full] => {
                Shares { gateways: u32::from_le_bytes([a, b, c, d]).max(1), spool_full: full != 0 }
            }
            _ => Shares::default(),
        }
    }
}

/// The name by which the control plane tells this process of a gateway from every other:
/// when it began, and a number that it has drawn.
#[must_use]
pub fn process_name(started_ms: u64, salt: u64) -> String {
    format!("{started_ms}-{salt:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_come_back() {
        let shares = Shares { gateways: 3, spool_full: true };
        assert_eq!(Shares::decode(&shares.encode()), shares);
        assert_eq!(Shares::decode(&[0, 0, 0, 0, 0]), Shares::default());
        assert_eq!(Shares::decode(b"garbage"), Shares::default());
        assert_eq!(process_name(7, 255), "7-00000000000000ff");
    }
}

//! The digits of a number.

use std::ops::Deref;

/// More digits than any number has that is looked for.
pub const FIGURES_MAX: usize = 32;

/// Digits from 0 to 9; of more than [`FIGURES_MAX`] the first.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    digits: [u8; FIGURES_MAX],
    len: usize,
}

impl Figures {
    /// The ASCII digits among bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut figures = Self { digits: [0; FIGURES_MAX], len: 0 };
        let digits = bytes.iter().filter(|byte| byte.is_ascii_digit());
        for (place, digit) in figures.digits.iter_mut().zip(digits) {
            *place = digit - b'0';
            figures.len += 1;
        }
        figures
    }
}

impl Deref for Figures {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.digits.get(..self.len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{FIGURES_MAX, Figures};

    #[test]
    fn digits_are_taken_from_among_marks() {
        assert_eq!(*Figures::of("010-12 가3".as_bytes()), [0, 1, 0, 1, 2, 3]);
        assert_eq!(Figures::of(b"").len(), 0);
        assert_eq!(*Figures::of(&[b'7'; 40]), [7; FIGURES_MAX]);
    }
}

//! A value that must not leave.

use std::borrow::Borrow;

use zeroize::Zeroize as _;

/// Found in a request; overwritten when it is dropped. No `Debug`, no `Display`.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Value(String);

impl Value {
    pub(crate) fn new(value: &str) -> Self {
        Self(value.to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Compares as its text does.
impl Borrow<str> for Value {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

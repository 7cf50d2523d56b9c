//! The control plane alone, and its Envoys, under the names of the tests.

pub use integration::serving::{SOON, Serving, ready};

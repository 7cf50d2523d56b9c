//! `tollgate schema`.

use super::say;
use crate::error::Failure;

/// Prints the JSON Schema that an editor completes and checks `tollgate.yaml` with.
pub fn run() -> Result<(), Failure> {
    say(&model::schema::json_schema())
}

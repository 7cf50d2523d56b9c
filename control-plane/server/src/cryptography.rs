//! What TLS of this process is made with.

use rustls::crypto::ring;

/// Chooses *ring* for every library that asks; once is enough, more does no harm.
pub fn choose() {
    // An error means that it was chosen before.
    let _ = ring::default_provider().install_default();
}

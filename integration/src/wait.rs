//! Waiting for things that happen in other processes.

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Waits until `condition` holds; false when it did not within `timeout`.
pub async fn wait_until(mut condition: impl AsyncFnMut() -> bool, timeout: Duration) -> bool {
    let until = Instant::now() + timeout;
    loop {
        if condition().await {
            return true;
        }
        if Instant::now() >= until {
            return false;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// A loopback address that nobody listens on. Another process may take it before
/// it is used, so ask for it right before.
pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
    listener.local_addr().expect("the address of a bound socket")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waiting_ends_with_the_condition_or_the_time() {
        let mut looks = 0;
        let third = async || {
            looks += 1;
            looks == 3
        };
        assert!(wait_until(third, Duration::from_secs(5)).await);
        assert!(!wait_until(async || false, Duration::ZERO).await);
    }

    #[test]
    fn a_free_address_can_be_listened_on() {
        TcpListener::bind(free_address()).unwrap();
    }
}

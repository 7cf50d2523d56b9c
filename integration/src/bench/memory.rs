//! How much memory a process has.

use std::fs;
use std::io;

/// MiB of a process that are in memory (`VmRSS`, proc_pid_status(5)).
///
/// # Errors
/// The process is gone.
pub fn resident_mib(pid: u32) -> io::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    parse(&status).ok_or_else(|| io::Error::other("no VmRSS"))
}

fn parse(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    Some(kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_writes_kib() {
        assert_eq!(parse("VmPeak:\t  9 kB\nVmRSS:\t  2048 kB\n"), Some(2.0));
        assert_eq!(parse("VmPeak:\t  9 kB\n"), None);
        assert!(resident_mib(std::process::id()).is_ok_and(|mib| mib > 0.0));
        assert!(resident_mib(u32::MAX).is_err());
    }
}

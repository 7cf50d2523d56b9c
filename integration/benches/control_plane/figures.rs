//! Medians and the rest of a distribution, and what a process has used.

use std::fs;

/// The value below which `share` (0 to 1) of the values lie; not a number for none.
pub fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index of a small list"
    )]
    let index = (last as f64 * share).round() as usize;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

/// What a process has used so far.
#[derive(Clone, Copy, Debug)]
pub struct Used {
    /// CPU seconds of all its threads, in user space and in the kernel.
    pub cpu_s: f64,
    /// Resident memory in MiB.
    pub rss_mib: f64,
}

/// Clock ticks in a second of `/proc/PID/stat`: 100 on every Linux that Rust runs on.
const TICKS_PER_SECOND: f64 = 100.0;

impl Used {
    /// Of the process with this id and its children.
    pub fn group(pid: u32) -> Used {
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let children = children.unwrap_or_default();
        let pids = children.split_ascii_whitespace().filter_map(|word| word.parse().ok());
        let all = std::iter::once(pid).chain(pids).map(Used::by);
        all.fold(Used { cpu_s: 0.0, rss_mib: 0.0 }, |sum, one| Used {
            cpu_s: sum.cpu_s + one.cpu_s,
            rss_mib: sum.rss_mib + one.rss_mib,
        })
    }

    /// Of the process with this id, from `/proc`; zeros when it is gone.
    pub fn by(pid: u32) -> Used {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let field = |index| -> f64 {
            let word: Option<&str> = after_name.split_ascii_whitespace().nth(index);
            word.and_then(|word| word.parse().ok()).unwrap_or(0.0)
        };
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = kib.and_then(|line| line.split_ascii_whitespace().next()?.parse().ok());
        Used {
            cpu_s: (field(11) + field(12)) / TICKS_PER_SECOND,
            rss_mib: kib.unwrap_or(0.0) / 1024.0,
        }
    }
}

//! Who runs on which core, and what a process has used of it.

use std::fs;
use std::io;
use std::time::Duration;

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};

/// A thread that starts while its process is moved inherits the old cores: so
/// all are moved until no new one is found, this often at most.
const PASSES_MAX: usize = 5;

/// The cores of the measurement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cores {
    /// Of every Envoy.
    pub envoy: usize,
    /// Of all others: the load, the engine, the control plane.
    pub others: Vec<usize>,
}

impl Cores {
    /// The first core that this process may use is Envoy's, the rest are the others'.
    ///
    /// # Errors
    /// There are not two.
    pub fn split() -> io::Result<Cores> {
        let allowed = sched_getaffinity(None)?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let envoy = cores.next();
        let others: Vec<usize> = cores.collect();
        match envoy.filter(|_| !others.is_empty()) {
            Some(envoy) => Ok(Cores { envoy, others }),
            None => Err(io::Error::other("two cores are needed: one for Envoy, one for the load")),
        }
    }

    /// Keeps this thread, and what it starts from here on, off Envoy's core.
    pub fn leave_envoys(&self) -> io::Result<()> {
        Ok(sched_setaffinity(None, &set(&self.others))?)
    }

    /// Puts all threads of a process on Envoy's core.
    pub fn give_envoys(&self, pid: u32) -> io::Result<()> {
        move_all(pid, &set(&[self.envoy]))
    }

    /// Lets a process have every core.
    pub fn give_all(&self, pid: u32) -> io::Result<()> {
        move_all(pid, &set(&[&self.others[..], &[self.envoy]].concat()))
    }
}

/// Puts all threads of a process on these cores.
fn move_all(pid: u32, cores: &CpuSet) -> io::Result<()> {
    let mut moved = Vec::new();
    for _ in 0..PASSES_MAX {
        let threads = threads(pid)?;
        if threads == moved {
            return Ok(());
        }
        for thread in &threads {
            move_thread(*thread, cores)?;
        }
        moved = threads;
    }
    Err(io::Error::other(format!("process {pid} does not stop starting threads")))
}

fn set(cores: &[usize]) -> CpuSet {
    let mut set = CpuSet::new();
    cores.iter().for_each(|core| set.set(*core));
    set
}

/// A thread that has ended in the meantime needs no core.
fn move_thread(thread: i32, cores: &CpuSet) -> io::Result<()> {
    match sched_setaffinity(Pid::from_raw(thread), cores) {
        Err(error) if error != rustix::io::Errno::SRCH => Err(error.into()),
        _ => Ok(()),
    }
}

/// Thread ids of a process, in order.
fn threads(pid: u32) -> io::Result<Vec<i32>> {
    let mut threads = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
        threads.extend(entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()));
    }
    threads.sort_unstable();
    Ok(threads)
}

/// What a process has had of the machine since it began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Time on a core, over all threads.
    pub on_core: Duration,
    /// Time in which threads could have run and waited for a core.
    pub waited: Duration,
}

impl Usage {
    /// Of all threads that the process has now (`schedstat`, Linux
    /// `Documentation/scheduler/sched-stats.rst`).
    pub fn of(pid: u32) -> io::Result<Usage> {
        let mut sum = Usage::default();
        for thread in threads(pid)? {
            // The thread may have ended since.
            let Ok(text) = fs::read_to_string(format!("/proc/{pid}/task/{thread}/schedstat"))
            else {
                continue;
            };
            let thread = parse(&text).ok_or_else(|| io::Error::other("schedstat is no triple"))?;
            sum.on_core += thread.on_core;
            sum.waited += thread.waited;
        }
        Ok(sum)
    }

    /// What was added since `before`.
    pub fn since(self, before: Usage) -> Usage {
        Usage {
            on_core: self.on_core.saturating_sub(before.on_core),
            waited: self.waited.saturating_sub(before.waited),
        }
    }
}

/// Time that this thread has had on a core: what others do on it meanwhile is not in it.
pub fn own_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

/// `NANOSECONDS-ON-CORE NANOSECONDS-WAITED TIMESLICES`
fn parse(text: &str) -> Option<Usage> {
    let mut numbers = text.split_ascii_whitespace().map(str::parse::<u64>);
    let mut next = || numbers.next()?.ok().map(Duration::from_nanos);
    Some(Usage { on_core: next()?, waited: next()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn schedstat_is_nanoseconds() {
        let usage = parse("1500 20 3\n").unwrap();
        assert_eq!(usage.on_core, Duration::from_nanos(1500));
        assert_eq!(usage.waited, Duration::from_nanos(20));
        assert!(parse("12\n").is_none() && parse("a b c").is_none());
    }

    #[test]
    fn own_time_grows_with_work_and_not_with_waiting() {
        let begun = own_time();
        std::thread::sleep(Duration::from_millis(50));
        let waited = own_time() - begun;
        while own_time() - begun < Duration::from_millis(60) {
            std::hint::black_box(0);
        }
        assert!(waited < Duration::from_millis(50), "{waited:?}");
    }

    #[test]
    fn work_shows_in_the_usage_of_the_process() {
        let pid = std::process::id();
        let before = Usage::of(pid).unwrap();
        let until = Instant::now() + Duration::from_millis(50);
        while Instant::now() < until {
            std::hint::black_box(0);
        }
        let used = Usage::of(pid).unwrap().since(before);
        let total = used.on_core + used.waited;
        assert!(total >= Duration::from_millis(20), "{used:?}");
    }

    #[test]
    fn a_process_is_moved_with_all_of_its_threads() {
        let Ok(cores) = Cores::split() else { return };
        let mut child = std::process::Command::new("sleep").arg("30").spawn().unwrap();
        let moved = cores.give_envoys(child.id());
        let affinity = sched_getaffinity(Pid::from_raw(child.id() as i32)).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        moved.unwrap();
        assert!(affinity.is_set(cores.envoy) && affinity.count() == 1);
    }
}

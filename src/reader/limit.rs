//! What a child may take of memory and time.

use std::fs;

/// Memory beyond what the program has when it starts and what the file itself takes. The largest picture
/// that is let in, decoded in colour, fits; twice as much does not.
const MEMORY_BYTES: u64 = 256 << 20;
/// Seconds of a processor that a page may take; the slowest of ours takes one.
const PAGE_SECONDS: u64 = 3;

/// Seconds of a processor that the few pages of one submission may take together.
const FILE_SECONDS: u64 = 20;

/// A child's share.
pub(super) struct Share {
    /// What the program had when it started.
    began: Option<u64>,
    timed: bool,
}

impl Share {
    /// From what this process has now.
    pub(super) fn measured() -> Self {
        Self { began: memory(), timed: true }
    }

    /// Whatever there is.
    #[cfg(test)]
    pub(super) fn unlimited() -> Self {
        Self { began: None, timed: false }
    }

    /// For a file of that many bytes. What cannot be limited is read all the same: a system without
    /// such limits is not one that intake runs on.
    pub(super) fn set(&self, file: usize) {
        if let Some(began) = self.began {
            lower(rlimit::Resource::AS, began + MEMORY_BYTES + file as u64);
        }
        self.set_time();
    }

    /// For a file of that many bytes whose pages are drawn in one go.
    pub(super) fn set_whole(&self, file: usize) {
        self.set(file);
        if let Some(taken) = seconds().filter(|_| self.timed) {
            lower(rlimit::Resource::CPU, taken + FILE_SECONDS);
        }
    }

    /// For the next page.
    pub(super) fn set_time(&self) {
        if let Some(taken) = seconds().filter(|_| self.timed) {
            lower(rlimit::Resource::CPU, taken + PAGE_SECONDS);
        }
    }
}

/// The soft limit moves, the hard one stays: the next file has its own.
fn lower(resource: rlimit::Resource, limit: u64) {
    if let Ok((_, hard)) = resource.get() {
        let _ = resource.set(limit.min(hard), hard);
    }
}

/// The size of this process's memory as the limit counts it.
fn memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}

/// Whole seconds of a processor that this process has had, rounded up.
fn seconds() -> Option<u64> {
    // The name of the program stands in brackets and may hold anything; the times are the twelfth and
    // thirteenth field behind it, in hundredths (proc(5), sysconf(_SC_CLK_TCK) on Linux).
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11).map(|field| field.parse::<u64>().ok());
    let taken = times.next()?? + times.next()??;
    Some(taken.div_ceil(100))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_system_says_what_was_taken() {
        assert!(memory().unwrap() > 1 << 20);
        assert!(seconds().unwrap() < 1 << 20);
    }
}

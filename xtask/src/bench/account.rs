//! What a server and all its processes, the dead ones included, used: processor time and resident memory.
//!
//! A control group counts best (cgroups(7): `cpuacct` of version 1, `cpu.stat` of version 2). Where none may be made,
//! the process tree is read from /proc, which knows dead children only once their parent waited for them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::machine::TICKS_PER_SECOND;

/// One server's account.
#[derive(Clone, Debug)]
pub(crate) enum Account {
    /// A control group of version 1 or 2, by its folder.
    Group { folder: PathBuf, version: u8 },
    /// The tree of processes below one.
    Tree { root: u32 },
}

impl Account {
    /// Makes a control group for what is to be started; none where that is not allowed.
    pub(crate) fn open(name: &str) -> Option<Account> {
        static OPENED: AtomicU32 = AtomicU32::new(0);
        let count = OPENED.fetch_add(1, Ordering::Relaxed);
        let own = format!("gatepost-bench-{}-{count}-{name}", std::process::id());
        let hierarchies = [
            ("/sys/fs/cgroup/cpuacct", 1),
            ("/sys/fs/cgroup", 2),
            ("/sys/fs/cgroup/unified", 2),
        ];
        hierarchies.into_iter().find_map(|(hierarchy, version)| {
            let marker = if version == 1 {
                "cpuacct.usage"
            } else {
                "cgroup.procs"
            };
            let hierarchy = Path::new(hierarchy);
            let folder = hierarchy.join(&own);
            let is_made = hierarchy.join(marker).exists() && fs::create_dir(&folder).is_ok();
            is_made.then_some(Account::Group { folder, version })
        })
    }

    /// A command that runs `program` within this account from its first instruction on.
    pub(crate) fn command(account: Option<&Account>, program: &Path) -> Command {
        match account {
            Some(Account::Group { folder, .. }) => {
                let mut command = Command::new("sh");
                command
                    .args(["-c", "echo $$ > \"$0\"/cgroup.procs && exec \"$@\""])
                    .arg(folder)
                    .arg(program);
                command
            }
            _ => Command::new(program),
        }
    }

    /// Processor time used so far.
    pub(crate) fn processor_time(&self) -> Result<Duration> {
        match self {
            Account::Group { folder, version: 1 } => {
                let usage = read(&folder.join("cpuacct.usage"))?;
                Ok(Duration::from_nanos(usage.trim().parse()?))
            }
            Account::Group { folder, .. } => {
                let text = read(&folder.join("cpu.stat"))?;
                let usage = text.lines().find_map(|it| it.strip_prefix("usage_usec "));
                let usage = usage.context("cpu.stat has no usage_usec")?;
                Ok(Duration::from_micros(usage.parse()?))
            }
            Account::Tree { root } => {
                let ticks: u64 = tree(*root).iter().filter_map(|stat| stat.ticks).sum();
                Ok(Duration::from_secs_f64(ticks as f64 / TICKS_PER_SECOND))
            }
        }
    }

    /// Resident memory of all its processes, in KiB; shared pages count once for each process.
    pub(crate) fn resident_kib(&self) -> u64 {
        self.processes()
            .into_iter()
            .filter_map(|process| {
                let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
                kib_field(&status, "VmRSS:")
            })
            .sum()
    }

    /// The same, exact to the page; dear for a process with many mappings.
    pub(crate) fn resident_kib_exact(&self) -> u64 {
        self.processes()
            .into_iter()
            .filter_map(|process| {
                let maps = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
                kib_field(&maps, "Rss:")
            })
            .sum()
    }

    fn processes(&self) -> Vec<u32> {
        match self {
            Account::Group { folder, .. } => {
                let text = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
                text.lines().filter_map(|line| line.parse().ok()).collect()
            }
            Account::Tree { root } => tree(*root).iter().map(|stat| stat.process).collect(),
        }
    }

    /// Removes the control group once its last process is gone; those that outlived their parent are ended.
    pub(crate) fn close(&self, patience: Duration) {
        let Account::Group { folder, .. } = self else {
            return;
        };
        let start = Instant::now();
        while fs::remove_dir(folder).is_err() && start.elapsed() < patience {
            for process in self.processes() {
                // Gone already, most often.
                let _ = Command::new("kill")
                    .args(["-KILL", &process.to_string()])
                    .stderr(Stdio::null())
                    .status();
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// What /proc/PID/stat says of one process.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    process: u32,
    parent: u32,
    /// User and system time, its own and that of its dead children.
    ticks: Option<u64>,
}

impl Stat {
    /// Reads `pid (name) state ppid .. utime stime cutime cstime ..`; the name may hold blanks and parentheses.
    fn parse(text: &str) -> Option<Stat> {
        let (process, _) = text.split_once(" (")?;
        let (_, fields) = text.rsplit_once(") ")?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let times = fields.get(11..15);
        let ticks = times.map(|times| times.iter().filter_map(|it| it.parse::<u64>().ok()).sum());
        Some(Stat {
            process: process.parse().ok()?,
            parent: fields.get(1)?.parse().ok()?,
            ticks,
        })
    }
}

/// A process and everything below it.
fn tree(root: u32) -> Vec<Stat> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut others: Vec<Stat> = entries
        .filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok())
        .filter_map(|text| Stat::parse(&text))
        .collect();
    let mut found: Vec<Stat> = Vec::new();
    let mut wanted = vec![root];
    while let Some(process) = wanted.pop() {
        let (these, rest): (Vec<Stat>, Vec<Stat>) = others
            .into_iter()
            .partition(|it| it.process == process || it.parent == process);
        others = rest;
        wanted.extend(
            these
                .iter()
                .map(|it| it.process)
                .filter(|&it| it != process),
        );
        found.extend(these);
    }
    found
}

/// The value of `Name:  123 kB`.
fn kib_field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests;

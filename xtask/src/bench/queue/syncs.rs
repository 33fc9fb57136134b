//! How often a server asks the disk to be sure: its system calls, written down by strace(1) while it takes and hands on a
//! number of messages. Those of its start do not count.
//!
//! strace slows the traced calls down, so rates are measured without it. A slower sync gathers more messages in a group commit:
//! Gatepost's own count from undisturbed runs stands beside this one.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::bench::peers::{Kind, Manner, Purpose};
use crate::bench::postal::{self, Cell, Sink};
use crate::bench::process::Reaper;
use crate::workspace;

/// The sessions with which syncs are counted.
pub(super) const SESSIONS: [u32; 2] = [10, 50];
/// The system calls that wait for the disk.
const CALLS: [&str; 5] = ["fsync", "fdatasync", "sync_file_range", "sync", "syncfs"];
/// What is still to be synced after the last message (journals, logs) is, by then.
const AFTERMATH: Duration = Duration::from_secs(2);
/// Slow servers under strace need their time.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(60);

/// The syncs of one run.
pub(super) struct Syncs {
    pub(super) sessions: u32,
    messages: u64,
    calls: BTreeMap<&'static str, u64>,
}

impl Syncs {
    /// Of any kind, for each message.
    pub(super) fn each(&self) -> f64 {
        self.calls.values().sum::<u64>() as f64 / self.messages as f64
    }

    /// Which calls they were.
    pub(super) fn kinds(&self) -> String {
        let kinds = self
            .calls
            .iter()
            .map(|(call, count)| format!("{count} {call}"));
        let kinds: Vec<String> = kinds.collect();
        if kinds.is_empty() {
            return "none".to_owned();
        }
        kinds.join(", ")
    }

    pub(super) fn messages(&self) -> u64 {
        self.messages
    }
}

impl fmt::Display for Syncs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} sessions, {} messages: {:.3} syncs each ({})",
            self.sessions,
            self.messages,
            self.each(),
            self.kinds()
        )
    }
}

/// Starts a server under strace and counts over one run with kept connections and 4 KiB.
pub(super) fn count(reaper: &Reaper, kind: Kind, sessions: u32, is_quick: bool) -> Result<Syncs> {
    let sink = Sink::start(reaper)?;
    let trace = workspace::target("bench").join(format!("strace.{}", kind.name()));
    let wrapper = wrapper(&trace);
    let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
    let purpose = Purpose {
        nexthop: sink.port(),
        manner: Manner::Queued,
        wrapper: &wrapper,
    };
    let server = kind.start(reaper, purpose)?;
    let cell = Cell {
        sessions,
        is_kept: true,
        message_bytes: 4096,
    };
    let warm = u64::from(sessions);
    let messages = match (kind, is_quick) {
        (Kind::Gatepost, _) => 2_000,
        (_, true) => 100,
        (_, false) => 400,
    };
    send(reaper, cell, &sink, server.port, warm)?;
    let before = calls(&trace)?;
    send(reaper, cell, &sink, server.port, messages)?;
    let after = calls(&trace)?;
    let calls = CALLS.into_iter().filter_map(|call| {
        let count = |calls: &BTreeMap<_, u64>| calls.get(call).copied().unwrap_or(0);
        let added = count(&after) - count(&before);
        (added > 0).then_some((call, added))
    });
    Ok(Syncs {
        sessions,
        messages,
        calls: calls.collect(),
    })
}

/// What runs a program so that its syncs are written down; only those calls stop it.
pub(in crate::bench) fn wrapper(trace: &Path) -> Vec<String> {
    // With -D strace is not the program's parent, so that it can be waited for and stopped as ever.
    let mut wrapper: Vec<String> = ["strace", "-D", "-f", "--seccomp-bpf", "-qq"]
        .map(str::to_owned)
        .to_vec();
    let traced = format!("trace={}", CALLS.join(","));
    wrapper.extend(["-e".to_owned(), traced]);
    wrapper.extend(["-e".to_owned(), "signal=none".to_owned()]);
    wrapper.extend(["-o".to_owned(), trace.to_string_lossy().into_owned()]);
    wrapper
}

fn send(reaper: &Reaper, cell: Cell, sink: &Sink, port: u16, messages: u64) -> Result<()> {
    let before = sink.messages()?;
    postal::send(reaper, cell, port, messages)?;
    let come = sink.wait_for(before + messages, DRAIN_TIME_MAX)? - before;
    ensure!(
        come == messages,
        "{come} of {messages} messages reached the sink"
    );
    thread::sleep(AFTERMATH);
    Ok(())
}

/// The syncs that were written down so far.
pub(in crate::bench) fn calls(trace: &Path) -> Result<BTreeMap<&'static str, u64>> {
    let text = fs::read_to_string(trace).with_context(|| trace.display().to_string())?;
    Ok(parse(&text))
}

/// Counts lines as `123 fdatasync(5) = 0` and `123 fsync(6 <unfinished ...>`; the resumption of a call is no other call.
fn parse(trace: &str) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for line in trace.lines() {
        let call = line
            .split_whitespace()
            .nth(1)
            .and_then(|it| it.split_once('('));
        let known = call.and_then(|(name, _)| CALLS.into_iter().find(|it| *it == name));
        if let Some(call) = known {
            *counts.entry(call).or_insert(0) += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests;

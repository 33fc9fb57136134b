//! The start, the way to the living, and new messages while the dead are tried again.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::Plan;
use super::world::{World, living_recipient};
use crate::bench::load;
use crate::bench::machine::{Noise, Ticks};
use crate::bench::metrics;
use crate::bench::peers::gatepost_program;
use crate::bench::postal::Cell;
use crate::bench::process::{Process, Reaper};
use crate::bench::runs::PeakMemory;

/// A server with 1,000,000 messages is up by then, or never.
const START_TIME_MAX: Duration = Duration::from_secs(120);
/// The living have had all their messages by then.
const DELIVERY_TIME_MAX: Duration = Duration::from_secs(900);
/// Without any message for that long, something is wrong.
const STANDSTILL_MAX: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// What was measured; times are from the start of the process.
pub(super) struct Results {
    pub(super) first_accepted: Duration,
    pub(super) indexed: Duration,
    /// Resident memory when the index was there, and at its highest.
    pub(super) indexed_kib: u64,
    pub(super) peak_kib: u64,
    /// How long the living waited for the last of their messages, and how many those were.
    pub(super) delivered: Duration,
    pub(super) delivered_messages: u64,
    pub(super) processor_time: Duration,
    /// New messages for the living, while the dead are tried again.
    pub(super) fresh_accepted_per_second: f64,
    pub(super) fresh_delivered_per_second: f64,
    pub(super) fresh_wait_p99: Duration,
    /// Messages still queued at the end: those for the dead.
    pub(super) left: u64,
    pub(super) noise: Noise,
}

/// Starts the server on what is there, and looks on.
pub(super) fn measure(reaper: &Reaper, plan: &Plan, world: &World) -> Result<Results> {
    let ticks = Ticks::now()?;
    let start = Instant::now();
    let mut server = start_server(reaper, world)?;
    let memory = PeakMemory::watch(server.account().clone());
    let (first_accepted, indexed) = watch_start(start, &mut server, world)?;
    let indexed_kib = server.account().resident_kib_exact();
    println!(
        "  first new message accepted after {:.2} s, all indexed after {:.2} s",
        first_accepted.as_secs_f64(),
        indexed.as_secs_f64()
    );
    // With the one that was accepted first.
    let living = plan.queued / 2 + 1;
    wait_for_living(world, living)?;
    let delivered = start.elapsed();
    println!(
        "  the living have theirs after {:.1} s",
        delivered.as_secs_f64()
    );
    let processor_time = server.account().processor_time()?;
    let sinking = world.sink.account().processor_time()?;
    let noise = Ticks::now()?.noise_since(ticks, processor_time + sinking);

    let (accepted_in, delivered_in, fresh_wait_p99) = send_fresh(world, plan.fresh)?;
    let left = metrics::read(world.admin_port)?.sum(metrics::QUEUED);
    let left = left.context("Gatepost does not tell how many messages are queued")? as u64;
    let rate = |time: Duration| plan.fresh as f64 / time.as_secs_f64();
    Ok(Results {
        first_accepted,
        indexed,
        indexed_kib,
        peak_kib: memory.stop(),
        delivered,
        delivered_messages: living,
        processor_time,
        fresh_accepted_per_second: rate(accepted_in),
        fresh_delivered_per_second: rate(delivered_in),
        fresh_wait_p99,
        left,
        noise,
    })
}

fn start_server(reaper: &Reaper, world: &World) -> Result<Process> {
    let program = gatepost_program().to_string_lossy().into_owned();
    let configuration = world.configuration.to_string_lossy().into_owned();
    let serve = [program.as_str(), "serve", "--config", &configuration];
    let log = File::create(world.folder.join("log"))?;
    Process::start(reaper, "gatepost", &serve, |command| {
        command.stdout(Stdio::null()).stderr(log)
    })
}

/// When the first new message was accepted, and when all old ones were known.
fn watch_start(
    start: Instant,
    server: &mut Process,
    world: &World,
) -> Result<(Duration, Duration)> {
    let (mut accepted, mut indexed) = (None, None);
    let mut decisions = Decisions::of(world);
    loop {
        if accepted.is_none() && load::waits(cell(1), world.port, 1, living_recipient).is_ok() {
            accepted = Some(start.elapsed());
        }
        if indexed.is_none() && decisions.tell_of_recovery()? {
            indexed = Some(start.elapsed());
        }
        if let Some(both) = accepted.zip(indexed) {
            return Ok(both);
        }
        if let Some(status) = server.child().try_wait()? {
            bail!(
                "gatepost ended: {status}; see {}/log",
                world.folder.display()
            );
        }
        ensure!(
            start.elapsed() < START_TIME_MAX,
            "gatepost is not up after {} s: first message {accepted:?}, index {indexed:?}",
            START_TIME_MAX.as_secs()
        );
        thread::sleep(POLL);
    }
}

/// Waits until that many messages have reached the sink.
fn wait_for_living(world: &World, messages: u64) -> Result<()> {
    let start = Instant::now();
    let (mut last, mut since) = (0, Instant::now());
    loop {
        let come = world.sink.messages()?;
        if come >= messages {
            return Ok(());
        }
        if come > last {
            (last, since) = (come, Instant::now());
        }
        ensure!(
            since.elapsed() < STANDSTILL_MAX && start.elapsed() < DELIVERY_TIME_MAX,
            "{come} of {messages} messages for living destinations arrived in {:.0} s",
            start.elapsed().as_secs_f64()
        );
        thread::sleep(POLL);
    }
}

/// Sends new messages to the living: the time until all were accepted, until all were delivered, and the p99 wait for 250.
fn send_fresh(world: &World, messages: u64) -> Result<(Duration, Duration, Duration)> {
    let before = world.sink.messages()?;
    let start = Instant::now();
    let waits = load::waits(cell(10), world.port, messages, living_recipient)?;
    let accepted = start.elapsed();
    wait_for_living(world, before + messages)?;
    Ok((accepted, start.elapsed(), load::percentile(&waits, 0.99)))
}

fn cell(sessions: u32) -> Cell {
    Cell {
        sessions,
        is_kept: true,
        message_bytes: 4096,
    }
}

/// The decision log while it is being written.
struct Decisions {
    path: PathBuf,
    offset: u64,
    /// The beginning of a line whose end is not there yet.
    rest: Vec<u8>,
}

impl Decisions {
    fn of(world: &World) -> Decisions {
        Decisions {
            path: world.folder.join("data/decisions.jsonl"),
            offset: 0,
            rest: Vec::new(),
        }
    }

    /// Whether they say that all messages of earlier runs are known. How many those are does not matter here: some have been
    /// delivered by then.
    fn tell_of_recovery(&mut self) -> Result<bool> {
        let Ok(mut file) = File::open(&self.path) else {
            // Not made yet.
            return Ok(false);
        };
        file.seek(SeekFrom::Start(self.offset))?;
        self.offset += file.read_to_end(&mut self.rest)? as u64;
        let whole = self.rest.iter().rposition(|&byte| byte == b'\n');
        let lines: Vec<u8> = self.rest.drain(..whole.map_or(0, |at| at + 1)).collect();
        Ok(has_recovery(&lines))
    }
}

/// Whether some lines hold the event `queue-recovered`.
fn has_recovery(lines: &[u8]) -> bool {
    let lines = lines.split(|&byte| byte == b'\n');
    let mut events = lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    events.any(|event| event["event"] == "queue-recovered")
}

#[cfg(test)]
mod tests;

//! What an idle connection costs: thousands that have said EHLO, plain or after STARTTLS, and the server's memory.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::load::Connection;
use super::peers::Running;
use super::process::{Process, Reaper};

/// Connections opened before the first reading, so that what a server makes once is not counted.
const WARM_UP: usize = 20;
/// Time for a server to settle before memory is read.
const SETTLE: Duration = Duration::from_secs(1);

/// Memory with that many idle connections.
#[derive(Clone, Copy, Debug)]
pub(super) struct Idle {
    pub(super) connections: usize,
    /// Added resident memory for each.
    pub(super) kib_each: f64,
}

/// Opens plain connections up to each of the growing counts and reads the server's memory at each.
pub(super) fn plain(server: &Running, counts: &[usize]) -> Result<Vec<Idle>> {
    let mut held = Vec::new();
    open(&mut held, WARM_UP, server.port)?;
    let before = settled(server);
    let mut readings = Vec::new();
    for &count in counts {
        open(&mut held, WARM_UP + count, server.port)?;
        readings.push(reading(server, before, count));
    }
    // What was measured were live connections: each still answers.
    for connection in held.iter_mut().step_by(97) {
        connection.command("NOOP\r\n", 250)?;
    }
    Ok(readings)
}

fn open(held: &mut Vec<Connection>, count: usize, port: u16) -> Result<()> {
    while held.len() < count {
        let connection = Connection::open(port);
        held.push(connection.with_context(|| format!("idle connection {}", held.len() + 1))?);
    }
    Ok(())
}

/// The same after STARTTLS; Python's ssl module is the client, for which it is fast enough.
pub(super) fn tls(reaper: &Reaper, server: &Running, counts: &[usize]) -> Result<Vec<Idle>> {
    let port = server.port.to_string();
    let mut arguments = vec![WARM_UP.to_string()];
    arguments.extend(counts.iter().map(|count| (WARM_UP + count).to_string()));
    let mut program = vec!["python3", "-c", include_str!("idle_tls.py"), &port];
    program.extend(arguments.iter().map(String::as_str));
    let mut client = Process::start(reaper, "idle-tls", &program, |command| {
        command.stdin(Stdio::piped()).stdout(Stdio::piped())
    })?;
    let mut more = client.child().stdin.take().context("its input")?;
    let output = client.child().stdout.take().context("its output")?;
    let mut lines = BufReader::new(output).lines();
    let mut wait = move || -> Result<()> {
        let line = lines.next().context("the TLS client ended early")??;
        ensure!(line.starts_with("held "), "the TLS client says {line:?}");
        Ok(())
    };
    wait()?;
    let before = settled(server);
    let mut readings = Vec::new();
    for &count in counts {
        writeln!(more)?;
        wait()?;
        readings.push(reading(server, before, count));
    }
    Ok(readings)
}

fn reading(server: &Running, before: u64, connections: usize) -> Idle {
    let added = settled(server).saturating_sub(before);
    Idle {
        connections,
        kib_each: added as f64 / connections as f64,
    }
}

fn settled(server: &Running) -> u64 {
    thread::sleep(SETTLE);
    server.process.account().resident_kib_exact()
}

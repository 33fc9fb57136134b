//! A client of our own for what smtp-source does not tell: how long each message waits from its final dot to the 250.
//!
//! One thread and one blocking socket for each session, the same dialog and message as smtp-source's.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};

use super::postal::Cell;
use super::process::loopback;

/// A reply may take this long before the run counts as failed. OpenSMTPD listens with a backlog of 5: of more simultaneous
/// connections some hear nothing until the kernel has repeated its half of the handshake for the fifth time.
const REPLY_TIME_MAX: Duration = Duration::from_secs(90);
/// More lines than this in one reply are no reply.
const REPLY_LINES_MAX: usize = 100;

/// The recipient of each message, from how many are still to be sent.
pub(super) type Recipient = fn(u64) -> String;

/// The recipient that smtp-source sends to.
pub(super) fn usual_recipient(_left: u64) -> String {
    "b@example.com".to_owned()
}

/// Sends `messages` in all and gives the waits from final dot to reply, sorted.
pub(super) fn waits(
    cell: Cell,
    port: u16,
    messages: u64,
    recipient: Recipient,
) -> Result<Vec<Duration>> {
    let left = Arc::new(AtomicU64::new(messages));
    let content: Arc<[u8]> = content(cell.message_bytes as usize).into();
    let sessions: Vec<_> = (0..cell.sessions)
        .map(|_| {
            let left = Arc::clone(&left);
            let content = Arc::clone(&content);
            thread::spawn(move || session(cell, port, &left, recipient, &content))
        })
        .collect();
    let mut waits = Vec::new();
    for session in sessions {
        let one = session
            .join()
            .map_err(|_| anyhow!("a client thread died"))?;
        waits.extend(one?);
    }
    waits.sort_unstable();
    Ok(waits)
}

/// The value below which that share of the sorted waits lies.
pub(super) fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    let at = (sorted.len() as f64 * share).ceil() as usize;
    let at = at.saturating_sub(1).min(last);
    sorted.get(at).copied().unwrap_or_default()
}

fn session(
    cell: Cell,
    port: u16,
    left: &AtomicU64,
    recipient: Recipient,
    content: &[u8],
) -> Result<Vec<Duration>> {
    let mut waits = Vec::new();
    let mut open: Option<Connection> = None;
    while let Some(left) = take(left) {
        let mut connection = match open.take() {
            Some(connection) => connection,
            None => Connection::open(port)?,
        };
        waits.push(connection.message(&recipient(left), content)?);
        if cell.is_kept {
            open = Some(connection);
        } else {
            connection.command("QUIT\r\n", 221)?;
        }
    }
    if let Some(mut connection) = open {
        connection.command("QUIT\r\n", 221)?;
    }
    Ok(waits)
}

/// Takes one of the messages that are left to send; gives how many there were.
fn take(left: &AtomicU64) -> Option<u64> {
    let less = |left: u64| left.checked_sub(1);
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
        .ok()
}

/// One connection that has said EHLO.
pub(super) struct Connection {
    reader: BufReader<TcpStream>,
}

impl Connection {
    pub(super) fn open(port: u16) -> Result<Connection> {
        let stream = TcpStream::connect(loopback(port)).context("connect")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(REPLY_TIME_MAX))?;
        stream.set_write_timeout(Some(REPLY_TIME_MAX))?;
        let mut connection = Connection {
            // Replies are short, and thousands of these are held.
            reader: BufReader::with_capacity(1024, stream),
        };
        connection.expect(220)?;
        connection.command("EHLO client.example.org\r\n", 250)?;
        Ok(connection)
    }

    pub(super) fn command(&mut self, line: &str, code: u16) -> Result<()> {
        self.reader.get_mut().write_all(line.as_bytes())?;
        self.expect(code).with_context(|| line.trim().to_owned())
    }

    /// One mail transaction; gives the wait for the reply to its final dot.
    fn message(&mut self, recipient: &str, content: &[u8]) -> Result<Duration> {
        self.command("MAIL FROM:<a@example.org>\r\n", 250)?;
        self.command(&format!("RCPT TO:<{recipient}>\r\n"), 250)?;
        self.command("DATA\r\n", 354)?;
        self.reader.get_mut().write_all(content)?;
        let start = Instant::now();
        self.expect(250).context("end of data")?;
        Ok(start.elapsed())
    }

    fn expect(&mut self, code: u16) -> Result<()> {
        let mut line = String::new();
        for _ in 0..REPLY_LINES_MAX {
            line.clear();
            self.reader.read_line(&mut line).context("no reply")?;
            let is_last = line.as_bytes().get(3) != Some(&b'-');
            if is_last {
                let is_expected = line.starts_with(&code.to_string());
                ensure!(is_expected, "{:?} instead of {code}", line.trim());
                return Ok(());
            }
        }
        Err(anyhow!("a reply without end"))
    }
}

/// A message of about that many bytes with its final dot: a few fields, then lines of X as smtp-source makes them.
fn content(bytes: usize) -> Vec<u8> {
    const LINE: usize = 80;
    let mut content =
        b"From: <a@example.org>\r\nTo: <b@example.com>\r\nSubject: load\r\n\r\n".to_vec();
    while content.len() + LINE <= bytes {
        content.resize(content.len() + LINE - 2, b'X');
        content.extend_from_slice(b"\r\n");
    }
    content.extend_from_slice(b".\r\n");
    content
}

#[cfg(test)]
mod tests;

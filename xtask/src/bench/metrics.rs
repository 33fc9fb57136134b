//! What Gatepost tells of itself: its metrics in the text form of Prometheus, read from the admin address.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::process::loopback;

/// Syncs of the queue's files so far.
pub(crate) const SYNCS: &str = "gatepost_queue_syncs_total";
/// Messages in the queue now, as far as they are known.
pub(crate) const QUEUED: &str = "gatepost_queue_messages";

/// An answer may take this long.
const PATIENCE: Duration = Duration::from_secs(10);

/// All metrics at one moment.
pub(crate) struct Metrics {
    text: String,
}

/// Reads the metrics of the server whose admin address has this port.
pub(crate) fn read(admin_port: u16) -> Result<Metrics> {
    let mut stream = TcpStream::connect_timeout(&loopback(admin_port), PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, text) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
    let status = head.lines().next().unwrap_or_default();
    ensure!(status.contains(" 200 "), "metrics: {status}");
    Ok(Metrics {
        text: text.to_owned(),
    })
}

impl Metrics {
    /// The value of a metric, over all its labels; none if there is no such metric.
    pub(crate) fn sum(&self, name: &str) -> Option<f64> {
        let values = self.text.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            if !rest.starts_with([' ', '{']) {
                return None;
            }
            rest.rsplit_once(' ')?.1.parse::<f64>().ok()
        });
        values.reduce(|a, b| a + b)
    }
}

#[cfg(test)]
mod tests;

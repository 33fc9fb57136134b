//! The load of a mail queue: submitters in closed loop, each waiting for durability; deliverers that read each message once and
//! remove it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use serde_json::{Value, json};

use crate::message::{Message, content};
use crate::process;
use crate::store::{Engine, Store};

/// Threads that deliver: as many as a machine of two processors can use.
const DELIVERERS: usize = 4;
/// Recipient domains.
const DOMAINS: u64 = 16;

/// One load.
pub(crate) struct Load {
    pub(crate) engine: Engine,
    pub(crate) folder: PathBuf,
    pub(crate) sessions: usize,
    pub(crate) content_bytes: usize,
    pub(crate) duration: Duration,
}

/// Runs it on a fresh store and tells what it took.
pub(crate) fn run(load: &Load) -> Result<Value> {
    let store: Arc<dyn Store> = load.engine.open(&load.folder)?.into();
    let deliverers: Vec<_> = (0..DELIVERERS)
        .map(|_| {
            let store = Arc::clone(&store);
            thread::spawn(move || deliver_all(store.as_ref()))
        })
        .collect();
    let written = process::written_bytes()?;
    let processor = process::processor_seconds()?;
    let start = Instant::now();
    let mut waits = submit_all(load, &store)?;
    let submitted = start.elapsed();
    store.finish();
    let (mut delivered, mut delivered_bytes) = (0, 0);
    for deliverer in deliverers {
        let (messages, bytes) = deliverer
            .join()
            .map_err(|_| anyhow!("a deliverer died"))??;
        delivered += messages;
        delivered_bytes += bytes;
    }
    let drained = start.elapsed();
    ensure!(
        delivered == waits.len() as u64,
        "{delivered} of {} messages came out",
        waits.len()
    );
    waits.sort_unstable();
    let milliseconds = |share: f64| percentile(&waits, share).as_secs_f64() * 1000.0;
    Ok(json!({
        "engine": load.engine.name(),
        "messages": waits.len(),
        "submit_seconds": submitted.as_secs_f64(),
        "drain_seconds": drained.as_secs_f64(),
        "mail_bytes": waits.len() * load.content_bytes,
        "delivered_bytes": delivered_bytes,
        "written_bytes": process::written_bytes()?.saturating_sub(written),
        "processor_seconds": process::processor_seconds()? - processor,
        "wait_p50_milliseconds": milliseconds(0.5),
        "wait_p99_milliseconds": milliseconds(0.99),
        "resident_peak_kib": process::resident_peak_kib()?,
    }))
}

fn submit_all(load: &Load, store: &Arc<dyn Store>) -> Result<Vec<Duration>> {
    let numbers = Arc::new(AtomicU64::new(1));
    let until = Instant::now() + load.duration;
    let submitters: Vec<_> = (0..load.sessions)
        .map(|session| {
            let store = Arc::clone(store);
            let numbers = Arc::clone(&numbers);
            let content = content(load.content_bytes, session as u64 + 1);
            thread::spawn(move || -> Result<Vec<Duration>> {
                let mut waits = Vec::new();
                while Instant::now() < until {
                    let number = numbers.fetch_add(1, Ordering::Relaxed);
                    let message = Message {
                        number,
                        domain: format!("d{}.example.com", number % DOMAINS).into(),
                        content: content.clone(),
                    };
                    let start = Instant::now();
                    store.submit(&message)?;
                    waits.push(start.elapsed());
                }
                Ok(waits)
            })
        })
        .collect();
    let mut waits = Vec::new();
    for submitter in submitters {
        waits.extend(
            submitter
                .join()
                .map_err(|_| anyhow!("a submitter died"))??,
        );
    }
    Ok(waits)
}

fn deliver_all(store: &dyn Store) -> Result<(u64, u64)> {
    let (mut messages, mut bytes) = (0, 0);
    store.deliver(&mut |read| {
        messages += 1;
        bytes += read as u64;
    })?;
    Ok((messages, bytes))
}

/// The value below which that share of the sorted waits lies.
fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let at = (sorted.len() as f64 * share).ceil() as usize;
    let at = at.saturating_sub(1).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or_default()
}

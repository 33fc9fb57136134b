//! A store with very many messages, and how long it takes to know them again after a crash.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::message::{Message, content};
use crate::process;
use crate::store::Engine;

/// What to fill a store with.
pub(crate) struct Fill {
    pub(crate) engine: Engine,
    pub(crate) folder: PathBuf,
    pub(crate) messages: u64,
    pub(crate) content_bytes: usize,
    /// Recipient domains, over which the messages are spread in turn: `d0.test`, `d1.test` and so on.
    pub(crate) domains: u64,
}

/// Fills a store and ends the process without closing it, as a crash would.
pub(crate) fn fill(fill: &Fill) -> Result<Value> {
    let store = fill.engine.open(&fill.folder)?;
    let domains: Vec<Arc<str>> = (0..fill.domains)
        .map(|domain| format!("d{domain}.test").into())
        .collect();
    // A few contents in turn: making up a million would take longer than storing them.
    let contents: Vec<_> = (1..=64)
        .map(|seed| content(fill.content_bytes, seed))
        .collect();
    let mut messages = (0..fill.messages).map(|number| Message {
        number: number + 1,
        domain: Arc::clone(&domains[(number % fill.domains) as usize]),
        content: contents[(number % 64) as usize].clone(),
    });
    let written = process::written_bytes()?;
    let start = Instant::now();
    store.fill(&mut messages)?;
    let report = json!({
        "engine": fill.engine.name(),
        "messages": fill.messages,
        "seconds": start.elapsed().as_secs_f64(),
        "written_bytes": process::written_bytes()?.saturating_sub(written),
    });
    println!("{report}");
    // No destructor runs: nothing is flushed or written at the end that a crash would not have left.
    std::process::exit(0);
}

/// Opens a filled store and waits until every message is known.
pub(crate) fn run(engine: Engine, folder: &Path, messages: u64) -> Result<Value> {
    let written = process::written_bytes()?;
    let start = Instant::now();
    let store = engine.open(folder)?;
    let found = store.index()?;
    let took = start.elapsed();
    ensure!(
        found == messages,
        "{found} of {messages} messages are there"
    );
    Ok(json!({
        "engine": engine.name(),
        "messages": found,
        "seconds": took.as_secs_f64(),
        "processor_seconds": process::processor_seconds()?,
        "written_bytes": process::written_bytes()?.saturating_sub(written),
        "resident_kib": process::resident_kib()?,
        "resident_peak_kib": process::resident_peak_kib()?,
    }))
}

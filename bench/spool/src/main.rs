//! The load of a mail queue on three ways to keep it: `spool-bench load|fill|restart`, called by `cargo xtask bench spool`.
//!
//! Each call is a process of its own, so that memory, processor time and bytes written are those of one engine under one load;
//! it prints one line of JSON.

mod files;
mod fjall_store;
mod load;
mod log_store;
mod message;
mod process;
mod restart;
mod store;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::store::Engine;

const USAGE: &str = "\
usage: spool-bench load ENGINE FOLDER SESSIONS BYTES MILLISECONDS
       spool-bench fill ENGINE FOLDER MESSAGES BYTES DOMAINS
       spool-bench restart ENGINE FOLDER MESSAGES
ENGINE is queue, fjall or files";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("spool-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let report = match arguments.as_slice() {
        ["load", engine, folder, sessions, bytes, milliseconds] => load::run(&load::Load {
            engine: Engine::named(engine)?,
            folder: PathBuf::from(folder),
            sessions: number(sessions)? as usize,
            content_bytes: number(bytes)? as usize,
            duration: Duration::from_millis(number(milliseconds)?),
        })?,
        ["fill", engine, folder, messages, bytes, domains] => restart::fill(&restart::Fill {
            engine: Engine::named(engine)?,
            folder: PathBuf::from(folder),
            messages: number(messages)?,
            content_bytes: number(bytes)? as usize,
            domains: number(domains)?.max(1),
        })?,
        ["restart", engine, folder, messages] => restart::run(
            Engine::named(engine)?,
            &PathBuf::from(folder),
            number(messages)?,
        )?,
        _ => bail!("{USAGE}"),
    };
    println!("{report}");
    Ok(())
}

fn number(text: &str) -> Result<u64> {
    text.parse()
        .with_context(|| format!("{text:?} is no number"))
}

//! `gatepost scan`: what would happen to messages in files, and why. The configuration's engines and policy decide; nothing is
//! delivered and nothing recorded.
//!
//! `source` finds and reads the messages, `examine` takes each through the stages, `report` tells.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::StreamExt;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use smtp::{ForwardPath, ReversePath};
use tokio::sync::mpsc;

use super::{ConfigOption, EXIT_REFUSED, complain, envelope, runtime, say};
use crate::context::Context;
use examine::Examiner;
use report::{Manner, Summary};
use source::{Found, Source};

mod examine;
mod report;
mod source;

/// Messages that are examined at the same time.
const MESSAGES_AT_ONCE: usize = 8;

/// Messages that are read ahead.
const READ_AHEAD: usize = 2;

/// How long the look-up of the client's name may take.
const NAME_WAIT_MAX: Duration = Duration::from_secs(5);

/// Stands for a client nobody knows: of the network for benchmarks (RFC 2544), which is on no list. The networks for
/// documentation (RFC 5737) won't do: SpamAssassin gives points for them, and none to one that it trusts.
const CLIENT_DEFAULT: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 18, 0, 1));

/// What `--help` says at its end.
pub(super) const AFTER_HELP: &str = "\
A file that begins with a line \"From \" is an mbox. In a folder all files are read, those of its
folders too (a maildir as well). Files whose lines end in LF alone are examined with CRLF.

Exit codes: 0 all accepted, 1 trouble (a file that can't be read, a wrong configuration),
            3 at least one would be refused or deferred.
Examples:   gatepost scan suspicious.eml --config /etc/gatepost/gatepost.toml
            gatepost scan ~/Maildir --to anna@example.org --json | jq .outcome
            printf 'Subject: hello\\n\\nHello.\\n' | gatepost scan -";

/// What to examine, and as what.
#[derive(Debug, Args)]
pub(super) struct ScanOptions {
    /// A message, a folder of messages, an mbox, or - for standard input
    path: PathBuf,
    /// The reverse-path ('<>' is the null one); without it: that of the message's Return-Path field, or of the mbox
    #[arg(long, value_name = "ADDRESS", value_parser = envelope::reverse_path, allow_hyphen_values = true)]
    from: Option<ReversePath>,
    /// The recipient, whose route decides; without it: the postmaster of the first route
    #[arg(long, value_name = "ADDRESS", value_parser = envelope::forward_path)]
    to: Option<ForwardPath>,
    /// The address that the client connects from
    #[arg(long, value_name = "IP", default_value_t = CLIENT_DEFAULT)]
    client: IpAddr,
    /// The name that the client gives with EHLO; without it: its name in the DNS, or its address
    #[arg(long, value_name = "NAME")]
    helo: Option<String>,
    /// The listener whose limits hold; without it: the first
    #[arg(long, value_name = "NAME")]
    listener: Option<String>,
    /// All about each message, also if there are many
    #[arg(long)]
    full: bool,
    /// One JSON object for each message, one to a line, then one with the counts
    #[arg(long)]
    json: bool,
}

/// Scans.
pub(super) fn run(config: &ConfigOption, options: &ScanOptions) -> ExitCode {
    let (cx, runtime) = match config.context_or_tell().and_then(|cx| Ok((cx, runtime()?))) {
        Ok(made) => made,
        Err(code) => return code,
    };
    let summary = match runtime.block_on(scan(cx, options)) {
        Ok(summary) => summary,
        Err(error) => {
            complain(&format!("gatepost: {error}"));
            return ExitCode::FAILURE;
        }
    };
    // A read of standard input that nobody ends would be waited for.
    runtime.shutdown_background();
    if summary.failed > 0 || summary.total() == 0 {
        ExitCode::FAILURE
    } else if summary.accepted < summary.total() {
        ExitCode::from(EXIT_REFUSED)
    } else {
        ExitCode::SUCCESS
    }
}

async fn scan(cx: Context, options: &ScanOptions) -> Result<Summary, String> {
    let source = Source::open(&options.path)?;
    let examiner = Arc::new(examiner(cx, options).await?);
    let progress = progress(&source);
    let (found_tx, found_rx) = mpsc::channel(READ_AHEAD);
    let bytes_max = examiner.bytes_max();
    let files = source.files();
    let bar = progress.clone();
    tokio::task::spawn_blocking(move || {
        source.read(bytes_max, &mut |found| {
            if matches!(&found, Found::Message { stored, .. } if stored.number > Some(1)) {
                bar.inc_length(1);
            }
            found_tx.blocking_send(found).is_ok()
        });
    });
    let begun = Instant::now();
    let mut summary = Summary::default();
    let mut manner = Manner::new(options.json, options.full);
    let found = futures_util::stream::unfold(found_rx, async |mut found_rx| {
        found_rx.recv().await.map(|found| (found, found_rx))
    });
    let mut results = found
        .map(|found| {
            let examiner = Arc::clone(&examiner);
            tokio::spawn(async move { examiner.examine(found).await })
        })
        .buffered(MESSAGES_AT_ONCE)
        .boxed();
    while let Some(result) = results.next().await {
        let result = result.map_err(|error| format!("an examination ended abnormally: {error}"))?;
        summary.count(&result);
        let lines = manner.lines(result, files);
        progress.suspend(|| lines.iter().for_each(|line| say(line)));
        progress.inc(1);
    }
    progress.finish_and_clear();
    summary.seconds = begun.elapsed().as_secs_f64();
    for line in manner.last_lines(&summary) {
        say(&line);
    }
    if summary.total() == 0 {
        return Err(format!("{}: there is no message", options.path.display()));
    }
    Ok(summary)
}

/// On standard error, and only if somebody is watching; one message alone is over at once.
fn progress(source: &Source) -> ProgressBar {
    if source.files() == Some(1) {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(
        source.files().map(|files| files as u64),
        ProgressDrawTarget::stderr(),
    );
    let template = "{wide_bar} {pos}/{len} messages, {per_sec}, {eta} left";
    bar.with_style(
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
    )
}

async fn examiner(cx: Context, options: &ScanOptions) -> Result<Examiner, String> {
    let listener = cx.listeners.iter().find(|listener| {
        let name = options.listener.as_ref();
        name.is_none_or(|name| *name == *listener.name)
    });
    let Some(listener) = listener.cloned() else {
        return Err(super::no_listener(&cx, options.listener.as_deref()));
    };
    let client = options.client.to_canonical();
    let name = if client == CLIENT_DEFAULT {
        None
    } else {
        let asked = tokio::time::timeout(NAME_WAIT_MAX, cx.resolver.reverse_name(client)).await;
        asked.ok().and_then(Result::ok).flatten()
    };
    let helo = options
        .helo
        .clone()
        .or_else(|| name.clone())
        .unwrap_or_else(|| match client {
            IpAddr::V4(ip) => format!("[{ip}]"),
            IpAddr::V6(ip) => format!("[IPv6:{ip}]"),
        });
    let forward_path = match &options.to {
        Some(path) => path.clone(),
        None => examine::recipient_of_first_route(&cx)?,
    };
    Ok(Examiner::new(
        cx,
        listener,
        examine::Client {
            ip: client,
            name,
            helo,
        },
        options.from.clone(),
        forward_path,
    ))
}

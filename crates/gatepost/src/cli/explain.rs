//! `gatepost explain`: which rules hold for a recipient, and what the client would be told.

use std::net::IpAddr;
use std::process::ExitCode;

use clap::Args;
use smtp::{ForwardPath, ReversePath};

use super::{ConfigOption, EXIT_REFUSED, complain, envelope, runtime, say};
use crate::context::ListenerContext;
use crate::explain::ask::ask;
use crate::explain::words::{Answer, Findings, Section};
use crate::explain::{Envelope, admit};

/// What `--help` says at its end.
pub(super) const AFTER_HELP: &str = "\
Exit codes: 0 accepted at RCPT, 1 trouble, 3 refused or deferred.
Example:    gatepost explain anna@example.org --from '<>' --client 192.0.2.1";

/// What is asked about.
#[derive(Debug, Args)]
pub(super) struct ExplainOptions {
    /// The recipient: anna@example.org, '"a b"@example.org', anna@[192.0.2.1], Postmaster
    #[arg(value_name = "ADDRESS", value_parser = envelope::forward_path)]
    forward_path: ForwardPath,
    /// The reverse-path; '<>' is the null one
    #[arg(long, value_name = "ADDRESS", value_parser = envelope::reverse_path, allow_hyphen_values = true)]
    from: Option<ReversePath>,
    /// The address that the client connects from
    #[arg(long, value_name = "IP")]
    client: Option<IpAddr>,
    /// The client has proven who it is by AUTH, and may relay
    #[arg(long)]
    authenticated: bool,
    /// The listener that it connects to; without it: each of them
    #[arg(long, value_name = "NAME")]
    listener: Option<String>,
    /// Asks the nexthop whether it takes the recipient; no message is sent
    #[arg(long)]
    ask: bool,
    /// One JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// Explains.
pub(super) fn run(config: &ConfigOption, options: &ExplainOptions) -> ExitCode {
    let cx = match config.context_or_tell() {
        Ok(cx) => cx,
        Err(code) => return code,
    };
    let wanted = |listener: &&ListenerContext| {
        let name = options.listener.as_ref();
        name.is_none_or(|name| *name == *listener.name)
    };
    let listeners: Vec<&ListenerContext> = cx
        .listeners
        .iter()
        .map(|listener| &**listener)
        .filter(wanted)
        .collect();
    if listeners.is_empty() {
        complain(&format!(
            "gatepost: {}",
            super::no_listener(&cx, options.listener.as_deref())
        ));
        return ExitCode::FAILURE;
    }
    let envelope = Envelope {
        client: options.client.map(|ip| ip.to_canonical()),
        authenticated: options.authenticated,
        reverse_path: options.from.clone(),
        forward_path: options.forward_path.clone(),
    };
    let admission = admit(&cx, &envelope);
    let asked = match &admission.route {
        Some(taken) if options.ask && admission.verdict.is_accept() => {
            let runtime = match runtime() {
                Ok(runtime) => runtime,
                Err(code) => return code,
            };
            Some(runtime.block_on(ask(&cx, taken, &admission.recipient)))
        }
        _ => None,
    };
    let findings = Findings {
        cx: &cx,
        envelope: &envelope,
        listeners: &listeners,
        admission: &admission,
        asked: asked.as_ref(),
    };
    if options.json {
        say(&findings.json().to_string());
    } else {
        show(&findings.sections());
    }
    match findings.answer() {
        Answer::Accepted => ExitCode::SUCCESS,
        Answer::Refused { .. } => ExitCode::from(EXIT_REFUSED),
    }
}

/// The titles in a column of their own.
fn show(sections: &[Section]) {
    for (title, lines) in sections {
        for (at, line) in lines.iter().enumerate() {
            say(&format!("{:<11} {line}", if at == 0 { title } else { "" }));
        }
    }
}

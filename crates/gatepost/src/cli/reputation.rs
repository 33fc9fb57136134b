//! `gatepost reputation`: what the running node knows of a sender, and how an operator has it forgotten.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::socket::Node;
use super::{ConfigOption, control, say};
use crate::serve::admin::senders::{AboutSender, Forgotten, KnownSender, SenderState};

/// What `--help` says at its end.
pub(super) const AFTER_HELP: &str = "\
A sender is an address, a network (/24, of IPv6 /48), a host name as given with EHLO, or a domain that DKIM or SPF
proved. Counts halve with each half-life ([engine.reputation] half_life). Of an address, its network is shown too, and
stays when the address is forgotten.

Exit codes: 0 done; 1 it went wrong, or there was nothing to forget; 2 the command line is wrong.
Examples:   gatepost reputation show 192.0.2.7
            gatepost reputation show example.org --json
            gatepost reputation forget 192.0.2.0/24";

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum ReputationCommand {
    /// Tell what is known of a sender, and what follows from it
    Show(ReputationOptions),
    /// Forget what is known of a sender
    Forget(ReputationOptions),
}

/// Of whom.
#[derive(Debug, Args)]
pub(super) struct ReputationOptions {
    /// An address, a network, a host name or a domain
    #[arg(value_name = "SENDER")]
    sender: String,
    /// The name you go by: it is recorded beside the one that the system knows
    #[arg(long = "as", value_name = "NAME")]
    operator: Option<String>,
    /// One JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub(super) fn run(option: &ConfigOption, command: &ReputationCommand) -> ExitCode {
    let node = match Node::of(option) {
        Ok(node) => node,
        Err(error) => return control::failed(&error),
    };
    let done = match command {
        ReputationCommand::Show(options) => show(&node, options),
        ReputationCommand::Forget(options) => forget(&node, options),
    };
    done.unwrap_or_else(|error| control::failed(&error))
}

fn show(node: &Node, options: &ReputationOptions) -> Result<ExitCode, String> {
    let state: SenderState = node.post("/api/v1/reputation/show", &about(options))?;
    if options.json {
        say(&serde_json::json!(state).to_string());
        return Ok(ExitCode::SUCCESS);
    }
    if state.known.is_empty() {
        say(&format!(
            "nothing is known of {}",
            options.sender.escape_debug()
        ));
    }
    for known in &state.known {
        tell(known);
    }
    if let Some(advice) = &state.advice {
        let why = state.why.as_deref().unwrap_or_default();
        say(&format!(
            "at connect: {advice}, where `reputation` of the listener goes by it: {why}"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn forget(node: &Node, options: &ReputationOptions) -> Result<ExitCode, String> {
    let answer: Forgotten = node.post("/api/v1/reputation/forget", &about(options))?;
    if options.json {
        say(&serde_json::json!(answer).to_string());
    } else if answer.forgotten.is_empty() {
        say(&format!(
            "nothing is known of {}",
            options.sender.escape_debug()
        ));
    } else {
        say(&format!("forgotten: {}", answer.forgotten.join(", ")));
    }
    Ok(if answer.forgotten.is_empty() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn about(options: &ReputationOptions) -> AboutSender {
    AboutSender {
        sender: options.sender.clone(),
        operator: options.operator.clone(),
    }
}

fn tell(known: &KnownSender) {
    say(&format!(
        "{}: {} ({})",
        known.sender, known.class, known.kind
    ));
    say(&format!("  {}", known.reason));
    say(&format!(
        "  messages: {:.1} good, {:.1} bad; recipients: {:.1} known, {:.1} unknown; {:.1} other refusals",
        known.good, known.bad, known.known_recipients, known.unknown_recipients, known.refused
    ));
    say(&format!(
        "  known since {}, last heard of {}",
        time(known.first_seen),
        time(known.last_seen)
    ));
    if let Some(until) = known.until {
        say(&format!(
            "  {} until {}, if nothing more comes",
            known.class,
            time(until)
        ));
    }
}

fn time(seconds: u32) -> String {
    jiff::Timestamp::from_second(i64::from(seconds))
        .map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

//! `gatepost queue`: what waits on the running node and why, and what an operator does about it. All of it goes over the control
//! socket (`serve::admin::queue`), so that the node itself acts and records who asked.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::socket::Node;
use super::{ConfigOption, control};
use crate::event::QueueAction;

mod act;
mod destinations;
mod list;
mod moving;
mod selection;
mod show;
mod suspend;
mod words;

use selection::Selection;

/// What `--help` says at its end.
pub(super) const AFTER_HELP: &str = "\
Messages are named by their number in the queue or by their reference. All filters that are given must hold.
What an operator does is recorded, with the name of whoever opened the control socket: in the log of events
(`queue-changed`, `delivery-suspended`, `delivery-resumed`) and in the queue itself.

Exit codes: 0 done; 1 it went wrong, or something was not done; 2 the command line is wrong.
Examples:   gatepost queue list --domain example.net --older-than 2h
            gatepost queue show K7QX-3M9D-2F
            gatepost queue retry --text \"connection refused\"
            gatepost queue suspend --domain example.net --reason \"moves to another provider\"
            gatepost queue remove --reverse-path '@broken.example' --reason \"ticket 4711\"";

/// What to do with the queue.
#[derive(Debug, Subcommand)]
pub(super) enum QueueCommand {
    /// Tell how much waits, and whether the queue takes more
    Status {
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// List messages, oldest first
    List(list::ListOptions),
    /// Tell all about messages: recipients, attempts, last replies
    Show(show::ShowOptions),
    /// Try messages now
    Retry(ActOptions),
    /// Keep messages back until they are released
    Hold(ActOptions),
    /// Let messages go on that are held
    Release(ActOptions),
    /// Give messages up. Nobody is told unless --report is given
    Remove(act::RemoveOptions),
    /// Send messages to another nexthop
    Reroute(act::RerouteOptions),
    /// Stop deliveries to a domain, of a customer or to a destination
    Suspend(suspend::SuspendOptions),
    /// Take deliveries up again
    Resume(suspend::SuspendOptions),
    /// Move messages into a file, for another node
    Export(moving::ExportOptions),
    /// Take in the messages of such a file
    Import(moving::ImportOptions),
    /// Tell where messages wait to go, and what is suspended
    Destinations(destinations::DestinationsOptions),
}

/// What is done to which messages.
#[derive(Debug, Args)]
pub(super) struct ActOptions {
    #[command(flatten)]
    selection: Selection,
    /// Every message of the queue
    #[arg(long, conflicts_with_all = ["selection"])]
    all: bool,
    /// Why: it is recorded
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// The name you go by: it is recorded beside the one that the system knows
    #[arg(long = "as", value_name = "NAME")]
    operator: Option<String>,
    /// One JSON object for each message, one to a line, then one with the counts
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub(super) fn run(option: &ConfigOption, command: QueueCommand) -> ExitCode {
    let node = match Node::of(option) {
        Ok(node) => node,
        Err(error) => return control::failed(&error),
    };
    let done = match command {
        QueueCommand::Status { json } => destinations::status(&node, json),
        QueueCommand::List(options) => list::run(&node, &options),
        QueueCommand::Show(options) => show::run(&node, &options),
        QueueCommand::Retry(options) => act::run(&node, QueueAction::Retry, &options),
        QueueCommand::Hold(options) => act::run(&node, QueueAction::Hold, &options),
        QueueCommand::Release(options) => act::run(&node, QueueAction::Release, &options),
        QueueCommand::Remove(options) => act::remove(&node, &options),
        QueueCommand::Reroute(options) => act::reroute(&node, &options),
        QueueCommand::Suspend(options) => suspend::suspend(&node, &options),
        QueueCommand::Resume(options) => suspend::resume(&node, &options),
        QueueCommand::Export(options) => moving::export(&node, &options),
        QueueCommand::Import(options) => moving::import(&node, &options),
        QueueCommand::Destinations(options) => destinations::run(&node, &options),
    };
    done.unwrap_or_else(|error| control::failed(&error))
}

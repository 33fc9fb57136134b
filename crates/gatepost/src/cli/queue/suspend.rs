//! `gatepost queue suspend|resume`: deliveries that wait until an operator lets them go on. It outlives a restart.

use std::process::ExitCode;

use clap::Args;

use super::words::{counted, printable};
use crate::cli::say;
use crate::cli::socket::Node;
use crate::serve::admin::queue::{SuspendAnswer, SuspendRequest};

/// What is suspended or resumed.
#[derive(Debug, Args)]
pub(in crate::cli) struct SuspendOptions {
    #[command(flatten)]
    what: What,
    /// Why: it is recorded
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// The name you go by: it is recorded beside the one that the system knows
    #[arg(long = "as", value_name = "NAME")]
    operator: Option<String>,
    /// One JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// One of the three.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct What {
    /// A recipient domain
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
    /// A customer
    #[arg(long, value_name = "NAME")]
    customer: Option<String>,
    /// A destination, as `queue destinations` names it
    #[arg(long, value_name = "NAME")]
    site: Option<String>,
}

/// Suspends.
pub(super) fn suspend(node: &Node, options: &SuspendOptions) -> Result<ExitCode, String> {
    let answer: SuspendAnswer = node.post("/api/v1/queue/suspend", &request(options))?;
    tell(options, &answer, "is suspended", "wait for it");
    Ok(ExitCode::SUCCESS)
}

/// Resumes.
pub(super) fn resume(node: &Node, options: &SuspendOptions) -> Result<ExitCode, String> {
    let answer: SuspendAnswer = node.post("/api/v1/queue/resume", &request(options))?;
    tell(options, &answer, "goes on", "waited for it");
    Ok(ExitCode::SUCCESS)
}

fn request(options: &SuspendOptions) -> SuspendRequest {
    SuspendRequest {
        domain: options.what.domain.clone(),
        customer: options.what.customer.clone(),
        site: options.what.site.clone(),
        reason: options.reason.clone(),
        operator: options.operator.clone(),
    }
}

fn tell(options: &SuspendOptions, answer: &SuspendAnswer, done: &str, wait: &str) {
    if options.json {
        say(&serde_json::json!(answer).to_string());
        return;
    }
    let waiting = counted(answer.waiting, "recipient");
    say(&format!(
        "{} {} {done}; {waiting} {wait}",
        answer.kind.word(),
        printable(&answer.name)
    ));
}

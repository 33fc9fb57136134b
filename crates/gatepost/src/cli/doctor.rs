//! `gatepost doctor`: one line for each check, as soon as it is known.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use serde_json::json;
use tokio::sync::mpsc;

use super::control::node_state;
use super::{ConfigOption, runtime, say};
use crate::config::Config;
use crate::context::{Context, ContextError, Services};
use crate::doctor::{self, Check, Grade, Target};
use crate::serve::admin::Down;

/// What `--help` says at its end.
pub(super) const AFTER_HELP: &str = "\
With HOST (port 25 unless given) only that server is checked: both address families, its banner,
whether a firewall writes over SMTP or strips STARTTLS, how long it takes. No message is sent.

Exit codes: 0 all well, or warnings only; 1 something failed.
Examples:   gatepost doctor --config /etc/gatepost/gatepost.toml
            gatepost doctor mail.example.org
            gatepost doctor [2001:db8::1]:2525";

/// What to check.
#[derive(Debug, Args)]
pub(super) struct DoctorOptions {
    /// A server to check instead of everything around this node
    #[arg(value_name = "HOST[:PORT]", value_parser = Target::parse)]
    server: Option<Target>,
    /// One JSON object for each check, one to a line, then one with the counts
    #[arg(long)]
    json: bool,
}

/// Checks.
pub(super) fn run(config: &ConfigOption, options: &DoctorOptions) -> ExitCode {
    let mut teller = Teller {
        json: options.json,
        counts: [0; 3],
    };
    if let Some(cx) = context(config, options, &mut teller) {
        let runtime = match runtime() {
            Ok(runtime) => runtime,
            Err(code) => return code,
        };
        runtime.block_on(check(Arc::new(cx), options.server.clone(), &mut teller));
        runtime.shutdown_background();
        if options.server.is_none() {
            running_node(config, &mut teller);
        }
    }
    teller.finish()
}

/// The snapshot to check; what stands in its way is told as failed checks.
fn context(option: &ConfigOption, options: &DoctorOptions, teller: &mut Teller) -> Option<Context> {
    let config = match option.load() {
        Ok(config) => config,
        Err(errors) => {
            for error in errors {
                let place = format!(
                    "{}:{}:{}: {}",
                    error.file, error.line, error.column, error.message
                );
                teller.tell(&Check::failed("config", place, error.remedy));
            }
            return None;
        }
    };
    if options.server.is_none() {
        machine(&config, teller);
    }
    let services = match Services::unwritten(&config) {
        Ok(services) => services,
        Err(error) => {
            let remedy = "look at the limits of this user: a thread is needed";
            teller.tell(&Check::failed("config", error.to_string(), remedy));
            return None;
        }
    };
    match Context::new(config, services, None) {
        Ok(cx) => Some(cx),
        Err(errors) => {
            for ContextError { what, detail } in errors {
                let remedy =
                    "a start would fail with this too; gatepost check tells all such errors";
                teller.tell(&Check::failed(
                    "config",
                    format!("{what}: {detail}"),
                    remedy,
                ));
            }
            None
        }
    }
}

/// What the running node has found out and no check here can: which address family has led nowhere. That no node runs is no fault.
fn running_node(config: &ConfigOption, teller: &mut Teller) {
    let Ok(state) = node_state(config) else {
        return;
    };
    for Down { name, reason } in state.families_down {
        teller.tell(&Check::warning(
            "families",
            format!("the running node reaches no server over {name}: {reason}"),
            "mend the routing of this machine or its network, or switch the family off by [delivery] inet_protocols",
        ));
    }
}

fn machine(config: &Config, teller: &mut Teller) {
    let (checks_tx, mut checks_rx) = mpsc::unbounded_channel();
    doctor::machine(config, &checks_tx);
    while let Ok(check) = checks_rx.try_recv() {
        teller.tell(&check);
    }
}

async fn check(cx: Arc<Context>, server: Option<Target>, teller: &mut Teller) {
    let (checks_tx, mut checks_rx) = mpsc::unbounded_channel();
    match server {
        Some(server) => tokio::spawn(doctor::server(cx, server, checks_tx)),
        None => tokio::spawn(doctor::node(cx, checks_tx)),
    };
    while let Some(check) = checks_rx.recv().await {
        teller.tell(&check);
    }
}

/// Tells checks, and counts them by grade.
struct Teller {
    json: bool,
    counts: [usize; 3],
}

impl Teller {
    fn tell(&mut self, check: &Check) {
        if let Some(count) = self.counts.get_mut(check.grade as usize) {
            *count += 1;
        }
        if self.json {
            return say(&json!(check).to_string());
        }
        let word = match check.grade {
            Grade::Ok => "ok",
            Grade::Warning => "warning",
            Grade::Failed => "FAILED",
        };
        say(&format!("{word:<8} {:<12} {}", check.area, check.text));
        for line in &check.quoted {
            say(&format!("{:21} | {line}", ""));
        }
        if !check.remedy.is_empty() {
            say(&format!("{:21} -> {}", "", check.remedy));
        }
    }

    fn finish(&self) -> ExitCode {
        let [ok, warnings, failed] = self.counts;
        say(&if self.json {
            json!({ "summary": { "ok": ok, "warnings": warnings, "failed": failed } }).to_string()
        } else {
            format!(
                "{ok} ok, {warnings} warning{}, {failed} failed",
                if warnings == 1 { "" } else { "s" }
            )
        });
        if failed > 0 {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    }
}

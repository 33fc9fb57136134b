//! Checks of everything around a node that mail depends on: this machine, DNS, engines, nexthops, IPv6, and what stands in the
//! path to a server.
//!
//! Each check says one thing, what it is about, and what to do. Those that wait for others run at the same time and are
//! told as they end; each is bounded in time.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::context::Context;

mod dialog;
mod engines;
mod ipv6;
mod machine;
mod names;
mod server;
mod signatures;

pub use machine::machine;
pub use server::Target;

/// How long a check may take that asks somebody else.
const CHECK_WAIT_MAX: Duration = Duration::from_secs(10);

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// As it should be.
    Ok,
    /// Mail flows, but not as well as it could.
    Warning,
    /// Mail does not flow, or will stop.
    Failed,
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What it is about: `engine`, `nexthop`, ...
    pub area: &'static str,
    /// What came of it.
    pub grade: Grade,
    /// What was found.
    pub text: String,
    /// What others said, word for word.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quoted: Vec<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remedy: String,
}

impl Check {
    fn new(area: &'static str, grade: Grade, text: impl Into<String>) -> Check {
        Check {
            area,
            grade,
            text: text.into(),
            quoted: Vec::new(),
            remedy: String::new(),
        }
    }

    /// It is as it should be.
    pub fn ok(area: &'static str, text: impl Into<String>) -> Check {
        Check::new(area, Grade::Ok, text)
    }

    /// It could be better: by doing this.
    pub fn warning(
        area: &'static str,
        text: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Check {
        Check {
            remedy: remedy.into(),
            ..Check::new(area, Grade::Warning, text)
        }
    }

    /// It does not work; this mends it.
    pub fn failed(area: &'static str, text: impl Into<String>, remedy: impl Into<String>) -> Check {
        Check {
            remedy: remedy.into(),
            ..Check::new(area, Grade::Failed, text)
        }
    }

    fn quoting(mut self, lines: Vec<String>) -> Check {
        self.quoted = lines;
        self
    }
}

/// Where checks are told, as soon as they are known.
pub type Checks = mpsc::UnboundedSender<Check>;

/// Checks all that a node depends on, besides the machine: certificates, DNS, engines, IPv6, nexthops.
pub async fn node(cx: Arc<Context>, checks: Checks) {
    let mut tasks = JoinSet::new();
    machine::certificates(&cx, &checks);
    tasks.spawn(names::check(Arc::clone(&cx), checks.clone()));
    tasks.spawn(signatures::check(Arc::clone(&cx), checks.clone()));
    for armed in cx.engines.all() {
        tasks.spawn(engines::check(armed.clone(), checks.clone()));
    }
    let targets = server::targets(&cx, &checks);
    let needs_ipv6 = targets.iter().any(Target::is_ipv6_only);
    tell(
        &checks,
        ipv6::machine(cx.config.delivery.inet_protocols, needs_ipv6),
    );
    for target in targets {
        tasks.spawn(server::check(Arc::clone(&cx), target, checks.clone()));
    }
    tasks.join_all().await;
}

/// Checks one server as though it were a nexthop.
pub async fn server(cx: Arc<Context>, target: Target, checks: Checks) {
    let protocols = cx.config.delivery.inet_protocols;
    tell(&checks, ipv6::machine(protocols, target.is_ipv6_only()));
    server::check(cx, target, checks).await;
}

/// Nobody listens any more if the command was given up.
fn tell(checks: &Checks, check: Check) {
    let _ = checks.send(check);
}
